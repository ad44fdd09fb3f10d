"""Train and tune linear softmax classifiers on CIFAR-10.

The rooms. Each knows only rooms that stand below it here; a test holds every import to that:

- ``cli``: the ``softmax`` command, a small file for each subcommand; the only place that prints
- ``report``: run directories to one HTML file
- ``tuning``: search space, trials, stacks, results; where stacks run
- ``training``: the loop over a stack, its updates and schedules, the checkpointed run
- ``plots``: arrays in, pictures out; the only place that imports matplotlib
- ``evaluation``: a saved model on images: scores, metrics, intervals, calibration, comparison
- ``features``: images to rows of numbers: feature maps, standardisation, folding
- ``data``: data sets on disk to labelled arrays: download, verification, splits
- ``config``: settings: YAML, presets, ``KEY=VALUE``
- ``runs``: run directories, checkpoints, model files; every byte written goes through here
- ``model``: softmax, losses with their gradients, the stack of linear classifiers; numpy alone
- ``paths``, ``arrays``, ``errors``: paths as users write them, names for kinds of arrays, the one
  tree of errors
"""

__version__ = "0.1.0"
