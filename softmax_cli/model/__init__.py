"""Softmax, losses with their gradients, and the stack of linear classifiers: pure numpy.

Notation, used throughout the package: N examples of a minibatch, D features, C classes, K models
stacked side by side. Scores are ``s = X W + b`` with X (N, D), W (D, C), b (C,).

The softmax loss of an example with label y at temperature T is ``-s_y/T + log sum_j exp(s_j/T)``,
its multiclass hinge loss is ``sum_{j != y} max(0, s_j - s_y + 1)``. Data losses are averaged over
N. The regularised objective adds ``reg/2 * (|W|^2 + |b|^2)``; its gradient is ``reg * W``.
"""

from softmax_cli.model.hinge_loss import hinge_loss, hinge_loss_naive, hinge_loss_vectorized
from softmax_cli.model.loss import Loss
from softmax_cli.model.losses import LOSSES
from softmax_cli.model.softmax import log_softmax, softmax
from softmax_cli.model.softmax_loss import softmax_loss, softmax_loss_naive, softmax_loss_vectorized
from softmax_cli.model.stack import LinearStack

__all__ = [
    "LOSSES",
    "LinearStack",
    "Loss",
    "hinge_loss",
    "hinge_loss_naive",
    "hinge_loss_vectorized",
    "log_softmax",
    "softmax",
    "softmax_loss",
    "softmax_loss_naive",
    "softmax_loss_vectorized",
]
