"""Stochastic gradient descent on a stack of linear classifiers.

- ``sampling``: which training images make up the minibatch of a step
- ``minibatches``: their rows and labels, mirrored or not
- ``schedules``: learning rate and temperature at a step
- ``updates``: how a gradient changes the weights
- ``engine``: the two products of a step, on two processes
- ``trainer``: the loop, a generator of progress
- ``stop_signals``: what asks a run to save and stop
- ``session``: settings and files around the loop: data, checkpoints, results
"""
