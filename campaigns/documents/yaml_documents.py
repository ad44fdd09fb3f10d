"""Configurations by the thousand: presets with something changed, and text that is hardly YAML."""

import copy
import json
from collections.abc import Iterator
from typing import Any

import hypothesis
import yaml
from hypothesis import strategies as st

from softmax_cli.config.presets import preset_names, preset_text
from softmax_cli.config.schema import TrainConfig
from softmax_cli.config.sweep_schema import SweepConfig
from softmax_cli.config.validation import known_keys
from softmax_cli.config.yaml_reader import read_yaml

_BLOCK = 500
_CHANGES = st.sampled_from([0, 1, 1, 2, 4])

_TEXTS = {name: preset_text(name) for name in preset_names()}
_PRESETS: dict[str, Any] = {n: read_yaml(text, n).value for n, text in _TEXTS.items()}
_TRAININGS = [value for value in _PRESETS.values() if "parameters" not in value]
_TRAIN_KEYS = [
    *known_keys(TrainConfig),
    *(f"optimizer.schedule.{key}" for key in ("kind", "warmup", "final", "every", "factor")),
    *(f"model.temperature.{key}" for key in ("start", "end", "decay")),
    *(f"training.early_stopping.{key}" for key in ("patience", "min_delta")),
]
_SWEEP_KEYS = [
    *(key for key in known_keys(SweepConfig) if not key.startswith("train.")),
    "base",
    *("search.random", "search.random.trials", "search.halving", "search.halving.factor"),
]

_PLAUSIBLE = st.sampled_from(
    [0, 1, 2, 3, 7, 100, 200, 0.0, 0.1, 0.5, 0.9, 1.0, 1e-7, 1e-3, 8e3, True, False, None,
     "cifar10", "synthetic", "softmax", "hinge", "none", "unit", "pixel", "exact", "constant",
     "cosine", "linear", "step", "exponential", "replacement", "epoch", "data", "demo", "grid",
     "validation_loss", {}, {"start": 4, "end": 1}, {"start": 4.0, "end": 0.5, "decay": "cosine"},
     {"kind": "cosine", "warmup": 10}, {"kind": "step", "every": 5, "factor": 0.5},
     {"patience": 3}, {"random": {"trials": 20}}, {"halving": {"factor": 2, "rungs": 2}}]
).map(copy.deepcopy)  # fmt: skip
_EXTREME = st.sampled_from(
    [-1, -0.0, 2**31, 2**63 - 1, 2**63, -(2**63), 10**30, 10**100, 10**5000 // 10**4700, 1e30, 1e31,
     1e308, -1e308, 5e-324, 1e-45, 1e-6, 1e6, float("inf"), float("-inf"), float("nan"), 50_000,
     50_001, 49_999, 100_000_000, 100_000_001, "", " ", "~", "null", "1", "1e3", "yes", "0x1F",
     "2001-01-01", "12:30", "<<", "=", "\u2028", "\ufeff", "a: b", "# a", "../../etc", "é" * 300]
)  # fmt: skip
_SCALARS = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20) | _EXTREME
_VALUES = _PLAUSIBLE | st.recursive(
    _SCALARS,
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.text(max_size=8) | st.sampled_from(_TRAIN_KEYS), inner, max_size=4)
    ),
    max_leaves=8,
)
_NUMBERS = st.sampled_from([0, 1, 2, 3, 5, 10, 1e-7, 1e-3, 0.1, 0.5, 1.0, 1e4]) | st.floats()
_RANGES = st.fixed_dictionaries(
    {"low": _NUMBERS, "high": _NUMBERS},
    optional={"num": st.integers(0, 12) | _EXTREME, "scale": st.sampled_from(["log", "linear"])},
)
_AXES = st.lists(_PLAUSIBLE, min_size=1, max_size=5) | _RANGES | _VALUES
_SOUND_AXES = st.fixed_dictionaries(
    {},
    optional={
        "optimizer.learning_rate": st.lists(st.floats(0, 1), min_size=1, max_size=5, unique=True),
        "optimizer.regularization": st.builds(
            lambda low, num: {"low": low, "high": 2e4, "num": num, "scale": "log"},
            st.floats(1e-30, 1e4),
            st.integers(2, 20),
        ),
        "optimizer.momentum": st.just([0, 0.5, 0.9]),
        "optimizer.schedule": st.just(["cosine", {"kind": "linear", "warmup": 3}]),
        "training.batch_size": st.just({"low": 10, "high": 200, "num": 4}),
        "model.weight_seed": st.lists(st.integers(0, 2**63 - 1), min_size=1, unique=True),
        "preprocessing.scale": st.just(["none", "unit", "feature", "pixel"]),
        "features": st.just(["pixels", "hog", {"kind": "hog", "cell_size": 4}]),
    },
)

_FRAGMENTS = st.sampled_from(
    ["\n", "\n  ", "\n\t", ": ", "- ", "? ", ", ", "[", "]", "{", "}", "&a ", "*a", "!!str ", "!x ",
     "!!binary aGk=", "!!python/object/apply:os.system ['true']", "<<: *a", "|\n", ">-\n ", "|9\n",
     "---\n", "...\n", "%YAML 1.2\n", "%TAG ! x\n", "# c\n", "'", '"', '"\\u0000"', "\\", "@", "`",
     "\ufeff", "\x85", "\u2028", "\x07", "\0", "\r", "1e3", ".nan", "-.inf", "0o7", "0x1", "1:2",
     "2001-01-01", "seed", "data", "optimizer", "momentum", "parameters", "base", "demo", "é", "𝄞"]
)  # fmt: skip


def generated(seed: int, count: int) -> Iterator[tuple[str, bytes]]:
    """The command a document is for, ``train`` or ``sweep``, and the document; repeatable.

    They are made in blocks, because one run of Hypothesis remembers all it has made.
    """
    block = 0
    while count > 0:
        made = _block(seed * 1_000_000 + block)[:count]
        yield from made
        count -= len(made)
        block += 1


def _block(seed: int) -> list[tuple[str, bytes]]:
    made = []

    @hypothesis.seed(seed)
    @hypothesis.settings(
        max_examples=_BLOCK,
        phases=[hypothesis.Phase.generate],
        database=None,
        deadline=None,
        suppress_health_check=list(hypothesis.HealthCheck),
    )
    @hypothesis.given(_DOCUMENTS)
    def collect(document: tuple[str, bytes]) -> None:
        made.append(document)

    collect()
    return made


def _change(draw: st.DrawFn, values: dict[str, Any], keys: list[str]) -> None:
    """Set, remove or misname a key."""
    *sections, last = draw(st.sampled_from(keys)).split(".")
    for section in sections:
        inner = values.get(section)
        if not isinstance(inner, dict):
            inner = values[section] = {}
        values = inner
    what = draw(st.sampled_from(["set", "set", "set", "remove", "misname"]))
    if what == "set":
        values[last] = draw(_VALUES)
    elif what == "remove":
        values.pop(last, None)
    else:
        values[draw(st.sampled_from([last + "s", last.upper(), "x"]))] = values.pop(last, 1)


@st.composite
def _trainings(draw: st.DrawFn) -> dict[str, Any]:
    values = copy.deepcopy(draw(st.sampled_from(_TRAININGS)))
    for _ in range(draw(_CHANGES)):
        _change(draw, values, _TRAIN_KEYS)
    return dict(values)


@st.composite
def _sweeps(draw: st.DrawFn) -> dict[str, Any]:
    values: dict[str, Any] = draw(
        st.sampled_from([{"base": name} for name in _PRESETS if "sweep" not in name])
        | st.builds(lambda train: {"train": train}, _trainings())
    )
    values = dict(values)
    values["parameters"] = draw(
        _SOUND_AXES | st.dictionaries(st.sampled_from(_TRAIN_KEYS), _AXES, min_size=1, max_size=3)
    )
    if draw(st.booleans()):
        values["search"] = {"random": {"trials": draw(st.integers(1, 200))}}
    for _ in range(draw(_CHANGES)):
        _change(draw, values, _SWEEP_KEYS)
    return values


@st.composite
def _written(draw: st.DrawFn, values: dict[str, Any]) -> bytes:
    if draw(st.booleans()):
        return json.dumps(values, ensure_ascii=draw(st.booleans())).encode()
    text: str = yaml.dump(
        values,
        Dumper=getattr(yaml, "CSafeDumper", yaml.SafeDumper),
        default_flow_style=draw(st.sampled_from([None, True, False])),
        default_style=draw(st.sampled_from([None, None, None, '"', "|"])),
        allow_unicode=draw(st.booleans()),
        sort_keys=False,
    )
    return text.encode()


@st.composite
def _spoilt(draw: st.DrawFn) -> bytes:
    """The text of a preset with pieces put in and taken out."""
    text = draw(st.sampled_from(list(_TEXTS.values())))
    for _ in range(draw(st.integers(1, 4))):
        at = draw(st.integers(0, len(text)))
        text = text[:at] + draw(_FRAGMENTS) + text[at + draw(st.integers(0, 6)) :]
    return text.encode()


_RAW = (
    _spoilt()
    | st.lists(_FRAGMENTS, max_size=40).map(lambda parts: "".join(parts).encode())
    | st.text(max_size=80).map(str.encode)
    | st.binary(max_size=80)
)
_DOCUMENTS = st.one_of(
    st.tuples(st.just("train"), _trainings().flatmap(_written)),
    st.tuples(st.just("sweep"), _sweeps().flatmap(_written)),
    st.tuples(st.sampled_from(["train", "sweep"]), _RAW),
)
