"""Read the pickles of CIFAR-10 without ever running what a pickle can ask for.

The batches are pickles of protocol 2, written by Python 2. A pickle is a program for a stack
machine, and Python's own machine can import and call anything, allocate memory by a number in the
file, and overflow the C stack on nested tuples, even with ``find_class`` restricted. This module is
a machine of its own that knows the 23 instructions these files are made of and refuses all others:

- ``GLOBAL`` yields one of three constants, by name; nothing is imported.
- ``REDUCE`` and ``BUILD`` make and fill a `PickledArray` or a `PickledDtype`; nothing is called.
- What an object was remembered under (``BINPUT``) is skipped, because these files never look it up.
  Without look-ups nothing is shared, so work and memory are in proportion to the input.

Opcodes: `pickletools` in Python's standard library describes each.
"""

import pickletools
import re
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from typing import Final

from softmax_cli.errors import DataError

MAX_PICKLE_BYTES: Final = 512 << 10
"""A batch without its pixels has 0.3 MB. Parsing takes at most some 80 times that in memory."""

_SHORT_BINSTRING: Final = ord("U")
_BINPUT: Final = ord("q")
_LONG_BINPUT: Final = ord("r")
_MAX_NAME_BYTES: Final = 64
_PROTOCOL: Final = 2
_SMALL_INTS: Final = re.compile(rb"(?:K[\s\S])+")


@dataclass
class PickledDtype:
    """What a pickle says of a numpy dtype: constructor arguments and state, both unchecked."""

    arguments: object
    state: object = None


@dataclass
class PickledArray:
    """What a pickle says of a numpy array: the state it would be given, unchecked."""

    state: object = None


class _Name(Enum):
    RECONSTRUCT = b"numpy.core.multiarray _reconstruct"
    NDARRAY = b"numpy ndarray"
    DTYPE = b"numpy dtype"


class _RefusedError(Exception):
    """The pickle does something that a batch does not do."""


def unpickle(data: bytes, source: str) -> object:
    """Read a pickle made of dicts, lists, tuples, byte strings, small integers and numpy arrays.

    Args:
        data: the pickle, at most `MAX_PICKLE_BYTES`.
        source: what to call it in an error, usually a path.

    Returns:
        The pickled object; strings are bytes, an array is a `PickledArray`.

    Raises:
        DataError: whatever else the pickle does or is.
    """
    if len(data) > MAX_PICKLE_BYTES:
        raise DataError(
            f"{source}: expected a pickle of at most {MAX_PICKLE_BYTES:,} bytes beside the pixels, "
            f"got {len(data):,}"
        )
    machine = _Machine(data)
    try:
        return machine.run()
    except _RefusedError as refused:
        reason = str(refused)
    except IndexError:
        reason = "it ends too early or an instruction lacks its operands"
    raise DataError(f"{source}: not a pickle of CIFAR-10; at byte {machine.at}: {reason}")


class _Machine:
    """The stack machine; `at` is where the instruction under way begins."""

    def __init__(self, data: bytes) -> None:
        self.data = data
        self.at = 0
        self.position = 0
        self.stack: list[object] = []
        self.outer_stacks: list[list[object]] = []

    def run(self) -> object:
        while True:
            self.at = self.position
            opcode = self.data[self.position]
            self.position += 1
            if opcode == ord("."):
                return self.stop()
            instruction = _INSTRUCTIONS.get(opcode)
            if instruction is None:
                raise _RefusedError(f"refused the instruction {_opcode_name(opcode)}")
            instruction(self)

    def stop(self) -> object:
        if self.position != len(self.data) or self.outer_stacks or len(self.stack) != 1:
            raise _RefusedError("expected one object and nothing after it")
        return self.stack[0]

    def take(self, count: int) -> bytes:
        """The next ``count`` bytes of the input."""
        taken = self.data[self.position : self.position + count]
        if len(taken) != count:
            raise _RefusedError(f"expected {count:,} more bytes, got {len(taken):,}")
        self.position += count
        return taken

    def push_integer(self, width: int, *, signed: bool = False) -> None:
        self.stack.append(int.from_bytes(self.take(width), "little", signed=signed))

    def push_small_integers(self) -> None:
        """A run of ``BININT1``: the labels, ten thousand in a file."""
        run = _SMALL_INTS.match(self.data, self.at)
        if run is None:
            raise _RefusedError("expected 1 more byte, got 0")
        self.stack.extend(run[0][1::2])
        self.position = run.end()

    def push_short_strings(self) -> None:
        """A run of ``SHORT_BINSTRING``, each remembered: the file names, ten thousand in a file."""
        data, push, position = self.data, self.stack.append, self.at
        while data[position] == _SHORT_BINSTRING:
            start = position + 2
            position = start + data[position + 1]
            push(data[start:position])
            following = data[position]  # an IndexError if the string was cut short
            if following == _BINPUT:
                position += 2
            elif following == _LONG_BINPUT:
                position += 5
        self.position = position

    def push_long_string(self) -> None:
        length = int.from_bytes(self.take(4), "little")
        self.stack.append(self.take(length))

    def push_name(self) -> None:
        """``GLOBAL``: two lines, module and name."""
        lines = self.data[self.position : self.position + _MAX_NAME_BYTES].split(b"\n", 2)
        if len(lines) != 3:
            raise _RefusedError("refused to look up a name that no batch contains")
        name = lines[0] + b" " + lines[1]
        try:
            self.stack.append(_Name(name))
        except ValueError:
            shown = ".".join(line.decode("ascii", "backslashreplace") for line in lines[:2])
            raise _RefusedError(f"refused to look up {shown!r}") from None
        self.position += len(name) + 1

    def open_mark(self) -> None:
        self.outer_stacks.append(self.stack)
        self.stack = []

    def close_mark(self) -> list[object]:
        """What was pushed since the mark."""
        items = self.stack
        self.stack = self.outer_stacks.pop()
        return items

    def push_marked_tuple(self) -> None:
        items = tuple(self.close_mark())
        self.stack.append(items)

    def push_tuple(self, length: int) -> None:
        if len(self.stack) < length:
            raise IndexError
        items = tuple(self.stack[-length:])
        self.stack[-length:] = [items]

    def append_items(self) -> None:
        items = self.close_mark()
        target = self.stack[-1]
        if not isinstance(target, list):
            raise _RefusedError("expected a list to append to")
        target.extend(items)

    def set_items(self) -> None:
        items = self.close_mark()
        target = self.stack[-1]
        if not isinstance(target, dict) or len(items) % 2:
            raise _RefusedError("expected a dict and pairs to set in it")
        for key, value in zip(items[::2], items[1::2], strict=True):
            if not isinstance(key, bytes) or key in target:
                raise _RefusedError("expected keys that are different strings")
            target[key] = value

    def reduce(self) -> None:
        arguments = self.stack.pop()
        function = self.stack.pop()
        if function is _Name.RECONSTRUCT and arguments == (_Name.NDARRAY, (0,), b"b"):
            self.stack.append(PickledArray())
        elif function is _Name.DTYPE:
            self.stack.append(PickledDtype(arguments))
        else:
            raise _RefusedError("refused to call anything but numpy's array and dtype")

    def build(self) -> None:
        state = self.stack.pop()
        target = self.stack[-1]
        if not isinstance(target, PickledArray | PickledDtype) or target.state is not None:
            raise _RefusedError("refused to set the state of anything but a fresh array or dtype")
        target.state = state

    def check_protocol(self) -> None:
        protocol = self.take(1)[0]
        if protocol != _PROTOCOL:
            raise _RefusedError(f"expected pickle protocol {_PROTOCOL}, got {protocol}")


_INSTRUCTIONS: Final[dict[int, Callable[[_Machine], object]]] = {
    0x80: _Machine.check_protocol,
    _BINPUT: lambda machine: machine.take(1),
    _LONG_BINPUT: lambda machine: machine.take(4),
    _SHORT_BINSTRING: _Machine.push_short_strings,
    ord("T"): _Machine.push_long_string,
    ord("K"): _Machine.push_small_integers,
    ord("M"): lambda machine: machine.push_integer(2),
    ord("J"): lambda machine: machine.push_integer(4, signed=True),
    ord("N"): lambda machine: machine.stack.append(None),
    0x89: lambda machine: machine.stack.append(False),
    ord("}"): lambda machine: machine.stack.append({}),
    ord("]"): lambda machine: machine.stack.append([]),
    ord("("): _Machine.open_mark,
    ord("t"): _Machine.push_marked_tuple,
    0x85: lambda machine: machine.push_tuple(1),
    0x86: lambda machine: machine.push_tuple(2),
    0x87: lambda machine: machine.push_tuple(3),
    ord("e"): _Machine.append_items,
    ord("u"): _Machine.set_items,
    ord("c"): _Machine.push_name,
    ord("R"): _Machine.reduce,
    ord("b"): _Machine.build,
}


def _opcode_name(opcode: int) -> str:
    names = (known.name for known in pickletools.opcodes if known.code == chr(opcode))
    return next(names, f"0x{opcode:02x}, which no pickle has")
