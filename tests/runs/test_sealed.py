"""Sealed files: no damage, no forgery and no strange file gets past the seal and the checks."""

import copy
import hashlib
import json
import os
import tracemalloc
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from safetensors.numpy import save_file

from softmax_cli import __version__
from softmax_cli.errors import CheckpointError, ModelError
from softmax_cli.runs.model_file import MODEL_FORMAT, SavedModel, load_model, save_model
from softmax_cli.runs.sealed import SealedFormat, read_sealed, unseal, write_sealed

FORMAT = SealedFormat(
    "model", 1, ModelError, header_limit=2**20, allows_non_finite=False, noted_in="results"
)
OTHER = SealedFormat(
    "checkpoint", 1, CheckpointError, header_limit=2**20, allows_non_finite=True, noted_in="state"
)
BLANK = b"0" * 64


@pytest.fixture(scope="module")
def model_bytes(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """A small model file: 1.1 KB, two classes of twelve inputs."""
    path = tmp_path_factory.mktemp("model") / "model.safetensors"
    generator = np.random.default_rng(5)
    model = SavedModel(
        weights=generator.normal(size=(12, 2)).astype(np.float32),
        bias=np.zeros(2, np.float32),
        mean=np.zeros(12, np.float32),
        scale=np.ones(12, np.float32),
        class_names=("cat", "dog"),
        temperature=1.0,
        settings={"optimizer": {"learning_rate": 1.5e-7, "momentum": 0.0}, "seed": 0},
        results={"iterations": 3000, "validation_accuracy": 0.375, "best": None},
        data_digest="ab" * 32,
    )
    save_model(path, model)
    return path.read_bytes()


def as_array(data: bytes) -> NDArray[np.uint8]:
    return np.frombuffer(bytearray(data), np.uint8)


def reseal(data: bytes) -> bytes:
    """Give altered bytes the checksum that fits them, at the place where the seal stands."""
    start = data.index(b"sha256") + len(b'sha256\\":\\"')
    blank = data[:start] + BLANK + data[start + 64 :]
    return blank[:start] + hashlib.sha256(blank).hexdigest().encode() + blank[start + 64 :]


def with_header(header: object, tensors: bytes = b"") -> bytes:
    """A file of ``header`` and ``tensors`` with the checksum that fits."""
    text = header if isinstance(header, bytes) else compact(header).encode("utf-8", "surrogatepass")
    return reseal(len(text).to_bytes(8, "little") + text + tensors)


def compact(value: object) -> str:
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False)


def envelope(document: object = None, **changes: object) -> str:
    content = {"sha256": BLANK.decode(), "kind": "model", "format_version": 1, "document": document}
    return compact({**content, **changes})


def sealed_header(text: str = "", /, entries: dict[str, object] | None = None) -> dict[str, object]:
    return {"__metadata__": {"softmax": text or envelope({})}, **(entries or {})}


def parts(data: bytes) -> tuple[dict[str, Any], bytes]:
    end = 8 + int.from_bytes(data[:8], "little")
    return json.loads(data[8:end]), data[end:]


def refusal(data: bytes) -> str:
    with pytest.raises(ModelError) as caught:
        unseal(as_array(data), FORMAT)
    assert "\x1b" not in caught.value.message
    return caught.value.message


def test_a_file_comes_back_and_is_deterministic(tmp_path: Path) -> None:
    tensors = {"b": np.arange(3.0), "a": np.arange(4, dtype=np.uint8).reshape(2, 2)}
    document = {"z": 1, "results": {"b": 2, "a": 1}, "a": ["é", None, 0.1]}
    written = []
    for name in ("first", "second"):
        write_sealed(tmp_path / name, FORMAT, tensors=tensors, document=document)
        written.append((tmp_path / name).read_bytes())
    assert written[0] == written[1]
    found, read = read_sealed(tmp_path / "first", FORMAT)
    assert json.dumps(read) == json.dumps(document)
    assert {name: array.tolist() for name, array in found.items()} == {
        name: array.tolist() for name, array in tensors.items()
    }


def test_a_file_says_which_version_wrote_it(model_bytes: bytes) -> None:
    metadata = parts(model_bytes)[0]["__metadata__"]
    assert json.loads(metadata["softmax"])["document"]["results"]["softmax_version"] == __version__


def test_a_file_that_does_not_say_who_wrote_it_is_read(model_bytes: bytes) -> None:
    header, tensors = parts(model_bytes)
    text = header["__metadata__"]["softmax"]
    header["__metadata__"]["softmax"] = text.replace(f',"softmax_version":"{__version__}"', "")
    older = with_header(header, tensors)
    assert len(older) < len(model_bytes)
    _, document = unseal(as_array(older), MODEL_FORMAT)
    assert document == unseal(as_array(model_bytes), MODEL_FORMAT)[1]


@pytest.mark.parametrize(
    ("changes", "message", "hint"),
    [
        (
            {"format_version": 4, "softmax_version": "9.3.1"},
            f"by softmax 9.3.1 (format 4); this is softmax {__version__}, which reads format 1",
            "Install softmax 9.3.1 or newer.",
        ),
        (
            {"format_version": 4, "document": {"results": {"softmax_version": "9.3.1"}}},
            "by softmax 9.3.1 (format 4)",
            "Install softmax 9.3.1 or newer.",
        ),
        (
            {"format_version": 0, "softmax_version": "0.0.1"},
            "by softmax 0.0.1 (format 0)",
            "Use softmax 0.0.1, which wrote it.",
        ),
        ({"format_version": 4}, "in format 4", "A newer version of softmax wrote it"),
        ({"format_version": 0}, "in format 0", "Use the version of softmax that wrote it."),
        ({"format_version": "4"}, "in format '4'", "Use the version of softmax that wrote it."),
        ({"format_version": 4, "softmax_version": "\x1b[31m"}, "in format 4", "A newer version"),
        ({"format_version": 4, "softmax_version": [1]}, "in format 4", "A newer version"),
        ({"format_version": 4, "document": [1]}, "in format 4", "A newer version"),
    ],
)
def test_a_file_of_another_format_names_the_version_that_reads_it(
    changes: dict[str, Any], message: str, hint: str
) -> None:
    data = with_header(sealed_header(envelope(**{"document": {}, **changes})))
    with pytest.raises(ModelError) as caught:
        unseal(as_array(data), FORMAT)
    assert f"written {message}" in caught.value.message
    assert str(caught.value.hint).startswith(hint)


def test_every_single_bit_flip_is_refused(model_bytes: bytes) -> None:
    data = as_array(model_bytes)
    for position in range(len(data)):
        for bit in range(8):
            data[position] ^= 1 << bit
            with pytest.raises(ModelError):
                unseal(data, MODEL_FORMAT)
            data[position] ^= 1 << bit
    unseal(data, MODEL_FORMAT)


def test_every_truncation_and_extension_is_refused(tmp_path: Path, model_bytes: bytes) -> None:
    path = tmp_path / "model.safetensors"
    for length in range(len(model_bytes)):
        path.write_bytes(model_bytes[:length])
        with pytest.raises(ModelError, match=str(path)):
            load_model(path, features=12)
    for tail in (b"\0", b" ", b"\0" * 4096):
        path.write_bytes(model_bytes + tail)
        with pytest.raises(ModelError, match="damaged or altered"):
            load_model(path, features=12)
    path.write_bytes(model_bytes)
    load_model(path, features=12)


def test_a_tensor_named_by_half_a_surrogate_pair_is_refused() -> None:
    place = {"dtype": "F32", "shape": [2], "data_offsets": [0, 8]}
    header = compact(sealed_header(entries={"NAME": place}))
    tensors = b"\0" * 8
    unseal(as_array(with_header(header.encode(), tensors)), FORMAT)
    halved = header.replace("NAME", "\\ud800")
    assert "malformed" in refusal(with_header(halved.encode(), tensors))


def test_uppercase_digits_are_not_the_same_checksum(model_bytes: bytes) -> None:
    start = model_bytes.index(b"sha256") + len(b'sha256\\":\\"')
    digits = model_bytes[start : start + 64].upper()
    assert "damaged" in refusal(model_bytes[:start] + digits + model_bytes[start + 64 :])


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "empty file"),
        (b"\0" * 4096, "not a model that softmax wrote"),
        (b"\x80\x04\x95 a pickle" * 20, "not a model that softmax wrote"),
        (b"\xff" * 8 + with_header(sealed_header())[8:], "cut short"),
        (b"\0" * 8 + with_header(sealed_header())[8:], "header"),
        (with_header(sealed_header(envelope({}, kind="checkpoint"))), "got a 'checkpoint'"),
        (with_header(sealed_header(envelope({}, kind="\x1b[2J" * 99))), "expected a model"),
        (with_header(sealed_header(envelope({}, format_version=2))), "written in format 2"),
        (with_header(sealed_header(envelope({}, format_version=True))), "malformed"),
        (with_header(sealed_header(envelope({}, extra=1))), "malformed"),
        (with_header(sealed_header(envelope([]))), "malformed"),
        (with_header(sealed_header(envelope({"a": "\ud800"}))), "malformed"),
        (with_header(sealed_header(envelope({"a": 1}).replace("1}}", '"\\ud800"}}'))), "malformed"),
        (with_header(sealed_header(envelope({})[:-1])), "malformed"),
        (with_header(sealed_header(envelope({"a": 1}).replace("1}}", "1e999}}"))), "malformed"),
        (with_header(sealed_header(envelope({"a": 1}).replace("1}}", "NaN}}"))), "malformed"),
        (with_header(sealed_header(envelope({"a": 1}).replace("1}}", "1.50}}"))), "malformed"),
        (with_header(sealed_header(envelope({"a": 1}).replace("1}}", '1,"a":1}}'))), "malformed"),
        (with_header(sealed_header(envelope({"a": 1}).replace("1}}", "[" * 9999))), "malformed"),
        (with_header(sealed_header(envelope({"a": 1}).replace("1}}", "9" * 9999))), "malformed"),
        (with_header(sealed_header(envelope({}, sha256=BLANK.decode() + "{}"))), "malformed"),
        (with_header({**sealed_header(), "__metadata__x": 1}), "malformed"),
        (with_header({"__metadata__": {"softmax": envelope({}), "more": "x"}}), "malformed"),
        (
            with_header(compact(sealed_header()).encode() + b"{"),
            "malformed",
        ),
        (
            with_header(compact(sealed_header()).encode() + b"\xff"),
            "malformed",
        ),
    ],
)
def test_what_is_no_model_is_refused_by_name(data: bytes, message: str) -> None:
    assert message in refusal(data)


def entry(
    dtype: object = "F32", shape: object = (2,), offsets: object = (0, 8)
) -> dict[str, object]:
    return {"dtype": dtype, "shape": shape, "data_offsets": offsets}


@pytest.mark.parametrize(
    "entries",
    [
        {},
        {"w": entry("BF16")},
        {"w": entry(["F32"])},
        {"w": entry(shape=[3])},
        {"w": entry(shape=[-2])},
        {"w": entry(shape=[-2, -1])},
        {"w": entry(shape=[2.0])},
        {"w": entry(shape=[True, 2])},
        {"w": entry(shape=["2"])},
        {"w": entry(shape=2)},
        {"w": entry(shape=[1] * 99 + [2])},
        {"w": entry(shape=[0, 2**63], offsets=[0, 0]), "v": entry()},
        {"w": entry(shape=[0, 2**40, 2**40], offsets=[0, 0]), "v": entry()},
        {"w": entry(shape=[2**62], offsets=[0, 2**64])},
        {"w": entry(offsets=[0, 4])},
        {"w": entry(offsets=[-8, 0])},
        {"w": entry(offsets=[8, 0])},
        {"w": entry(offsets=[0])},
        {"w": entry(offsets=["0", "8"])},
        {"w": entry(offsets=None)},
        {"w": entry(), "v": entry()},
        {"w": entry(shape=[1], offsets=[0, 4]), "v": entry(shape=[0], offsets=[8, 8])},
        {"w": entry(shape=[1], offsets=[0, 4]), "v": entry(shape=[1], offsets=[3, 7])},
        {"w": 3},
        {"w": "F32"},
        {"w": []},
        {"w": {"dtype": "F32", "shape": [2]}},
        {"w": {**entry(), "more": 1}},
        {"w": entry("BOOL", [8])},
    ],
)
def test_tensors_must_cover_the_data_exactly(entries: dict[str, object]) -> None:
    assert "malformed" in refusal(with_header(sealed_header(entries=entries), b"\x02" * 8))


def test_dimensions_are_bounded_before_they_are_multiplied() -> None:
    header = sealed_header(entries={"w": entry(shape=[9] * 400_000)})
    assert "has 400000 dimensions" in refusal(with_header(header, b"\0" * 8))


def test_content_that_does_not_fit_is_refused_before_writing(tmp_path: Path) -> None:
    path = tmp_path / "model.safetensors"
    unfit: list[tuple[dict[str, NDArray[Any]], dict[str, Any]]] = [
        ({}, {"a": float("nan")}),
        ({}, {"a": "\ud800"}),
        ({}, {"a": "x" * 2**20}),
        ({"w": np.array([object()])}, {}),
        ({"w": np.zeros(2, np.complex128)}, {}),
        ({"w": np.zeros(2, "datetime64[s]")}, {}),
    ]
    for tensors, document in unfit:
        with pytest.raises(ModelError, match="model"):
            write_sealed(path, FORMAT, tensors=tensors, document=document)
    assert list(tmp_path.iterdir()) == []


def test_a_file_of_the_other_kind_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "model.safetensors"
    write_sealed(path, OTHER, tensors={}, document={"loss": float("nan")})
    with pytest.raises(ModelError, match="expected a model, got a 'checkpoint'"):
        read_sealed(path, FORMAT)


def test_a_safetensors_file_of_another_program_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "model.safetensors"
    save_file({"weights": np.zeros((3, 2), np.float32)}, path, metadata={"format": "np"})
    with pytest.raises(ModelError, match="not a model that softmax wrote"):
        read_sealed(path, FORMAT)


@pytest.mark.posix("named pipes")
def test_what_is_no_regular_file_is_refused(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "dangling").symlink_to(tmp_path / "missing")
    (tmp_path / "loop").symlink_to(tmp_path / "loop")
    with pytest.raises(ModelError, match="Is a directory"):
        read_sealed(tmp_path, FORMAT)
    for path in (tmp_path / "pipe", Path("/dev/zero")):
        with pytest.raises(ModelError, match="expected a regular file"):
            read_sealed(path, FORMAT)
    for path in (tmp_path / "missing", tmp_path / "dangling"):
        with pytest.raises(ModelError, match="no model at"):
            read_sealed(path, FORMAT)
    with pytest.raises(ModelError, match="cannot read"):
        read_sealed(tmp_path / "loop", FORMAT)


@pytest.mark.posix("symbolic links")
def test_a_link_to_a_model_is_followed(tmp_path: Path) -> None:
    write_sealed(tmp_path / "model", FORMAT, tensors={}, document={"a": 1})
    (tmp_path / "link").symlink_to("model")
    assert read_sealed(tmp_path / "link", FORMAT) == ({}, {"a": 1})


def test_memory_is_bounded_by_the_files_size(tmp_path: Path) -> None:
    path = tmp_path / "model.safetensors"
    fillings = [
        "[" * 1_000_000,
        "[" + "{}," * 340_000 + "0]",
        "[" + "[0]," * 250_000 + "0]",
        '"' + "é\U0001f438" * 170_000 + '"',
    ]
    texts = [envelope({"a": 1}).replace("1}}", filling + "}}") for filling in fillings]
    hostile = [with_header(sealed_header(text)) for text in texts]
    assert all(len(data) < FORMAT.header_limit for data in hostile)
    hostile.append((2**40).to_bytes(8, "little") + hostile[0][8:])
    hostile.append(
        with_header(sealed_header(entries={"w": entry(shape=[2**34], offsets=[0, 2**36])}))
    )
    for data in hostile:
        path.write_bytes(data)
        tracemalloc.start()
        try:
            with pytest.raises(ModelError):
                load_model(path)
            peak = tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()
        assert peak < len(data) + 64 * 2**20


def test_a_huge_sparse_file_is_refused_unread(tmp_path: Path) -> None:
    path = tmp_path / "model.safetensors"
    with path.open("wb") as stream:
        stream.truncate(2**40)
    with pytest.raises(ModelError, match="not a model"):
        read_sealed(path, FORMAT)


json_leaves = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.integers(-4, 4),
    st.floats(),
    st.text(max_size=4),
    st.sampled_from(["F32", "F64", "weights", "bias", "model", [], {}, [12, 2], [0, 96]]),
)


def places(value: object, prefix: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """The paths to every value nested in ``value``."""
    match value:
        case dict():
            items = list(value.items())
        case list():
            items = list(enumerate(value))
        case _:
            items = []
    inner = [place for key, item in items for place in places(item, (*prefix, key))]
    return [(*prefix, key) for key, _ in items] + inner


def mutate(value: Any, draw: st.DataObject) -> None:
    """Replace, remove, rename or repeat one random part of nested JSON values, in place."""
    place = draw.draw(st.sampled_from(places(value)))
    for key in place[:-1]:
        value = value[key]
    key, change = place[-1], draw.draw(st.sampled_from(["replace", "remove", "add"]))
    if change == "replace":
        value[key] = copy.deepcopy(draw.draw(json_leaves))
    elif change == "remove":
        del value[key]
    elif isinstance(value, dict):
        value[draw.draw(st.text(max_size=4))] = copy.deepcopy(value[key])
    else:
        value.append(copy.deepcopy(value[key]))


@settings(
    max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(draw=st.data())
def test_resealed_mutations_end_in_a_clean_error_or_a_sound_model(
    tmp_path: Path, model_bytes: bytes, draw: st.DataObject
) -> None:
    header, tensors = parts(model_bytes)
    inner = json.loads(header["__metadata__"]["softmax"])
    targets: list[dict[str, Any]] = [header, inner, inner["document"]]
    for _ in range(draw.draw(st.integers(1, 3))):
        mutate(draw.draw(st.sampled_from([target for target in targets if target])), draw)
    inner.pop("sha256", None)
    text = compact({"sha256": BLANK.decode(), **inner})
    header.pop("__metadata__", None)
    assert_clean(tmp_path, with_header({**sealed_header(text), **header}, tensors))


@settings(
    max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(draw=st.data())
def test_resealed_bytes_end_in_a_clean_error_or_a_sound_model(
    tmp_path: Path, model_bytes: bytes, draw: st.DataObject
) -> None:
    start = model_bytes.index(b"sha256") + 80
    begin = draw.draw(st.integers(start, len(model_bytes)))
    end = draw.draw(st.integers(begin, min(begin + 12, len(model_bytes))))
    middle = draw.draw(
        st.binary(max_size=12) | st.sampled_from([b'"', b"{", b"[", b"0", b",", b"}"])
    )
    data = model_bytes[:begin] + middle + model_bytes[end:]
    if draw.draw(st.booleans()):
        length = int.from_bytes(data[:8], "little") + len(middle) - (end - begin)
        data = length.to_bytes(8, "little") + data[8:]
    assert_clean(tmp_path, reseal(data))


def assert_clean(tmp_path: Path, data: bytes) -> None:
    """Loading gives a ModelError with a message, or a model every part of which is sound."""
    path = tmp_path / "model.safetensors"
    path.write_bytes(data)
    try:
        model = load_model(path, features=12)
    except ModelError as error:
        message = error.message
    else:
        message = ""
    if message:
        assert message.startswith(str(path))
        assert message.encode("utf-8")
    else:
        assert model.weights.shape == (12, len(model.class_names))
        assert np.isfinite(model.weights).all()
        assert (model.scale > 0).all()
        save_model(path, model)
        assert load_model(path, features=12).class_names == model.class_names
