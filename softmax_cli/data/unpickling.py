r"""Read the pickles of CIFAR without running what a pickle can ask for.

The batches are pickles of protocol 2, written by Python 2. A pickle is a program: it can name any
function and call it. A subclass of `pickle.Unpickler` decides what a name means, so the three names
that these files need are mapped to harmless stand-ins, and every other name is refused.

That alone is not enough. The unpickler of the standard library also allocates memory by numbers in
the file (a place in its memo, a length), and overflows the C stack when it hashes deeply nested
tuples. So the instructions are checked first: a regular expression accepts the twenty that these
files are made of, with small operands, and only a few tuples. No file looks anything up in the
memo, so nothing is shared, and work and memory are in proportion to the input.

Opcodes: `pickletools` in Python's standard library describes each.
"""

import io
import pickle
import pickletools
import re
from dataclasses import dataclass
from functools import cache
from typing import Final

from softmax_cli.errors import DataError

_MAX_STRING: Final = 127
_MAX_TUPLES: Final = 64
_MAX_NAME: Final = 64

_NDARRAY: Final = "numpy.ndarray"  # a str: what a pickle of Python 2 holds are bytes

_ERRORS: Final = (
    pickle.UnpicklingError,
    AttributeError,
    EOFError,
    IndexError,
    KeyError,
    OverflowError,
    TypeError,
    ValueError,
)
"""What the standard library raises where instructions do not fit together."""


@dataclass
class PickledDtype:
    """What a pickle says of a numpy dtype: constructor arguments and state, both unchecked."""

    arguments: object
    state: object = None

    def __setstate__(self, state: object) -> None:
        _set_once(self, state)


@dataclass
class PickledArray:
    """The state that a pickle gives to a numpy array, unchecked."""

    state: object = None

    def __setstate__(self, state: object) -> None:
        _set_once(self, state)


def unpickle(data: bytes, source: str, title: str) -> object:
    """Read a pickle made of dicts, lists, tuples, byte strings, small integers and numpy arrays.

    Args:
        data: the pickle. Reading takes at most some 80 times its length in memory, so a caller
            should pass no more than the publisher's file has beside the pixels.
        source: what to call it in an error, usually a path.
        title: of the data set, for an error.

    Returns:
        The pickled object; strings are bytes, an array is a `PickledArray`.

    Raises:
        DataError: whatever else the pickle does or is.
    """
    try:
        _check_instructions(data)
        return _Unpickler(io.BufferedReader(io.BytesIO(data)), encoding="bytes").load()
    except _ERRORS as error:
        raise DataError(f"{source}: not a pickle of {title}: {error}") from None


class _Unpickler(pickle.Unpickler):
    """The standard library's, for which three names exist."""

    def find_class(self, module: str, name: str) -> object:
        """The stand-in for a name; nothing is imported."""
        stand_in = _STAND_INS.get(f"{module}.{name}")
        if stand_in is None:
            raise pickle.UnpicklingError(f"refused to look up {f'{module}.{name}'!a}")
        return stand_in

    def persistent_load(self, pid: object) -> object:
        """No pickle of a batch refers to anything outside."""
        raise pickle.UnpicklingError(f"refused to load {pid!a}")


def _reconstruct(*arguments: object) -> PickledArray:
    """Stand-in for the function that makes an empty array."""
    if arguments != (_NDARRAY, (0,), b"b"):
        raise pickle.UnpicklingError("expected an empty array to be made, got something else")
    return PickledArray()


def _dtype(*arguments: object) -> PickledDtype:
    """Stand-in for the constructor of a dtype."""
    return PickledDtype(arguments)


_STAND_INS: Final[dict[str, object]] = {
    "numpy.core.multiarray._reconstruct": _reconstruct,
    "numpy.ndarray": _NDARRAY,
    "numpy.dtype": _dtype,
}


def _set_once(target: PickledArray | PickledDtype, state: object) -> None:
    if target.state is not None:
        raise pickle.UnpicklingError("expected the state of an array or dtype once, got it twice")
    target.state = state


def _check_instructions(data: bytes) -> None:
    """Refuse a pickle that has other instructions than a batch, or too large operands.

    Raises:
        pickle.UnpicklingError: with the place and the name of the first such instruction.
    """
    match = _instructions().match(data)
    end = match.end() if match else 0
    if end == len(data) and data.endswith(b"."):
        return
    if end == len(data):
        raise pickle.UnpicklingError("it ends too early")
    code = data[end : end + 1].decode("latin-1")
    names = (known.name for known in pickletools.opcodes if known.code == code)
    name = next(names, f"0x{data[end]:02x}, which no pickle has")
    raise pickle.UnpicklingError(f"at byte {end}: refused the instruction {name}, or its operand")


@cache
def _instructions() -> re.Pattern[bytes]:
    """Accepts as many leading instructions as a batch may have."""
    string = b"|".join(b"\\x%02x[\\s\\S]{%d}" % (n, n) for n in range(_MAX_STRING + 1))
    name = b"[^\\n]{0,%d}\\n" % _MAX_NAME
    light = b"|".join(
        (
            b"U(?:" + string + b")",  # SHORT_BINSTRING
            rb"K[\s\S]|M[\s\S]{2}|J[\s\S]{4}",  # BININT1, BININT2, BININT
            rb"q[\s\S]|r[\s\S]{2}\x00\x00",  # BINPUT, LONG_BINPUT: places in the memo
            rb"[N\x89}\](eu]",  # None, False, dict, list, mark, append, set items
            b"c" + name + name,  # GLOBAL
            rb"[Rb]",  # REDUCE, BUILD
            rb"\x80\x02",  # PROTO
        )
    )
    # Possessive, so that nothing is tried twice.
    pattern = b"(?:(?:%b)*+[t\\x85\\x86\\x87]){0,%d}+(?:%b)*+\\.?" % (light, _MAX_TUPLES, light)
    return re.compile(pattern)
