"""Train and tune linear softmax classifiers on CIFAR-10.

``__all__`` lists what Python code imports from here, and ``docs/python.md`` shows how it is used. A
name is loaded when it is first asked for: ``import softmax_cli`` alone imports nothing else.

The rooms. Each imports only rooms that stand below it here; a test checks every import:

- ``cli``: the ``softmax`` command, a small file for each subcommand; the only place that prints
- ``report``: run directories to one HTML file
- ``api``: the Python interface: estimators, data sets and finished runs as objects
- ``tuning``: search space, trials, stacks, results; where stacks run
- ``training``: the loop over a stack, its updates and schedules, the checkpointed run
- ``plots``: arrays in, pictures out; the only place that imports matplotlib
- ``evaluation``: a saved model on images: scores, metrics, intervals, calibration, comparison
- ``features``: images to rows of numbers: feature maps, standardisation, folding
- ``data``: data sets on disk to labelled arrays: download, verification, splits
- ``config``: settings: YAML, presets, ``KEY=VALUE``
- ``runs``: run directories, checkpoints, model files; every byte written goes through here
- ``model``: softmax, losses with their gradients, the stack of linear classifiers; numpy alone
- ``paths``, ``arrays``, ``blas``, ``threads``, ``errors``: paths as users write them, names for
  kinds of arrays, the threads of BLAS, how many of them a computation gets, the one tree of errors
"""

__version__ = "0.2.0"

TYPE_CHECKING = False  # the name is what type checkers know; importing typing would take longer
if TYPE_CHECKING:
    from softmax_cli.api.classifier import SoftmaxClassifier
    from softmax_cli.api.datasets import load_dataset
    from softmax_cli.api.runs import load_run
    from softmax_cli.api.sweep import SoftmaxSweep
    from softmax_cli.model import (
        hinge_loss,
        hinge_loss_naive,
        hinge_loss_vectorized,
        log_softmax,
        softmax,
        softmax_loss,
        softmax_loss_naive,
        softmax_loss_vectorized,
    )

__all__ = [
    "SoftmaxClassifier",
    "SoftmaxSweep",
    "hinge_loss",
    "hinge_loss_naive",
    "hinge_loss_vectorized",
    "load_dataset",
    "load_run",
    "log_softmax",
    "softmax",
    "softmax_loss",
    "softmax_loss_naive",
    "softmax_loss_vectorized",
]

_MODULES = {
    "SoftmaxClassifier": "api.classifier",
    "SoftmaxSweep": "api.sweep",
    "load_dataset": "api.datasets",
    "load_run": "api.runs",
}
"""Where the exported names are that do not come from ``model``."""


def __getattr__(name: str) -> object:
    """Load an exported name; from then on the module has it."""
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    module = import_module(f"{__name__}.{_MODULES.get(name, 'model')}")
    value = globals()[name] = getattr(module, name)
    return value


def __dir__() -> list[str]:
    """All names, those that are not loaded yet among them."""
    return sorted({*globals(), *__all__})
