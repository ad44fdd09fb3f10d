"""From images to the rows of numbers that a linear classifier sees.

- ``feature_map``: the contract of a feature map; ``pixels`` and ``hog`` are two, ``feature_maps``
  finds them; ``unlearned`` is what those share that learn nothing; ``chunks`` computes them on all
  cores; ``quantized`` stores them as bytes
- ``cache``: features that are kept on disk, in ``row_files`` and ``map_file``
- ``given``: rows that are features already; ``normalization``: rows of Euclidean norm 1
- ``standardization``: subtract a mean, divide by a scale; the same for all feature maps
- ``folding``: left and right alike, for any feature map that knows its mirror permutation
- ``inputs``: what a trainer sees: rows as they are, flipped at random, or folded
"""
