"""The name that the program was called by, for usage lines and hints.

``softmax``, or ``python -m softmax_cli`` where another program of that name comes first on the
PATH: a hint that names that other program would be of no use.
"""

import re
import sys
from pathlib import PurePath

_NAME = "softmax"
_MODULE = "python -m softmax_cli"


def program_name() -> str:
    """How the user calls this program."""
    if PurePath(sys.argv[0]).name != "__main__.py":
        return _NAME
    # A shell completes a command by its first word, so completion is set up for that of the script.
    completion = ("--install-completion", "--show-completion")
    return _NAME if any(argument.startswith(completion) for argument in sys.argv[1:]) else _MODULE


def as_called(text: str) -> str:
    """A message with its commands, such as ``softmax train``, as the user has to write them."""
    name = program_name()
    if name == _NAME:
        return text
    from softmax_cli.cli.app import COMMANDS

    return re.sub(rf"\b{_NAME} (?=(?:{'|'.join(COMMANDS)})\b)", f"{name} ", text)
