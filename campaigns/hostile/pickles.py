"""Pickles that want something: as whole batch files, and in place of one value of a sound batch."""

import pickle
import pickletools
import random
from typing import Any

from tests.data.conftest import IMAGES, SmallDataSet

MARKER = "ran"
"""The file that exists when a pickle had its way."""

_SHELL = f"touch {MARKER}"
_PYTHON = f"open({MARKER!r}, 'w')"
_ARRAY = b"cnumpy.core.multiarray\n_reconstruct\ncnumpy\nndarray\nK\x00\x85U\x01b\x87R"
_OPCODES = [opcode.code.encode("latin-1") for opcode in pickletools.opcodes]


class _Calls:
    """Pickled, it asks for a call."""

    def __init__(self, *reduced: Any) -> None:
        self.reduced = reduced

    def __reduce_ex__(self, protocol: Any) -> Any:
        return self.reduced


def text(value: str) -> bytes:
    return SmallDataSet.string(value.encode())


def name(module: str, attribute: str) -> bytes:
    return f"c{module}\n{attribute}\n".encode()


def call(module: str, attribute: str, *arguments: bytes) -> bytes:
    return name(module, attribute) + b"(" + b"".join(arguments) + b"tR"


def got(owner: bytes, attribute: str) -> bytes:
    return call("builtins", "getattr", owner, text(attribute))


def _system(protocol: int) -> bytes:
    import os

    return pickle.dumps(_Calls(os.system, (_SHELL,)), protocol)[:-1]


def _stacked(module: str, attribute: str) -> bytes:
    return (
        b"\x80\x04\x8c"
        + bytes([len(module)])
        + module.encode()
        + b"\x8c"
        + bytes([len(attribute)])
        + attribute.encode()
        + b"\x93"
    )


def _subclasses() -> bytes:
    """``object.__subclasses__()``, by way of a class that batches may name."""
    base = got(name("numpy", "ndarray"), "__base__")
    return got(base, "__subclasses__") + b")R"


FRAGMENTS: dict[str, bytes] = {
    "os.system": call("os", "system", text(_SHELL)),
    "posix.system": call("posix", "system", text(_SHELL)),
    "subprocess.Popen": call(
        "subprocess", "Popen", b"]" + b"(" + text("touch") + text(MARKER) + b"e"
    ),
    "eval of Python 2": call("__builtin__", "eval", text(_PYTHON)),
    "eval": call("builtins", "eval", text(_PYTHON)),
    "exec": call("builtins", "exec", text(_PYTHON)),
    "compile": call("builtins", "compile", text(_PYTHON), text("x"), text("eval")),
    "import": call("builtins", "__import__", text("antigravity")),
    "importlib": call("importlib", "import_module", text("this")),
    "import of a module that only a name mentions": name("antigravity", "fly"),
    "open": call("builtins", "open", text(MARKER), text("w")),
    "pathlib": call("pathlib", "Path.touch", call("pathlib", "Path", text(MARKER))),
    "ctypes": call("ctypes", "CDLL", b"N"),
    "os.remove": call("os", "remove", text("data/cifar-10-batches-py/test_batch")),
    "os.fork": call("os", "fork"),
    "os._exit": call("os", "_exit", b"K\x00"),
    "socket": call("socket", "create_connection", text("127.0.0.1"), b"K\x09"),
    "pickle in a pickle": call("pickle", "loads", SmallDataSet.string(_system(2) + b".")),
    "pickle.loads of numpy": call("numpy", "loads", SmallDataSet.string(_system(2) + b".")),
    "numpy.load": call("numpy", "load", text("data/cifar-10-batches-py/test_batch")),
    "numpy.fromfile": call("numpy", "fromfile", text("/etc/passwd")),
    "numpy's eval": call("numpy.testing._private.utils", "runstring", text(_PYTHON), b"}"),
    "numpy of a gigabyte": call("numpy", "ndarray", b"J\x00\x00\x00\x70\x85"),
    "code object": call("types", "CodeType", *[b"K\x00"] * 16),
    "partial, built": call("functools", "partial", name("os", "system"), text(_SHELL)) + b"}b",
    "map over calls": call(
        "builtins",
        "list",
        call("builtins", "map", name("os", "system"), b"](" + text(_SHELL) + b"e"),
    ),
    "getattr chain": got(got(got(name("numpy", "ndarray"), "__init__"), "__class__"), "__mro__"),
    "getattr to subclasses": _subclasses(),
    "dotted name": name("numpy", "core.os.system") + b"(" + text(_SHELL) + b"tR",
    "globals of a function": _stacked("numpy.core.multiarray", "_reconstruct.__globals__"),
    "reduce, protocol 0": _system(0),
    "reduce, protocol 2": _system(2),
    "STACK_GLOBAL, protocol 4": _system(4),
    "frames, protocol 5": _system(5),
    "STACK_GLOBAL": _stacked("os", "system") + b"(" + text(_SHELL) + b"tR",
    "INST": b"(" + text(_SHELL) + b"ios\nsystem\n",
    "OBJ": b"(" + name("os", "system") + text(_SHELL) + b"o",
    "NEWOBJ": name("subprocess", "Popen") + b"](" + text(_SHELL) + b"e\x85\x81",
    "NEWOBJ_EX": name("subprocess", "Popen") + b")}" + text("args") + text(_SHELL) + b"s\x92",
    "BUILD of attributes": _ARRAY + b"}" + text("__class__") + name("os", "system") + b"sb",
    "BUILD of a class": name("numpy", "ndarray") + b"}" + text("__reduce__") + b"Nsb",
    "BUILD on a dict": b"}}b",
    "BUILD on a list": b"]Nb",
    "BUILD of slots": _ARRAY + b"N}" + text("shape") + b"K\x01s\x86b",
    "EXT1": b"\x82\x01",
    "EXT2": b"\x83\x01\x00",
    "EXT4": b"\x84\x01\x00\x00\x00",
    "an extension registered": call(
        "copyreg", "add_extension", text("os"), text("system"), b"K\x01"
    )
    + b"0\x82\x01",
    "persistent id": b"Pos.system\n",
    "persistent id from the stack": text("os.system") + b"Q",
    "buffer of protocol 5": b"\x97",
    "read-only buffer": b"\x97\x98",
    "bytearray of a terabyte": b"\x96" + (1 << 40).to_bytes(8, "little"),
    "bytes of an exabyte": b"\x8e" + (1 << 60).to_bytes(8, "little"),
    "text of 4 GB": b"X\xff\xff\xff\xff",
    "string of 2 GB": b"T\xff\xff\xff\x7f",
    "string of negative length": b"T\xff\xff\xff\xff",
    "frame of an exabyte": b"\x95" + (1 << 60).to_bytes(8, "little"),
    "integer of 2 GB": b"\x8b\xff\xff\xff\x7f",
    "integer of many digits": b"L" + b"9" * 20_000 + b"L\n",
    "memo of four thousand million": b"]r\xff\xff\xff\xff",
    "memo index as text": b"]p999999999999\n",
    "memo looked up": b"]q\x01h\x01\x86",
    "memo never set": b"j\xff\xff\xff\x7f",
    "memoized": b"]\x94h\x00\x86",
    "doubling": b"]" + b"2\x86" * 3000,
    "a billion laughs": b"]q\x00"
    + b"".join(b"](" + bytes([ord("h"), n]) * 10 + b"eq" + bytes([n + 1]) for n in range(9)),
    "tuples 30,000 deep": b"N" + b"\x85" * 30_000,
    "lists 15,000 deep": b"](" * 15_000 + b"e" * 15_000,
    "dicts 8,000 deep": b"}(U\x01a" * 8_000 + b"N" + b"u" * 8_000,
    "deep calls": _ARRAY * 400 + b"\x86" * 399,
    "marks without end": b"(" * 40_000,
    "pops below the bottom": b"0" * 40,
    "list in itself": b"]q\x01h\x01a",
    "dict in itself": b"}q\x01U\x01ah\x01s",
    "tuple that hashes itself": b"]q\x010(h\x01tq\x02h\x01h\x02a0",
    "list as a key": b"}(]K\x01u",
    "dict as a key": b"}(}K\x01u",
    "deep tuple as a key": b"}(N" + b"\x85" * 20_000 + b"K\x01u",
    "frozen set of lists": b"(]\x91",
    "set": b"\x8f(K\x01\x90",
    "name that is a path": name("..", "os/system"),
    "name without an end": b"c" + b"o" * 30_000,
    "name that is not text": b"c\xff\xfe\n\x00\n",
    "name of a terminal's language": name("\x1b[2Jos", "system"),
    "an opcode that does not exist": b"\xff",
    "protocol 255": b"\x80\xff",
    "float": b"G\x7f\xf0" + b"\0" * 6,
    "float as text": b"Fnan\n",
    "boolean as text": b"I01\n",
}


def whole_files(small: SmallDataSet) -> dict[str, bytes]:
    """Batch files that are wrong as a whole, or whose arrays, labels or keys are wrong."""
    parts = small.batch_parts()
    pixels = small.pixels["test_batch"]
    sound = small.dict_of(parts)

    def batch(**changed: bytes) -> bytes:
        return small.dict_of({**parts, **{key.encode(): value for key, value in changed.items()}})

    string = small.string(pixels)
    labels = [small.integer(1)] * IMAGES
    objects = small.list_of([FRAGMENTS["os.system"]] * IMAGES)
    return {
        "empty": b"",
        "protocol alone": b"\x80\x02",
        "noise": random.Random(0).randbytes(5000),
        "zeros": bytes(50_000),
        "no pickle but a program": b"#!/bin/sh\n" + _SHELL.encode(),
        "a zip": b"PK\x03\x04" + bytes(100),
        "ends before STOP": sound[:-1],
        "ends within the pixels": sound[: len(sound) // 2],
        "ends after the pixels": sound[: sound.index(pixels) + len(pixels)],
        "a second pickle behind it": sound + _system(2) + b".",
        "a call dropped before it": _system(2) + b"0" + sound,
        "a call dropped behind it": sound[:-1] + _system(2)[2:] + b"0.",
        "an instruction more": sound[:-1] + b"\x94.",
        "an instruction that does not exist, in a sound batch": sound[:-1] + b"\xff.",
        "another protocol": b"\x80\x04" + sound[2:],
        "object array": batch(data=small.array(objects, dtype=b"O8")),
        "object array of bytes": batch(data=small.array(string, dtype=b"O8")),
        "structured dtype": batch(data=small.array(string, dtype=b"V8")),
        "text dtype": batch(data=small.array(string, dtype=b"U4")),
        "dates": batch(data=small.array(string, dtype=b"M8")),
        "floats": batch(data=small.array(string, dtype=b"f8")),
        "too many rows": batch(data=small.array(string, rows=60_000)),
        "no rows": batch(data=small.array(string, rows=0)),
        "columns first": batch(data=small.array(string, order=b"\x88")),
        "order that is a list": batch(data=small.array(string, order=b"]")),
        "pixels that are a list": batch(data=small.list_of(labels)),
        "pixels that are text": batch(data=string),
        "labels out of range": batch(labels=small.list_of([small.integer(200)] * IMAGES)),
        "negative labels": batch(labels=small.list_of([b"J\xff\xff\xff\xff"] * IMAGES)),
        "labels that are lists": batch(labels=small.list_of([b"]"] * IMAGES)),
        "labels that are truth values": batch(labels=small.list_of([b"\x89"] * IMAGES)),
        "too many labels": batch(labels=small.list_of(labels * 5000)),
        "labels that are an array": batch(labels=small.array(string)),
        "names that are numbers": batch(filenames=small.list_of(labels)),
        "names that are missing": batch(filenames=small.list_of([text("a.png")] * 3)),
        "a key more": batch(more=b"N"),
        "a key less": small.dict_of({key: parts[key] for key in list(parts)[:-1]}),
        "a key twice": sound[:-2] + b"U\x06labelsNu.",
        "a tail of a megabyte": sound[:-1] + b"K\x01" * 500_000 + b".",
        "no dict": b"\x80\x02]q\x01.",
    }  # fmt: skip


def corpus(small: SmallDataSet) -> dict[str, bytes]:
    """All batch files by what is wrong with them; a fragment is a file or a value of a batch."""
    files = whole_files(small)
    parts = small.batch_parts()
    places = [None, *parts]
    for number, (title, fragment) in enumerate(FRAGMENTS.items()):
        key = places[number % len(places)]
        if key is None:
            files[title] = b"\x80\x02" + fragment + b"."
        else:
            files[f"{title} as {key.decode()}"] = small.dict_of({**parts, key: fragment})
    return files


def mutated(rng: random.Random, files: list[bytes], pixels: bytes) -> bytes:
    """A random file with a few random edits, none within the pixels."""
    data = rng.choice(files)
    for _ in range(rng.randint(1, 4)):
        position = _outside(rng, data, pixels)
        skipped = rng.choice((0, 0, 1, 1, 2, 8))
        data = data[:position] + _piece(rng) + data[position + skipped :]
    return data


def _outside(rng: random.Random, data: bytes, pixels: bytes) -> int:
    start = data.find(pixels)
    if start < 0:
        return rng.randrange(len(data) + 1)
    position = rng.randrange(len(data) - len(pixels) + 1)
    return position if position <= start else position + len(pixels)


def _piece(rng: random.Random) -> bytes:
    kind = rng.randrange(4)
    if kind == 0:
        return rng.randbytes(rng.randint(0, 4))
    if kind == 1:
        return rng.choice(_OPCODES)
    if kind == 2:
        return rng.choice(list(FRAGMENTS.values()))
    return rng.choice(_OPCODES) + rng.choice((b"\0", b"\xff")) * rng.randint(1, 8)
