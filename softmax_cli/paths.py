"""Paths as users write them, and as hints show them.

A ``~`` at the start is the home. A shell replaces it in a plain argument, but neither behind the
``=`` of ``--data-dir=~/data`` or ``data.dir=~/data``, nor in quotes, nor in a file or in the value
of a variable.
"""

import os
import re
import shlex
import sys
from pathlib import Path, PurePath

from softmax_cli.errors import ConfigurationError

_PLAIN = re.compile(r"[\w.:+\\/-]+")


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


def quoted(path: PurePath) -> str:
    """A path as one argument of a command, in quotes if it needs them.

    Windows has two shells, cmd and PowerShell, and double quotes are what both know. No file name
    there has such a quote in it.
    """
    text = str(path)
    if sys.platform != "win32":
        text = shlex.quote(text)
    elif not _PLAIN.fullmatch(text):
        text = f'"{text}"'
    return text
