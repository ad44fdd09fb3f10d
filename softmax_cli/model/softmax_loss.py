"""The softmax loss: with two loops, vectorised, from scores alone, and as training computes it.

An example with label y has the loss ``-s_y/T + log sum_j exp(s_j/T)``, its gradient by the scores
is ``(p - 1_y)/T``. The ``*_naive`` and ``*_vectorized`` functions take ``W (D, C)``, ``X (N, D)``,
``y (N,)`` and return ``(loss, dW)``. A bias is the last row of W where X carries a column of ones
(the bias trick). They state the mathematics as plainly as possible and are what the kernel is
tested against.

Source: Bishop, Pattern Recognition and Machine Learning, section 4.3.4.
"""

import numpy as np

from softmax_cli.arrays import Floats, Labels
from softmax_cli.model.loss import Loss, Workspace, regularized
from softmax_cli.model.softmax import log_softmax, softmax


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
    return regularized(loss / len(X), dW / len(X), W, reg)


def softmax_loss_vectorized(
    W: Floats, X: Floats, y: Labels, reg: float, *, temperature: float = 1.0
) -> tuple[float, Floats]:
    """Softmax loss as two matrix products; arguments as in :func:`softmax_loss_naive`."""
    scores = X @ W  # (N, C)
    error = softmax(scores, temperature)
    error[np.arange(len(y)), y] -= 1
    error /= len(X) * temperature
    return regularized(softmax_loss(scores, y, temperature), X.T @ error, W, reg)


def softmax_loss(scores: Floats, labels: Labels, temperature: float = 1.0) -> float:
    """Mean softmax loss (negative log-likelihood, in nats) of scores (N, C) under labels (N,).

    >>> round(softmax_loss(np.array([[-3.0, 2.0, -1.0, 0.0]]), np.array([1])), 4)
    0.1755
    """
    log_probabilities = log_softmax(scores, temperature)
    return float(-log_probabilities[np.arange(len(labels)), labels].mean())


def softmax_kernel(scores: Floats, labels: Labels, factor: Floats, work: Workspace) -> None:
    """Turn logits into ``factor * (p - 1_y)``, in place; see :data:`softmax_cli.model.loss.Kernel`.

    Each line reads the scores as few times as it can: at K = 1 they fit into the first-level cache,
    and the passes over them are all that this costs.
    """
    true_class = labels * scores[0].size + work.positions  # (K, N), places in the flat scores
    flat = scores.reshape(-1)  # a view, (C K N,)
    # Subtracting the greatest logit changes no probability, and no exponential overflows.
    np.max(scores, axis=0, out=work.peaks)  # (K, N)
    np.subtract(scores, work.peaks, out=scores)  # (C, K, N)
    # Taken now: the exponentials overwrite the logits.
    true_logits = flat.take(true_class)  # (K, N)
    np.greater_equal(true_logits, 0, out=work.correct)  # 0 is the greatest now
    np.exp(scores, out=scores)
    np.sum(scores, axis=0, out=work.totals)  # (K, N), the denominators of the softmax
    np.log(work.totals, out=work.losses)
    np.subtract(work.losses, true_logits, out=work.losses)  # log sum_j exp(s_j) - s_y
    # One multiplication of the (C, K, N) array for both: probabilities, and the factor.
    np.divide(factor, work.totals, out=work.totals)
    np.multiply(scores, work.totals, out=scores)
    flat[true_class] -= factor  # the term -1_y of the gradient


SOFTMAX = Loss(
    name="softmax",
    mean_loss=softmax_loss,
    kernel=softmax_kernel,
    gives_probabilities=True,
    scores_are="log-probabilities up to a constant",
)
