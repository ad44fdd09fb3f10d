"""Train and tune linear softmax classifiers on CIFAR-10.

The rooms, from the outside in; imports run one way, each room knowing only those below it:

- ``cli``: the ``softmax`` command, the only place that prints
- ``tuning``: search space, trials, stacks, results
- ``training``: minibatches, SGD on a stack of classifiers, schedules
- ``model``: softmax, losses with their gradients, the stack of linear classifiers
- ``config``, ``data``, ``evaluation``, ``plots``, ``runs``: settings, images, metrics, pictures,
  files
"""

__version__ = "0.1.0"
