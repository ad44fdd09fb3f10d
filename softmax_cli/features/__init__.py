"""From images to the rows of numbers that a linear classifier sees.

- ``feature_map``: the contract of a feature map; ``pixels`` is one, ``feature_maps`` finds it
- ``given``: rows that are features already; ``normalization``: rows of Euclidean norm 1
- ``standardization``: subtract a mean, divide by a scale; the same for all feature maps
- ``folding``: left and right alike, for any feature map that knows its mirror permutation
- ``inputs``: what a trainer sees: rows as they are, flipped at random, or folded
"""
