"""Import matplotlib without the settings that its user has made for other programs.

While it is imported, matplotlib reads the first ``matplotlibrc`` of the working directory, of
``$MATPLOTLIBRC`` and of the home, and ``$MPLBACKEND``. Where one of them is wrong the import fails,
and the backend that every notebook sets is wrong outside of notebooks. It also logs about a home
that it may not write to. None of this concerns pictures that are drawn without a window and under
settings of their own.
"""

import contextlib
import logging
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path

_VARIABLES = ("MPLBACKEND", "MATPLOTLIBRC")


@contextmanager
def isolated() -> Iterator[None]:
    """Import matplotlib within this context without the user's configuration of it.

    The environment, and the working directory if a ``matplotlibrc`` lies in it, are other ones
    until the end of the context. Where matplotlib is imported already they stay as they are.
    """
    with contextlib.ExitStack() as stack:
        stack.enter_context(_unheard("matplotlib"))
        if "matplotlib" not in sys.modules and (defaults := _defaults_directory()):
            stack.enter_context(_default_environment(defaults))
            # The working directory comes before $MATPLOTLIBRC.
            if Path("matplotlibrc").exists():
                stack.enter_context(contextlib.chdir(defaults))
        yield


def _defaults_directory() -> Path | None:
    """The folder of matplotlib's own ``matplotlibrc``, which changes nothing."""
    spec = find_spec("matplotlib")
    return None if spec is None or spec.origin is None else Path(spec.origin).parent / "mpl-data"


@contextmanager
def _default_environment(defaults: Path) -> Iterator[None]:
    before = {name: os.environ.pop(name, None) for name in _VARIABLES}
    os.environ["MATPLOTLIBRC"] = str(defaults)
    try:
        yield
    finally:
        for name, value in before.items():
            os.environ.pop(name, None)
            if value is not None:
                os.environ[name] = value


@contextmanager
def _unheard(name: str) -> Iterator[None]:
    """Keep a logger from stderr, where it writes if the program has not set up logging."""
    logger, nowhere = logging.getLogger(name), logging.NullHandler()
    logger.addHandler(nowhere)
    try:
        yield
    finally:
        logger.removeHandler(nowhere)
