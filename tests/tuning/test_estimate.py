from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from softmax_cli.config.sweep_schema import SweepConfig
from softmax_cli.data.datasets import DATASETS
from softmax_cli.data.synthetic import SYNTHETIC
from softmax_cli.training import preconditioner
from softmax_cli.tuning.estimate import StackEstimate, estimate
from softmax_cli.tuning.stack_run import trainer_of
from softmax_cli.tuning.stacks import plan_stacks
from softmax_cli.tuning.trials import make_trials
from tests.data.own_arrays import COLUMNS, examples
from tests.tuning.conftest import Space

RATES = {"optimizer.learning_rate": {"low": 0.1, "high": 0.9, "num": 9}}


def estimates(settings: SweepConfig) -> list[StackEstimate]:
    return estimate(plan_stacks(make_trials(settings), settings.folds), settings.search)


def test_arithmetic_is_that_of_the_two_products(space: Space) -> None:
    (found,) = estimates(space(RATES, folds=3))
    assert (found.trials, found.models, found.iterations) == (9, 27, 40)
    assert found.operations == 2 * 2 * 20 * 3072 * 270 * 40
    assert 0.01 < found.seconds < 60
    assert found.memory > 5000 * 3072 + 2 * 4 * 3072 * 270


@pytest.mark.parametrize("flip", [True, "exact"])
def test_flips_take_memory(space: Space, flip: object) -> None:
    plain = estimates(space(RATES))[0]
    flipped = estimates(space(RATES, **{"augmentation.horizontal_flip": flip}))[0]
    assert flipped.memory > plain.memory


def test_halving_takes_a_share(space: Space) -> None:
    whole = estimates(space(RATES))[0]
    halved = estimates(space(RATES, search={"halving": {"factor": 3, "rungs": 2}}))[0]
    assert halved.operations == pytest.approx(whole.operations * (9 * 14 + 3 * 26) / (9 * 40))


def test_epochs_count_the_images_there_are(space: Space) -> None:
    (found,) = estimates(space(RATES, **{"training.epochs": 2.0}))
    assert found.iterations == 60
    everything = {"training.epochs": 1.0, "data.train_size": None}
    assert estimates(space(RATES, **everything))[0].iterations == 4800 / 20
    real = {**everything, "data.dataset": "cifar10"}
    assert estimates(space(RATES, **real))[0].iterations == 49_800 / 20


@pytest.mark.parametrize(
    "values", [{"training.iterations": 1}, {"training.epochs": 0.001}, {"training.batch_size": 1}]
)
def test_the_shortest_training_is_estimated(space: Space, values: dict[str, object]) -> None:
    (found,) = estimates(space(RATES, **values))
    assert found.seconds > 0


def test_each_kind_of_stack_is_timed_once(space: Space, monkeypatch: pytest.MonkeyPatch) -> None:
    calls, real = [], trainer_of

    def counted(*arguments: object) -> object:
        calls.append(arguments)
        return real(*arguments)  # type: ignore[arg-type]

    monkeypatch.setattr("softmax_cli.tuning.estimate.trainer_of", counted)
    parameters = {"optimizer.learning_rate": {"low": 0.1, "high": 0.9, "num": 128}}
    assert len(estimates(space({**parameters, "training.batch_size": [10, 20]}))) == 4
    assert len(calls) == 2


def test_images_are_counted_where_only_their_files_tell(
    space: Space, monkeypatch: pytest.MonkeyPatch
) -> None:
    known = estimates(space(RATES, **{"training.epochs": 2.0}))[0]
    unknown = replace(SYNTHETIC, training_images=None, class_names=None)
    monkeypatch.setitem(DATASETS, SYNTHETIC.name, unknown)
    counted = estimates(space(RATES, **{"training.epochs": 2.0}))[0]
    assert (counted.iterations, counted.memory) == (known.iterations, known.memory)


def test_rows_of_own_features_are_counted_by_their_columns(space: Space, tmp_path: Path) -> None:
    features, labels = examples(600)
    np.savez(tmp_path / "train.npz", features=features.astype(np.float16), labels=labels)
    values = {
        "data.dataset": "arrays",
        "data.train": str(tmp_path / "train.npz"),
        "data.train_size": None,
        "data.validation_size": 100,
        "training.epochs": 2.0,
        "training.batch_size": 50,
    }
    plain = estimates(space(RATES, **values))[0]
    assert plain.iterations == 20
    normalised = estimates(space(RATES, **values, **{"preprocessing.normalize": "l2"}))[0]
    # Beside the rows of two bytes there are those of four.
    assert normalised.memory - plain.memory == 600 * COLUMNS * 4


def test_the_optimum_is_estimated_from_its_products(
    optima: Space, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = optima({"optimizer.regularization": [0.1, 1.0]})
    (found,) = estimates(settings)
    assert (found.models, found.iterations) == (2, 20)
    assert found.operations == 2 * 2 * 600 * 3073 * 9 * 2 * 20
    assert found.seconds > 0
    assert str(found.preconditioner).startswith("the diagonal")
    monkeypatch.setattr(preconditioner, "MAX_GRAM_BYTES", 2**30)
    (spectral,) = estimates(settings)
    assert str(spectral.preconditioner).startswith("the eigenvectors")
    assert spectral.memory - found.memory == 4 * 4 * 3073**2
    assert spectral.seconds > found.seconds
