"""Paths as users write them: a ``~`` at the start is the home, as in a shell.

A shell expands it in a plain argument, but neither behind the ``=`` of ``--data-dir=~/data`` or
``data.dir=~/data``, nor in quotes, nor in a file or in the value of a variable.
"""

import os
from pathlib import Path

from softmax_cli.errors import ConfigurationError


def expand_home(path: str) -> str:
    """A path with ``~`` or ``~user`` at its start replaced by that user's home.

    A file that has such a name is left alone: shells pass those that a pattern such as ``*.png``
    finds. ``./~`` always means the name itself.

    Raises:
        ConfigurationError: the home is not known.
    """
    expanded = os.path.expanduser(path)  # noqa: PTH111 - Path would make ~ of ./~ beforehand
    if expanded.startswith("~") and not os.path.lexists(expanded):
        user = Path(path).parts[0]
        raise ConfigurationError(
            f"expected a path, got {path}: the home folder of {user} is not known",
            hint=f"Write the folder in full, or ./{user} for a folder of that name.",
        )
    return expanded
