"""The whole training as one compiled program of JAX."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from benchmarks.task import LinearModel, Recipe, Task


class JaxScan:
    """A jitted ``lax.scan`` over the steps; with several models, ``vmap`` over them in each step.

    All models see the same minibatch, as in this package. Compiling is not timed.

    Args:
        task: what is to be trained.
        members: which of its models are judged; all are trained. None for all of them.
    """

    share = 1.0

    def __init__(self, task: Task, members: Sequence[int] | None = None) -> None:
        self._task = task
        self._members = range(task.recipe.models) if members is None else members
        self.name = "JAX, jitted scan" + (" with vmap" if task.recipe.models > 1 else "")

    def setup(self) -> None:
        import jax
        import jax.numpy as jnp

        recipe = self._task.recipe
        self._arguments = (
            jax.random.key(recipe.seed),
            jnp.asarray(self._task.features),
            jnp.asarray(self._task.labels),
            jnp.asarray(recipe.learning_rates, jnp.float32),
            jnp.asarray(recipe.regularizations, jnp.float32),
        )
        program = _program(recipe, self._task.classes)
        self._train = jax.jit(program).lower(*self._arguments).compile()

    def run(self) -> None:
        import jax

        self._parameters = jax.block_until_ready(self._train(*self._arguments))

    def learned(self) -> Sequence[LinearModel]:
        models, classes = self._task.recipe.models, self._task.classes
        weights, biases = (np.asarray(values) for values in self._parameters)
        weights = weights.reshape(models, -1, classes)
        biases = biases.reshape(models, classes)
        return [self._task.model(weights[member], biases[member]) for member in self._members]


def _program(recipe: Recipe, classes: int) -> Callable[..., Any]:
    """From a key, images, labels, and rates and regularisations (K,) to weights and biases."""
    import jax

    stacked = recipe.models > 1
    update = jax.vmap(_sgd_step, in_axes=(0, 0, 0, None, None)) if stacked else _sgd_step

    def train(key: Any, X: Any, y: Any, rates: Any, regs: Any) -> Any:
        draw, weight_key, bias_key = jax.random.split(key, 3)
        prefix = (recipe.models,) if stacked else ()
        initial = (
            recipe.weight_scale * jax.random.normal(weight_key, (*prefix, X.shape[1], classes)),
            recipe.weight_scale * jax.random.normal(bias_key, (*prefix, classes)),
        )
        rates, regs = rates.reshape(prefix), regs.reshape(prefix)
        batches = jax.random.randint(draw, (recipe.iterations, recipe.batch_size), 0, len(X))

        def step(parameters: Any, indices: Any) -> Any:
            return update(parameters, rates, regs, X[indices], y[indices]), None

        return jax.lax.scan(step, initial, batches)[0]

    return train


def _sgd_step(parameters: Any, rate: Any, reg: Any, X: Any, y: Any) -> Any:
    """Weights and bias of one model after a step on a minibatch."""
    import jax
    import jax.numpy as jnp

    def loss(parameters: Any) -> Any:
        W, b = parameters
        logarithms = jax.nn.log_softmax(X @ W + b)
        data_loss = -jnp.take_along_axis(logarithms, y[:, None], axis=1).mean()
        return data_loss + 0.5 * reg * ((W**2).sum() + (b**2).sum())

    gradients = jax.grad(loss)(parameters)
    return jax.tree.map(lambda p, g: p - rate * g, parameters, gradients)
