import os
import pickle
import sys
import tracemalloc
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from softmax_cli.data.unpickling import PickledArray, PickledDtype, unpickle
from softmax_cli.errors import DataError

ARRAY = b"cnumpy.core.multiarray\n_reconstruct\ncnumpy\nndarray\nK\x00\x85U\x01b\x87R"
EXECUTE = b"cos\nsystem\n(U\x04truetR."


class RunsACommand:
    def __reduce__(self) -> tuple[object, ...]:
        return os.system, ("true",)


HOSTILE = {
    "empty": b"",
    "protocol alone": b"\x80\x02",
    "no stop": b"\x80\x02K\x01",
    "bytes after stop": b"}.}.",
    "GLOBAL os.system": EXECUTE,
    "reduce of protocol 2": pickle.dumps(RunsACommand(), protocol=2),
    "reduce of protocol 0": pickle.dumps(RunsACommand(), protocol=0),
    "STACK_GLOBAL": pickle.dumps(RunsACommand(), protocol=4),
    "frames and byte arrays": pickle.dumps(bytearray(b"x"), protocol=5),
    "getattr chain": b"c__builtin__\ngetattr\n(c__builtin__\nobject\nU\x0e__subclasses__tR.",
    "numpy, but another name": b"cnumpy\nload\n(U\x01xtR.",
    "numpy with a path": b"cnumpy.core.multiarray\n_reconstruct.__globals__\n.",
    "new spelling of numpy": b"cnumpy._core.multiarray\n_reconstruct\n.",
    "GLOBAL that is not text": b"c\xff\xfe\n\x00\n.",
    "GLOBAL without an end": b"c" + b"a" * 100_000,
    "GLOBAL called with other arguments": b"cnumpy.core.multiarray\n_reconstruct\nK\x01R.",
    "call of ndarray": b"cnumpy\nndarray\n(K\x01tR.",
    "call of a string": b"U\x06system(U\x04truetR.",
    "call of a list": b"]]R.",
    "INST": b"(U\x04trueios\nsystem\n.",
    "OBJ": b"(cos\nsystem\nU\x04trueo.",
    "NEWOBJ": b"cnumpy\nndarray\n)\x81.",
    "NEWOBJ_EX": b"cnumpy\nndarray\n)}\x92.",
    "BUILD on a dict": b"}}b.",
    "BUILD on a name": b"cnumpy\nndarray\n}b.",
    "BUILD twice": ARRAY + b"K\x01bK\x02b.",
    "BUILD with nothing": b"b.",
    "persistent id": b"Pfile\n.",
    "persistent id from the stack": b"U\x04fileQ.",
    "extension registry": b"\x82\x01.",
    "memo lookup": b"]q\x01h\x01.",
    "huge memo lookup": b"]r\xff\xff\xff\xffj\xff\xff\xff\xff.",
    "PUT as text": b"]p99999999999\n.",
    "string longer than the input": b"T\xff\xff\xff\x7fabc",
    "string of negative length": b"T\xff\xff\xff\xffabc.",
    "short string cut": b"U\xffabc.",
    "8-byte length": b"\x8e" + b"\xff" * 8 + b".",
    "doubling": b"]" + b"2\x86" * 1000 + b".",
    "huge integer as text": b"L" + b"9" * 100_000 + b"L\n.",
    "LONG4": b"\x8b\xff\xff\xff\x7f1.",
    "float": b"G" + b"\x00" * 8 + b".",
    "unicode": b"X\x01\x00\x00\x00a.",
    "invalid unicode": b"X\x01\x00\x00\x00\xff.",
    "append to a dict": b"}(K\x01e.",
    "set items of a list": b"](U\x01aK\x01u.",
    "key without a value": b"}(U\x01au.",
    "key that is a list": b"}(]K\x01u.",
    "string longer than any of a batch": b"T\x03\x00\x00\x00abc.",
    "place in the memo beyond all": b"]r\x00\x00\x01\x00.",
    "more tuples than a batch has": b"N" + b"\x85" * 65 + b".",
    "nested deeper than the stack": b"N" + b"\x85" * 100_000 + b".",
    "key nested too deep to hash": b"}(N" + b"\x85" * 100_000 + b"K\x01u.",
    "marks without end": b"(" * 100_000,
    "append without a mark": b"]e.",
    "tuple of nothing": b"\x87.",
    "integer cut": b"J\x01\x02",
    "small integer cut": b"K",
    "another protocol": b"\x80\x04}.",
    "an opcode that does not exist": b"\xff.",
    "newline": b"\n",
}


WATCHED = {"exec", "compile", "import", "os", "subprocess", "open", "pickle"}


@pytest.fixture(scope="module")
def events() -> list[str]:
    """Everything this process executes, imports or opens; a hook can never be taken off again."""
    seen: list[str] = []

    def watch(event: str, _: object) -> None:
        if event.split(".", maxsplit=1)[0] in WATCHED:
            seen.append(event)

    sys.addaudithook(watch)
    return seen


@pytest.mark.parametrize("data", HOSTILE.values(), ids=HOSTILE.keys())
def test_hostile_pickle_is_refused(data: bytes, events: list[str]) -> None:
    def attempt() -> None:
        events.clear()
        try:
            unpickle(data, "file.bin", "CIFAR-10")
        finally:
            events.append("the end")

    with pytest.raises(DataError, match=r"^file\.bin: not a pickle of CIFAR-10: "):
        attempt()
    assert events[0] == "the end"


def test_what_it_tried_is_named() -> None:
    with pytest.raises(DataError, match=r"refused to look up 'os\.system'"):
        unpickle(EXECUTE, "x", "CIFAR-10")
    with pytest.raises(DataError, match="at byte 2: refused the instruction EXT1"):
        unpickle(b"\x80\x02\x82\x01.", "x", "CIFAR-10")
    with pytest.raises(DataError, match="at byte 1: refused the instruction 0xff"):
        unpickle(b"N\xff.", "x", "CIFAR-10")


@pytest.mark.parametrize("piece", [b"(", b"]", b"}", b"(]", b"]\x85", b"U\x00", b"K\x00", b"N"])
def test_memory_is_bounded(piece: bytes) -> None:
    data = piece * (64 * 1024 // len(piece))
    tracemalloc.start()
    try:
        with pytest.raises(DataError):
            unpickle(data, "x", "CIFAR-10")
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 100 * len(data)


SOUND = [
    b"\x80\x02}q\x01.",
    b"]q\x01(K\x01K\xffM\x00\x01J\xfb\xff\xff\xffNe.",
    b"}q\x01(U\x01aq\x02]q\x03U\x01bq\x04(U\x00q\x05U\x02xyr\x06\x00\x00\x00K\x07tu.",
    b"K\x01\x85K\x02K\x03\x86\x86N\x89K\x04\x87\x86.",
    b"](](]N\x85ee.",
    b"N" + b"\x85" * 64 + b".",
    b"K\x01}.",  # two objects: the upper one counts
    b"(K\x01.",  # a mark that stays open
    b"}(U\x01aK\x01U\x01aK\x02u.",  # a key twice
]


@pytest.mark.parametrize("data", SOUND)
def test_agrees_with_the_standard_library(data: bytes) -> None:
    assert unpickle(data, "x", "CIFAR-10") == pickle.loads(data, encoding="bytes")


@given(st.binary(max_size=200))
def test_noise_is_refused_or_read(data: bytes) -> None:
    with suppress(DataError):
        unpickle(data, "x", "CIFAR-10")


@given(st.sampled_from([*SOUND, *HOSTILE.values()]), st.data())
def test_changed_pickle_is_refused_or_read(pickled: bytes, data: st.DataObject) -> None:
    pickled = pickled[:2000]
    at = data.draw(st.integers(0, len(pickled)))
    piece = data.draw(st.one_of(st.binary(max_size=3), st.sampled_from([*SOUND])))
    skipped = data.draw(st.integers(0, 3))
    with suppress(DataError):
        unpickle(pickled[:at] + piece + pickled[at + skipped :], "x", "CIFAR-10")


def test_array_is_a_record() -> None:
    dtype = b"cnumpy\ndtype\nU\x02u1K\x00K\x01\x87R(K\x03U\x01|tb"
    read = unpickle(b"\x80\x02" + ARRAY + b"(K\x01" + dtype + b"\x89U\x02abtb.", "x", "CIFAR-10")
    assert read == PickledArray((1, PickledDtype((b"u1", 0, 1), (3, b"|")), False, b"ab"))
