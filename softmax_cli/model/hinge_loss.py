"""The multiclass hinge loss: with two loops, vectorised, from scores, and as training computes it.

An example with label y has the loss ``sum_{j != y} max(0, s_j - s_y + delta)``. Arguments and
results of the functions are those of their namesakes in ``softmax_loss``.

Source: Weston and Watkins, Multi-class support vector machines, 1998.
"""

import numpy as np

from softmax_cli.arrays import Floats, Labels
from softmax_cli.model.loss import Loss, Workspace, regularized


def hinge_loss_naive(
    W: Floats, X: Floats, y: Labels, reg: float, *, delta: float = 1.0
) -> tuple[float, Floats]:
    """Multiclass hinge loss and gradient with two explicit loops.

    Args:
        W: weights (D, C).
        X: examples (N, D).
        y: labels (N,).
        reg: regularisation strength.
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
    return regularized(loss / len(X), dW / len(X), W, reg)


def hinge_loss_vectorized(
    W: Floats, X: Floats, y: Labels, reg: float, *, delta: float = 1.0
) -> tuple[float, Floats]:
    """Multiclass hinge loss as two matrix products; arguments as in :func:`hinge_loss_naive`."""
    margins = _margins(X @ W, y, delta)  # (N, C)
    error = (margins > 0).astype(W.dtype)  # (N, C), gradient of each example by its scores
    error[np.arange(len(y)), y] = -error.sum(axis=1)
    return regularized(float(margins.sum(axis=1).mean()), X.T @ error / len(X), W, reg)


def hinge_loss(scores: Floats, labels: Labels, delta: float = 1.0) -> float:
    """Mean multiclass hinge loss of scores (N, C) under labels (N,)."""
    return float(_margins(scores, labels, delta).sum(axis=1).mean())


def hinge_kernel(scores: Floats, labels: Labels, factor: Floats, work: Workspace) -> None:
    """Turn scores into the gradient of the hinge loss with margin 1, in place.

    Arguments are those of :data:`softmax_cli.model.loss.Kernel`. ``scores`` become ``factor`` where
    the margin of a class is violated, minus ``factor`` times the number of these classes at the
    true one, and 0 elsewhere.
    """
    true_class = labels * scores[0].size + work.positions  # (K, N), places in the flat scores
    flat = scores.reshape(-1)  # a view, (C K N,)
    np.max(scores, axis=0, out=work.peaks)  # (K, N)
    true_scores = flat.take(true_class)  # (K, N)
    np.greater_equal(true_scores, work.peaks, out=work.correct)
    np.subtract(true_scores, 1, out=work.totals)
    np.subtract(scores, work.totals, out=scores)  # (C, K, N), s_j - s_y + 1
    # Before the sum: the true class has margin 1 here, but is no term of the loss.
    flat[true_class] = 0
    np.maximum(scores, 0, out=scores)
    np.sum(scores, axis=0, out=work.losses)
    # A NaN margin must stay NaN: sign keeps it, a comparison would turn it into "not violated".
    np.sign(scores, out=scores)
    np.sum(scores, axis=0, out=work.totals)  # violated margins of each example
    np.multiply(scores, factor, out=scores)
    flat[true_class] = -work.totals * factor  # s_y is in each violated margin, with a minus


def _margins(scores: Floats, labels: Labels, delta: float) -> Floats:
    """``max(0, s_j - s_y + delta)`` of shape (N, C), 0 at the true class."""
    rows = np.arange(len(labels))
    margins = np.maximum(0, scores - scores[rows, labels][:, None] + delta)
    margins[rows, labels] = 0
    return margins


HINGE = Loss(
    name="hinge",
    mean_loss=lambda scores, labels, _temperature: hinge_loss(scores, labels),
    kernel=hinge_kernel,
    gives_probabilities=False,
    scores_are="margins",
)
