"""Train and tune linear softmax classifiers on CIFAR-10.

The rooms. Each imports only rooms that stand below it here; a test checks every import:

- ``cli``: the ``softmax`` command, a small file for each subcommand; the only place that prints
- ``tuning``: search space, trials, stacks, results; where stacks run
- ``training``: the loop over a stack, its updates and schedules, the checkpointed run
- ``plots``: arrays in, pictures out; the only place that imports matplotlib
- ``evaluation``: a saved model on images: scores, metrics, calibration
- ``features``: images to rows of numbers: feature maps, standardisation, folding
- ``data``: data sets on disk to labelled arrays: download, verification, splits
- ``config``: settings: YAML, presets, ``KEY=VALUE``
- ``runs``: run directories, checkpoints, model files; every byte written goes through here
- ``model``: softmax, losses with their gradients, the stack of linear classifiers; numpy alone
- ``paths``, ``arrays``, ``blas``, ``errors``: paths as users write them, names for kinds of arrays,
  the threads of BLAS, the one tree of errors
"""

__version__ = "0.1.0"
