"""Paths in commands that a hint shows, so that the commands can be pasted into a shell."""

import re
import shlex
import sys
from pathlib import PurePath

_PLAIN = re.compile(r"[\w.:+\\/-]+")


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
