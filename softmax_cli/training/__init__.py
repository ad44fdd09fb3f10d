"""Stochastic gradient descent, or L-BFGS to the optimum, on a stack of linear classifiers.

- ``sampling``: which training images make up the minibatch of a step
- ``minibatches``: their rows and labels, mirrored or not
- ``schedules``: learning rate and temperature at a step
- ``updates``: how a gradient changes the weights
- ``engine``: the two products of a step, on two processes
- ``trainer``: the loop, a generator of progress
- ``full_batch``: the other loop, to the optimum, on ``lbfgs`` with its ``line_search``,
  ``preconditioner``, ``objective`` and ``examples``
- ``certificate``: how far weights are from the optimum at most
- ``stop_signals``: what asks a run to save and stop
- ``session``: settings and files around the loop: data, checkpoints, results
"""
