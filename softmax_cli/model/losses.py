"""Softmax and multiclass hinge loss: with two loops, vectorised, and from scores alone.

The ``*_naive`` and ``*_vectorized`` functions take ``W (D, C)``, ``X (N, D)``, ``y (N,)`` and
return ``(loss, dW)``. A bias is the last row of W where X carries a column of ones (the bias
trick). They state the mathematics as plainly as possible and are what the training kernels are
tested against.

Sources: Bishop, Pattern Recognition and Machine Learning, section 4.3.4 (softmax regression);
Weston and Watkins, Multi-class support vector machines, 1998 (hinge loss).
"""

from typing import Literal

import numpy as np
from numpy.typing import NDArray

from softmax_cli.model.softmax import log_softmax, softmax

Floats = NDArray[np.floating]
Labels = NDArray[np.integer]


def softmax_loss_naive(
    W: Floats, X: Floats, y: Labels, reg: float, *, temperature: float = 1.0
) -> tuple[float, Floats]:
    """Softmax loss and gradient with two explicit loops, over examples and over classes.

    Args:
        W: weights (D, C).
        X: examples (N, D).
        y: labels (N,), integers in [0, C).
        reg: regularisation strength; the objective gains ``reg/2 * |W|^2``.
        temperature: T > 0.

    Returns:
        The objective, and its gradient ``X^T (p - 1_y)/(N T) + reg W`` of shape (D, C).
    """
    loss = 0.0
    dW = np.zeros_like(W)
    for x, label in zip(X, y, strict=True):
        logits = x @ W / temperature
        logits = logits - logits.max()
        probabilities = np.exp(logits) / np.exp(logits).sum()
        loss += np.log(np.exp(logits).sum()) - logits[label]
        for j in range(W.shape[1]):
            dW[:, j] += (probabilities[j] - (j == label)) * x / temperature
    return _regularized(loss / len(X), dW / len(X), W, reg)


def softmax_loss_vectorized(
    W: Floats, X: Floats, y: Labels, reg: float, *, temperature: float = 1.0
) -> tuple[float, Floats]:
    """Softmax loss as two matrix products; arguments as in :func:`softmax_loss_naive`."""
    scores = X @ W
    error = softmax(scores, temperature)
    error[np.arange(len(y)), y] -= 1
    error /= len(X) * temperature
    return _regularized(softmax_loss(scores, y, temperature), X.T @ error, W, reg)


def hinge_loss_naive(
    W: Floats, X: Floats, y: Labels, reg: float, *, delta: float = 1.0
) -> tuple[float, Floats]:
    """Multiclass hinge loss and gradient with two explicit loops.

    Args:
        W: weights (D, C).
        X: examples (N, D).
        y: labels (N,), integers in [0, C).
        reg: regularisation strength; the objective gains ``reg/2 * |W|^2``.
        delta: the margin by which the true class should win.

    Returns:
        The objective, and a subgradient (D, C); it is taken as 0 where a margin is exactly 0.
    """
    loss = 0.0
    dW = np.zeros_like(W)
    for x, label in zip(X, y, strict=True):
        scores = x @ W
        for j in range(W.shape[1]):
            margin = scores[j] - scores[label] + delta
            if j != label and margin > 0:
                loss += margin
                dW[:, j] += x
                dW[:, label] -= x
    return _regularized(loss / len(X), dW / len(X), W, reg)


def hinge_loss_vectorized(
    W: Floats, X: Floats, y: Labels, reg: float, *, delta: float = 1.0
) -> tuple[float, Floats]:
    """Multiclass hinge loss as two matrix products; arguments as in :func:`hinge_loss_naive`."""
    margins = _margins(X @ W, y, delta)
    error = (margins > 0).astype(W.dtype)
    error[np.arange(len(y)), y] = -error.sum(axis=1)
    return _regularized(float(margins.sum(axis=1).mean()), X.T @ error / len(X), W, reg)


def softmax_loss(scores: Floats, labels: Labels, temperature: float = 1.0) -> float:
    """Mean softmax loss (negative log-likelihood, in nats) of scores (N, C) under labels (N,).

    >>> round(softmax_loss(np.array([[-3.0, 2.0, -1.0, 0.0]]), np.array([1])), 4)
    0.1755
    """
    log_probabilities = log_softmax(scores, temperature)
    return float(-log_probabilities[np.arange(len(labels)), labels].mean())


def hinge_loss(scores: Floats, labels: Labels, delta: float = 1.0) -> float:
    """Mean multiclass hinge loss of scores (N, C) under labels (N,)."""
    return float(_margins(scores, labels, delta).sum(axis=1).mean())


def data_loss(
    kind: Literal["softmax", "hinge"], scores: Floats, labels: Labels, temperature: float = 1.0
) -> float:
    """Mean loss of a kind that a configuration can name, in float64; hinge ignores T."""
    exact = scores.astype(np.float64)
    if kind == "hinge":
        return hinge_loss(exact, labels)
    return softmax_loss(exact, labels, temperature)


def _margins(scores: Floats, labels: Labels, delta: float) -> Floats:
    """``max(0, s_j - s_y + delta)`` of shape (N, C), 0 at the true class."""
    rows = np.arange(len(labels))
    margins = np.maximum(0, scores - scores[rows, labels][:, None] + delta)
    margins[rows, labels] = 0
    return margins


def _regularized(loss: float, dW: Floats, W: Floats, reg: float) -> tuple[float, Floats]:
    return float(loss + 0.5 * reg * np.sum(W * W)), dW + reg * W
