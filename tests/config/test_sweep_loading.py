"""The way from a sweep file and overrides to a checked sweep."""

import time
from pathlib import Path

import pytest

from softmax_cli.config.loading import load_train_config, with_values
from softmax_cli.config.sweep_loading import axis_values, listed_values, load_sweep_config
from softmax_cli.config.sweep_schema import HalvingSearch, RandomSearch, Range
from softmax_cli.config.writing import config_digest, to_yaml
from softmax_cli.errors import ConfigurationError

SWEEPS = ("cs231n-sweep", "demo-sweep", "linear-sweep")


def _file(folder: Path, text: str) -> str:
    path = folder / "sweep.yaml"
    path.write_text(text, encoding="utf-8")
    return str(path)


def _complaints(source: str, *overrides: str) -> list[str]:
    with pytest.raises(ConfigurationError) as caught:
        load_sweep_config(source, overrides)
    folder = f"{Path(source).parent}/"
    return caught.value.message.replace(folder, "").splitlines()


@pytest.mark.parametrize("name", SWEEPS)
def test_presets_load_and_survive_being_written(tmp_path: Path, name: str) -> None:
    sweep = load_sweep_config(name)
    assert sweep.train == load_train_config(name.removesuffix("-sweep"))
    again = load_sweep_config(_file(tmp_path, to_yaml(sweep)))
    assert again == sweep
    assert config_digest(again) == config_digest(sweep)


def test_the_grid_of_cs231n_is_that_of_the_assignment() -> None:
    parameters = load_sweep_config("cs231n-sweep").parameters
    assert parameters["optimizer.learning_rate"] == [1.4e-7, 1.5e-7, 1.6e-7]
    assert parameters["optimizer.regularization"] == [
        8000.0, 9000.0, 10000.0, 11000.0, 18000.0, 19000.0, 20000.0, 21000.0
    ]  # fmt: skip


def test_the_grid_of_linear_has_64_trials() -> None:
    parameters = load_sweep_config("linear-sweep").parameters
    assert [len(axis_values(*axis)) for axis in parameters.items()] == [8, 8]


def test_ranges_of_whole_number_settings_are_whole() -> None:
    axis = Range(low=100, high=400, num=3, scale="log")
    assert axis_values("training.batch_size", axis) == [100, 200, 400]
    assert axis_values("training.epochs", axis) == [100.0, 200.0, 400.0]
    values = {"training.batch_size": axis_values("training.batch_size", axis)[1]}
    assert with_values(load_train_config("demo"), values).training.batch_size == 200


def test_a_base_is_found_beside_the_sweep_file(tmp_path: Path) -> None:
    (tmp_path / "mine.yaml").write_text("training: {batch_size: 7}\n")
    source = _file(tmp_path, "base: mine.yaml\nparameters: {seed: [1, 2]}\n")
    assert load_sweep_config(source).train.training.batch_size == 7


def test_a_base_on_the_command_line_is_found_from_here(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "mine.yaml").write_text("training: {batch_size: 7}\n")
    monkeypatch.chdir(tmp_path)
    assert load_sweep_config("demo-sweep", ["base=mine.yaml"]).train.training.batch_size == 7


def test_the_whole_training_can_stand_in_the_sweep(tmp_path: Path) -> None:
    text = (
        "train: {data: {dataset: synthetic}, seed: 4}\nparameters: {optimizer.momentum: [0, 0.9]}"
    )
    sweep = load_sweep_config(_file(tmp_path, text))
    assert (sweep.train.data.dataset, sweep.train.seed, sweep.seed) == ("synthetic", 4, 0)


def test_overrides_reach_sweep_base_and_parameters() -> None:
    sweep = load_sweep_config(
        "linear-sweep",
        [
            "folds=5",
            "seed=1",
            "train.seed=2",
            "training.iterations=300",
            "optimizer.schedule.warmup=10",
            "search={random: {trials: 3}}",
            "search.random.trials=4",
            "parameters.optimizer.momentum=[0.5, 0.9]",
            "parameters.optimizer.learning_rate.num=3",
        ],
    )
    assert (sweep.folds, sweep.seed, sweep.train.seed) == (5, 1, 2)
    assert (sweep.train.training.iterations, sweep.train.training.epochs) == (300, None)
    assert sweep.train.optimizer.schedule.warmup == 10
    assert isinstance(sweep.search, RandomSearch)
    assert sweep.search.random.trials == 4
    assert sweep.parameters["optimizer.momentum"] == [0.5, 0.9]
    rates = sweep.parameters["optimizer.learning_rate"]
    assert isinstance(rates, Range)
    assert rates.num == 3


def test_halving_has_defaults() -> None:
    search = load_sweep_config("demo-sweep", ["search={halving: {}}"]).search
    assert isinstance(search, HalvingSearch)
    assert (search.halving.factor, search.halving.rungs) == (3, 3)


def test_a_random_search_draws_from_ranges_without_num(tmp_path: Path) -> None:
    text = "base: demo\nparameters: {optimizer.momentum: {low: 0, high: 0.9}}\n"
    complaints = _complaints(_file(tmp_path, text))
    assert complaints[0].startswith("sweep.yaml:2: parameters.optimizer.momentum: expected num")
    sweep = load_sweep_config(_file(tmp_path, text + "search: {random: {trials: 5}}"))
    assert sweep.parameters["optimizer.momentum"] == Range(low=0.0, high=0.9)


def test_problems_of_the_sweep_come_at_once(tmp_path: Path) -> None:
    text = """\
base: demo
train: {}
parameters:
  optimizer.learning_rate: {low: 3, high: 1}
  model.temperature: []
  optimizer.momentum: 0.9
  optimizer.regularization: {low: 0, high: 1, scale: log, nun: 3}
search: {halving: {factor: 1, rung: 2}}
metric: accuracy
folds: 0
"""
    starts = [
        line.split(", got")[0][:80] for line in _complaints(_file(tmp_path, text), "trials=3")
    ]
    assert starts == [
        "sweep.yaml:1: base: expected exactly one of base and train",
        "sweep.yaml:4: parameters.optimizer.learning_rate.low: expected low below high",
        "sweep.yaml:5: parameters.model.temperature: expected at least 1 value",
        "sweep.yaml:6: parameters.optimizer.momentum: expected a list of values or {low: ",
        "sweep.yaml:7: parameters.optimizer.regularization.nun: expected one of low, high",
        "sweep.yaml:8: search.halving.factor: expected a number of at least 2",
        "sweep.yaml:8: search.halving.rung: expected one of factor, rungs",
        "sweep.yaml:9: metric: expected 'validation_accuracy' or 'validation_loss'",
        "sweep.yaml:10: folds: expected a number of at least 1",
        "command line: trials: expected one of train, parameters, search, metric, select,",
    ]


def test_values_of_the_parameters_are_checked_where_they_stand(tmp_path: Path) -> None:
    text = """\
base: demo
parameters:
  optimizer.learning_rat: [1, 2]
  training.batch_size: {low: 0, high: 10, num: 3}
  model.temperature:
    - 1
    - 1.0
    - {start: 0, end: 1}
  optimizer.momentum: [0.5, yes]
  optimizer.nesterov: [true, false]
"""
    lines = _complaints(_file(tmp_path, text))
    assert [line.split(": expected")[0] for line in lines] == [
        "sweep.yaml:3: parameters.optimizer.learning_rat[0]",
        "sweep.yaml:4: parameters.training.batch_size.low",
        "sweep.yaml:7: parameters.model.temperature[1]",
        "sweep.yaml:8: parameters.model.temperature[2].start",
        "sweep.yaml:9: parameters.optimizer.momentum[1]",
    ]
    assert "did you mean optimizer.learning_rate?" in lines[0]
    assert lines[2].endswith("expected new values, got 1.0 again")


def test_parameters_must_not_contain_each_other(tmp_path: Path) -> None:
    text = "base: demo\nparameters: {optimizer: [{}], optimizer.momentum: [0.5]}\n"
    complaint = "expected parameters apart from each other, got optimizer.momentum inside of it"
    assert complaint in _complaints(_file(tmp_path, text))[0]


def test_a_grid_beyond_all_measure_is_refused(tmp_path: Path) -> None:
    axis = "{low: 1, high: 1000, num: 1000}"
    text = f"base: demo\nparameters: {{seed: {axis}, training.iterations: {axis}}}\n"
    complaint = "parameters: expected at most 100000 trials, got a grid of 1000000"
    assert complaint in _complaints(_file(tmp_path, text))[0]


@pytest.mark.parametrize(
    ("base", "complaint"),
    [
        ("linaer", 'base: expected the name of a preset or a YAML file, got "linaer"; did you'),
        ("absent.yaml", 'base: expected the name of a preset or a YAML file, got "absent.yaml"'),
        ("[demo]", 'base: expected the name of a preset or a YAML file, got ["demo"]'),
        ("null", "base: expected exactly one of base and train, got neither"),
        ("demo-sweep", "expected the settings of a training, got those of a sweep"),
    ],
)
def test_a_bad_base_is_explained(tmp_path: Path, base: str, complaint: str) -> None:
    source = _file(tmp_path, f"base: {base}\nparameters: {{seed: [1]}}\n")
    assert complaint in _complaints(source)[0]


def test_files_of_the_other_kind_are_told_apart() -> None:
    assert "expected a sweep with base and parameters" in _complaints("demo")[0]
    with pytest.raises(ConfigurationError, match="got those of a sweep"):
        load_train_config("demo-sweep")


@pytest.mark.parametrize(
    ("parameters", "complaint"),
    [
        (
            "".join(f"  k{i}: [1]\n" for i in range(15_000)),
            "expected at most 100 value",
        ),
        ("".join(f"  k{i}: {[*range(1000)]}\n" for i in range(6)), "at most 5000 values in all"),
        ("".join(f"  k{i}: {[*range(1000)]}\n" for i in range(5)), "k0[0]: expected one of data"),
        (
            '  ? "' + ".".join("a" * 40_000) + '"\n  : [1]\n',
            "expected at most 16 levels, got 40000",
        ),
    ],
    ids=["keys", "values", "wrong values", "levels"],
)
def test_a_hostile_sweep_is_refused_at_once(
    tmp_path: Path, parameters: str, complaint: str
) -> None:
    source = _file(tmp_path, f"base: demo\nparameters:\n{parameters}")
    start = time.process_time()
    complaints = _complaints(source)
    assert any(complaint in line for line in complaints)
    assert max(map(len, complaints)) < 1000
    assert time.process_time() - start < 1


def test_listed_values_are_those_of_the_file_whatever_its_version(tmp_path: Path) -> None:
    text = "new: 1\nparameters: {a.b: [2, null, {x: 1}], c: {low: 1, high: 2}, d: 3}\n"
    assert listed_values(Path(_file(tmp_path, text))) == {"a.b": [2, None, {"x": 1}]}


@pytest.mark.parametrize("text", ["", "[", "- 1", "parameters: 3"])
def test_there_are_none_in_what_is_no_sweep_file(tmp_path: Path, text: str) -> None:
    assert listed_values(Path(_file(tmp_path, text))) == {}
