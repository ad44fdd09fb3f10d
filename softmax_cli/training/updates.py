"""How a gradient changes the weights of a stack: plain SGD, and SGD with momentum.

One step is ``begin`` (which says what the scores' gradient is to be multiplied by), the product
``X^T E`` outside, then ``apply_bias`` and, for some rows of the weights at a time, ``apply``.
Learning rates and the like are vectors of length K.
"""

from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from softmax_cli.arrays import Floats, PerModel
from softmax_cli.model.stack import LinearStack
from softmax_cli.training.forked import shared_zeros

_SMALLEST_SHRINKAGE = 1e-6
_BLOCK_FEATURES = 256


class Update(Protocol):
    """One rule for changing the weights of a stack."""

    def begin(self, learning_rate: PerModel) -> PerModel:
        """Start a step; return the factor (K,) that the scores' gradient is to carry."""
        ...

    def apply(self, features: slice, gradient: Floats, learning_rate: PerModel) -> None:
        """Update some rows of the weights by their gradient (rows, C K), which is overwritten."""
        ...

    def apply_bias(self, gradient: Floats, learning_rate: PerModel) -> None:
        """Update the bias by its gradient (C, K), which is overwritten."""
        ...

    def forget(self, members: NDArray[np.bool_]) -> None:
        """Drop the state that some models' earlier gradients have left, such as the velocity."""
        ...

    def state(self) -> dict[str, Floats]:
        """What the next step depends on, apart from the stack itself."""
        ...


class PlainUpdate:
    """``W <- (1 - lr reg) W - lr G``, with the decay carried by the stack's shrinkage.

    Written with ``W = a V``, the step is ``a' = (1 - lr reg) a`` and ``V <- V - (lr/a') G``. The
    factor ``lr/a'`` goes into the scores' gradient, which is smaller than W by far, so one
    subtraction is all that touches V.
    """

    def __init__(self, stack: LinearStack, regularization: PerModel) -> None:
        self._stack = stack
        self._regularization = regularization

    def begin(self, learning_rate: PerModel) -> PerModel:
        """Decay the weights; return ``lr/a'``."""
        stack = self._stack
        stack.shrinkage *= 1 - learning_rate * self._regularization
        # `lr/a'` divides by it, so it must not come near zero. A decay of 1 or more makes it zero
        # or negative in a single step; then, too, it is multiplied into the weights.
        small = stack.shrinkage < _SMALLEST_SHRINKAGE
        if small.any():
            stack.fold_in(small)
        return learning_rate / stack.shrinkage

    def apply(self, features: slice, gradient: Floats, learning_rate: PerModel) -> None:  # noqa: ARG002
        """Subtract the gradient, which already has the factor ``lr/a'``."""
        weights = self._stack.weights[features]
        np.subtract(weights, gradient, out=weights)

    def apply_bias(self, gradient: Floats, learning_rate: PerModel) -> None:  # noqa: ARG002
        """Subtract the gradient, which already has the factor ``lr/a'``."""
        np.subtract(self._stack.bias, gradient, out=self._stack.bias)

    def forget(self, members: NDArray[np.bool_]) -> None:
        """Do nothing: there is no such state."""

    def state(self) -> dict[str, Floats]:
        """Nothing: a step depends on the stack alone."""
        return {}


class MomentumUpdate:
    """``v <- m v + G + reg W``, then ``W <- W - lr v``.

    With Nesterov's momentum the second half is ``W <- W - lr (G + reg W + m v)``.

    The form of Sutskever et al., On the importance of initialization and momentum, 2013, as common
    libraries have it, with the learning rate outside of v.
    """

    def __init__(
        self, stack: LinearStack, regularization: PerModel, momentum: PerModel, *, nesterov: bool
    ) -> None:
        self._stack = stack
        self._regularization = regularization
        self._momentum = momentum
        self._nesterov = nesterov
        self.velocity = shared_zeros(stack.weights.shape, stack.weights.dtype)
        self.bias_velocity = np.zeros_like(stack.bias)
        self._scratch = np.empty((_BLOCK_FEATURES, stack.weights.shape[1]), stack.weights.dtype)

    def begin(self, learning_rate: PerModel) -> PerModel:
        """Return ones: the velocity is a sum of the gradients themselves."""
        return np.ones_like(learning_rate)

    def apply(self, features: slice, gradient: Floats, learning_rate: PerModel) -> None:
        """Update velocity and weights, a few rows at a time so that they stay in the cache."""
        weights, velocity = self._stack.weights[features], self.velocity[features]
        for start in range(0, len(weights), _BLOCK_FEATURES):
            rows = slice(start, start + _BLOCK_FEATURES)
            self._update(weights[rows], gradient[rows], velocity[rows], learning_rate)

    def apply_bias(self, gradient: Floats, learning_rate: PerModel) -> None:
        """Update velocity and bias."""
        self._update(self._stack.bias, gradient, self.bias_velocity, learning_rate)

    def _update(
        self, weights: Floats, gradient: Floats, velocity: Floats, learning_rate: PerModel
    ) -> None:
        scratch = self._scratch.reshape(-1)[: weights.size].reshape(weights.shape)
        rate, decay, momentum = (
            self._per_column(values, weights)
            for values in (learning_rate, self._regularization, self._momentum)
        )
        # All arrays here are (rows, C K), or (C, K) for the bias. Each result goes into one that
        # exists, so that a step allocates no memory.
        np.multiply(weights, decay, out=scratch)
        np.add(gradient, scratch, out=gradient)  # G + reg W
        np.multiply(velocity, momentum, out=velocity)
        np.add(velocity, gradient, out=velocity)  # v
        step = velocity
        if self._nesterov:
            np.multiply(velocity, momentum, out=scratch)
            step = np.add(gradient, scratch, out=gradient)  # G + reg W + m v
        np.multiply(step, rate, out=scratch)
        np.subtract(weights, scratch, out=weights)

    def _per_column(self, values: PerModel, weights: Floats) -> Floats | np.floating:
        """``values`` (K,) as a factor for columns ordered like those of the stack.

        One number where all models share it: numpy is slow on many short rows.
        """
        if (values == values[0]).all():
            return weights.dtype.type(values[0])
        return np.tile(values.astype(weights.dtype), weights.shape[1] // len(values))

    def forget(self, members: NDArray[np.bool_]) -> None:
        """Set the velocity of some models to zero."""
        self.velocity[:, self._stack.columns(members)] = 0
        self.bias_velocity[:, members] = 0

    def state(self) -> dict[str, Floats]:
        """The velocities."""
        return {"velocity": self.velocity, "bias_velocity": self.bias_velocity}
