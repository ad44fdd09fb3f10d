"""Sealed files that were altered on purpose, with a checksum that fits."""

import copy
import hashlib
import json
import random
import struct
from typing import Any

_DIGITS = 64
_BLANK = "0" * _DIGITS
_SEAL = b'{\\"sha256\\":\\"'
_JUNK: tuple[Any, ...] = (
    *(None, True, False, 0, 1, -1, 2, 12, 96, 1.0, 0.5, -0.0, 1e308, 2**31, 2**63, 2**64, -(2**63)),
    *(10**30, 10**400, float("nan"), float("inf"), "", "F32", "F64", "I64", "BOOL", "BF16", "U8"),
    *("weights", "bias", "cat", "model", "checkpoint", "softmax", "hinge", "\ud800", "\x1b[2J"),
    *("\0", "é", "x" * 300, "../../etc/passwd", [], {}, [[]], [0], [0, 0], [12, 2], [2, 12]),
    *([0, 96], [96, 0], [0, 2**64], [-4, 4], [2**62, 4], [0, 2**40, 2**40], [1] * 70, {"a": {}}),
)
_TEXTS = (
    b"[" * 2000,
    b'{"a":' * 2000,
    b"9" * 5000,
    b"1e999",
    b"NaN",
    b"-Infinity",
    b"1.50",
    b"\xff\xfe",
    b"\xed\xa0\x80",
    b"\\ud800",
    b"\xef\xbb\xbf",
    b"\0",
    b" ",
    b"\n",
    b",",
    b'"',
    b'\\"',
    b"{}",
    b'"a":1,',
    b"//",
    b"true",
)
_FILLINGS = ("[" * 900, "[0]," * 200, "{}," * 300, '{"a":[' * 100, "\U0001f438" * 200, "1," * 400)
_MAX_HEADER = 1 << 20
_SETTINGS = b'\\"settings\\":'


def resealed(data: bytes) -> bytes:
    """The bytes with the checksum that fits them, where the seal stands in a sound file."""
    start = data.find(_SEAL)
    if start < 0:
        return data
    start += len(_SEAL)
    blank = data[:start] + _BLANK.encode() + data[start + _DIGITS :]
    digest = hashlib.sha256(blank).hexdigest().encode()
    return blank[:start] + digest + blank[start + _DIGITS :]


def assembled(header: dict[str, Any], envelope: dict[str, Any], tensors: bytes) -> bytes:
    """A file of these parts, sealed."""
    text = _compact({"sha256": _BLANK, **{k: v for k, v in envelope.items() if k != "sha256"}})
    rest = {key: value for key, value in header.items() if key != "__metadata__"}
    metadata = header.get("__metadata__", {})
    more = {key: value for key, value in metadata.items() if key != "softmax"}
    whole = {"__metadata__": {"softmax": text, **more}, **rest}
    return with_header(_compact(whole).encode("utf-8", "surrogatepass"), tensors)


def with_header(header: bytes, tensors: bytes) -> bytes:
    return resealed(len(header).to_bytes(8, "little") + header + tensors)


def _compact(value: object) -> str:
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False)


def mutated(rng: random.Random, sound: bytes) -> bytes:
    """A sound file after one to three alterations of one kind."""
    weights = _WEIGHTED_CHANGES.values()
    change = rng.choices(list(_WEIGHTED_CHANGES), weights=list(weights))[0]
    end = 8 + int.from_bytes(sound[:8], "little")
    return change(rng, sound[8:end], sound[end:])


def _values(rng: random.Random, text: bytes, tensors: bytes) -> bytes:
    """Values of the header, the envelope, or what it holds: replaced, removed, repeated, named."""
    header = json.loads(text)
    envelope = json.loads(header["__metadata__"]["softmax"])
    for _ in range(rng.randint(1, 3)):
        _alter(rng, rng.choice((header, envelope, envelope)))
    if not isinstance(header.get("__metadata__"), dict):
        header.pop("__metadata__", None)
    return assembled(header, envelope, tensors)


def _alter(rng: random.Random, root: dict[str, Any]) -> None:
    places = [place for place in _places(root) if place[1] != "softmax"]
    if not places:
        return
    owner, key = rng.choice(places)
    change = rng.randrange(5)
    if change <= 1:
        owner[key] = copy.deepcopy(rng.choice(_JUNK))
    elif change == 2:
        del owner[key]
    elif change == 3 and isinstance(owner, dict):
        owner[rng.choice(("more", "weights", "scale", "document", ""))] = copy.deepcopy(owner[key])
    elif isinstance(owner[key], int | float):
        owner[key] += rng.choice((-1, 1, 4, -4, 1 << 20))
    else:
        owner[key] = [owner[key], copy.deepcopy(owner[key])]


def _places(value: Any) -> list[tuple[Any, Any]]:
    """Every value nested in another: what holds it, and under which key."""
    if not isinstance(value, dict | list):
        return []
    keys: list[Any] = list(value) if isinstance(value, dict) else list(range(len(value)))
    return [(value, key) for key in keys] + [at for key in keys for at in _places(value[key])]


def _places_of_tensors(rng: random.Random, text: bytes, tensors: bytes) -> bytes:
    """Where tensors lie: swapped, overlapping, apart, empty, in another order or number."""
    header = json.loads(text)
    envelope = json.loads(header["__metadata__"]["softmax"])
    first, second = rng.sample([name for name in header if name != "__metadata__"], 2)
    change = rng.randrange(6)
    if change == 0:
        for key in rng.sample(("dtype", "shape", "data_offsets"), rng.randint(1, 3)):
            header[first][key], header[second][key] = header[second][key], header[first][key]
    elif change == 1:
        header[first]["data_offsets"] = list(header[second]["data_offsets"])
    elif change == 2:
        at = rng.randrange(2)
        header[first]["data_offsets"][at] += rng.choice((-8, -4, -1, 1, 4, 8, 1 << 30))
    elif change == 3:
        shape = [0, rng.choice((2**40, 2**63, 2**64))]
        header["empty"] = {"dtype": "F32", "shape": shape, "data_offsets": [0, 0]}
    elif change == 4:
        size = rng.choice((1, 4, 64))
        tensors = tensors[:-size] if rng.random() < 0.5 else tensors + bytes(size)
    else:
        header = {name: header[name] for name in rng.sample(list(header), len(header))}
    return assembled(header, envelope, tensors)


def _kinds_of_tensors(rng: random.Random, text: bytes, tensors: bytes) -> bytes:
    """What tensors are: other shapes and types, odd numbers, and more said than there is to say."""
    header = json.loads(text)
    envelope = json.loads(header["__metadata__"]["softmax"])
    entry = header[rng.choice([name for name in header if name != "__metadata__"])]
    change = rng.randrange(4)
    if change == 0:
        entry["shape"] = rng.choice(([24], [2, 12], [12, 2, 1], [4, 6], [-12, -2], [2**64]))
    elif change == 1:
        entry["dtype"] = rng.choice(("I32", "U32", "F64", "F16", "BF16", "BOOL"))
    elif change == 2:
        numbers = entry[rng.choice(("shape", "data_offsets"))]
        at = rng.randrange(len(numbers))
        numbers[at] = rng.choice((bool, float, str))(numbers[at])
    else:
        owner = rng.choice((header["__metadata__"], entry))
        owner[rng.choice(("more", "format", "sha256"))] = "x"
    return assembled(header, envelope, tensors)


def _numbers(rng: random.Random, text: bytes, tensors: bytes) -> bytes:
    """Other weights, among them numbers that no model may have."""
    data = bytearray(tensors)
    for _ in range(rng.randint(1, 3)):
        at = rng.randrange(len(data) - 3)
        number = rng.choice((float("nan"), float("inf"), -1.0, 0.0, rng.gauss(0, 1), 3e38, 1e-40))
        data[at : at + 4] = struct.pack("<f", number)
    return with_header(text, bytes(data))


def _spelling(rng: random.Random, text: bytes, tensors: bytes) -> bytes:
    """The text of the header: cut, put in, or repeated anywhere behind the seal."""
    start = text.index(_SEAL) + len(_SEAL) + _DIGITS
    for _ in range(rng.randint(1, 2)):
        at = rng.randrange(start, len(text))
        piece = rng.choice((rng.choice(_TEXTS), rng.randbytes(2), text[at : at + 40]))
        text = text[:at] + piece + text[at + rng.choice((0, 0, 1, 2, 20)) :]
    return with_header(text, tensors)


def _twice(rng: random.Random, text: bytes, tensors: bytes) -> bytes:
    """A key that occurs twice, with two values."""
    quote = rng.choice((b'\\"', b'"'))
    pieces = text.split(b"," + quote)
    at = rng.randrange(1, len(pieces))
    other = pieces[rng.randrange(1, len(pieces))]
    text = (b"," + quote).join([*pieces[:at], other, *pieces[at:]])
    return with_header(text, tensors)


def _announced_length(rng: random.Random, text: bytes, tensors: bytes) -> bytes:
    """A length of the header that is not its length."""
    length = rng.choice(
        (0, 1, len(text) - 1, len(text) + 1, len(text) + len(tensors), 2**31, 2**63, 2**64 - 1)
    )
    return resealed(length.to_bytes(8, "little") + text + tensors)


def _bulk(rng: random.Random, text: bytes, tensors: bytes) -> bytes:
    """A header of up to two megabytes, of what takes most memory and time to parse."""
    size = rng.choice((10_000, 100_000, _MAX_HEADER - 8_000, 2 * _MAX_HEADER))
    header = json.loads(text)
    envelope = json.loads(header["__metadata__"]["softmax"])
    change = rng.randrange(4)
    if change == 0:
        _settings_of(envelope)["bulk"] = rng.choice(([[0]], [{}], ["é\U0001f438"], "é")) * (
            size // 8
        )
    elif change == 1:
        name = next(name for name in header if name != "__metadata__")
        header[name]["shape"] = [9] * (size // 3)
    else:
        filling = rng.choice(_FILLINGS)
        bulk = (filling * (size // len(filling) + 1))[:size].encode()
        if change == 2:
            return with_header(text[:-1] + b',"bulk":[' + bulk + b"0]}", tensors)
        at = text.index(_SETTINGS) + len(_SETTINGS)
        return with_header(
            text[:at] + b"[" + bulk.replace(b'"', b'\\"') + b"0]," + text[at:], tensors
        )
    return assembled(header, envelope, tensors)


def _settings(rng: random.Random, text: bytes, tensors: bytes) -> bytes:
    """Settings of other types, or nested deeper than any: the file itself is in order."""
    header = json.loads(text)
    envelope = json.loads(header["__metadata__"]["softmax"])
    owner = _settings_of(envelope)
    if rng.random() < 0.1:
        nested: Any = 0
        for _ in range(rng.choice((10, 100, 300))):
            nested = [nested] if rng.random() < 0.5 else {"a": nested}
        owner["seed"] = nested
    else:
        _alter(rng, owner)
    return assembled(header, envelope, tensors)


def _settings_of(envelope: dict[str, Any]) -> dict[str, Any]:
    """The settings of a model, or the state of a checkpoint."""
    document = envelope["document"]
    settings: dict[str, Any] = document["settings" if "settings" in document else "state"]
    return settings


_WEIGHTED_CHANGES = {
    _values: 30.0,
    _places_of_tensors: 12.0,
    _kinds_of_tensors: 10.0,
    _numbers: 12.0,
    _spelling: 20.0,
    _twice: 4.0,
    _announced_length: 2.0,
    _settings: 12.0,
    _bulk: 0.4,
}
