"""What happens around the loop: checkpoints, going on from them, and stopping when asked."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from softmax_cli.config.schema import TrainConfig
from softmax_cli.config.writing import plain_values
from softmax_cli.errors import CheckpointError
from softmax_cli.runs.checkpoint import Checkpoint, load_latest_checkpoint, save_checkpoint
from softmax_cli.training import checkpointed_run
from softmax_cli.training.assembly import build_trainer
from softmax_cli.training.checkpointed_run import CheckpointedRun, Origin, StopRequestedError
from softmax_cli.training.trainer import Progress
from softmax_cli.training.training_data import TrainingData
from tests.training.conftest import Watcher

Settings = Callable[..., TrainConfig]
NewRun = Callable[..., CheckpointedRun]

ENVIRONMENT = {"numpy": "2.4.6", "blas": "openblas", "blas_threads": 2}
STACK_DOCUMENT: dict[str, Any] = {
    "trials": ["0e99bf1653c5", "1675b52a797e"],
    "data_digest": "3afb",
    "environment": ENVIRONMENT,
    "seconds": 0.93,
}
"""What a checkpoint of a stack says of itself, since there are sweeps."""
STACK = Origin(
    subject={"trials": ["0e99bf1653c5", "1675b52a797e"]},
    digests={"data_digest": "3afb"},
    hint="Remove the folder.",
)
TRAINING_DOCUMENT: dict[str, Any] = {
    "settings": {
        "data": {"dataset": "cifar10", "dir": "data", "train_size": None},
        "optimizer": {"momentum": 0.9, "schedule": {"kind": "cosine", "warmup": 0}},
        "seed": 0,
    },
    "train_digest": "3afb",
    "validation_digest": "83e2",
    "environment": ENVIRONMENT,
    "seconds": 0.57,
}
"""What a checkpoint of a single training says of itself, since there are checkpoints."""


def training(**changes: Any) -> Origin:
    """The origin of that single training, with some of its settings changed."""
    return Origin(
        subject={"settings": {**TRAINING_DOCUMENT["settings"], **changes}},
        digests={"train_digest": "3afb", "validation_digest": "83e2"},
        hint="Put config.yaml back as it was.",
    )


def without(name: str, document: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in document.items() if key != name}


def origin_of(config: TrainConfig, data: TrainingData) -> Origin:
    return Origin(
        subject={"settings": plain_values(config)},
        digests={
            "train_digest": data.train.digest,
            "validation_digest": data.validation.digest,
        },
        hint="Put config.yaml back as it was.",
    )


@pytest.fixture
def new_run(settings: Settings, data: TrainingData) -> NewRun:
    """``new_run(folder, until=20, **{"optimizer.momentum": 0.9})``: at the beginning."""

    def build(
        folder: Path | None,
        *,
        models: int = 1,
        until: int | None = None,
        saved: Callable[[], None] | None = None,
        **values: Any,
    ) -> CheckpointedRun:
        config = settings(**values)
        return CheckpointedRun(
            build_trainer([config] * models, data),
            origin_of(config, data),
            folder,
            every=config.training.checkpoint_every,
            until=until,
            saved=saved,
        )

    return build


def steps_of(folder: Path) -> list[int]:
    """Steps of the checkpoints that a folder holds, and nothing else."""
    return [int(path.name.removeprefix("step-")[:8]) for path in sorted(folder.iterdir())]


def rewrite(folder: Path, **changes: Any) -> None:
    """Change what the latest checkpoint says of itself."""
    latest, _ = load_latest_checkpoint(folder)
    save_checkpoint(folder, replace(latest, document={**latest.document, **changes}))


@pytest.fixture
def cut(new_run: NewRun, tmp_path: Path) -> Path:
    """Folder of the checkpoints of a training that was stopped after 17 of 40 steps."""
    with pytest.raises(StopRequestedError):
        new_run(tmp_path / "cut").train(Watcher(stop_after=17))
    return tmp_path / "cut"


def test_a_checkpoint_is_saved_whenever_one_is_due_and_told_of_afterwards(
    new_run: NewRun, tmp_path: Path
) -> None:
    folder, seen = tmp_path / "checkpoint", list[list[int]]()
    run = new_run(folder, saved=lambda: seen.append(steps_of(folder)))
    watcher = Watcher()
    run.train(watcher)
    assert watcher.started_at == [0]
    assert watcher.steps == list(range(1, 41))
    assert seen == [[10], [10, 20], [20, 30], [30, 40]]


def test_what_is_saved_is_the_state_of_its_step(new_run: NewRun, tmp_path: Path) -> None:
    run = new_run(tmp_path, **{"optimizer.momentum": 0.9})
    states: dict[int, dict[str, np.ndarray]] = {}

    class Copying(Watcher):
        def progressed(self, trainer: Any, progress: Progress) -> None:
            states[progress.iteration] = {k: v.copy() for k, v in trainer.state().items()}

    run.train(Copying())
    saved, _ = load_latest_checkpoint(tmp_path)
    assert saved.step == 40
    assert saved.arrays.keys() == states[40].keys()
    for name, array in states[40].items():
        np.testing.assert_array_equal(saved.arrays[name], array, err_msg=name)


@pytest.mark.parametrize(("stop_after", "expected"), [(7, [7]), (10, [10]), (23, [20, 23])])
def test_a_stop_saves_once_where_it_is_asked_for(
    new_run: NewRun, tmp_path: Path, stop_after: int, expected: list[int]
) -> None:
    saved: list[int] = []
    watcher = Watcher(stop_after=stop_after)
    run = new_run(tmp_path, saved=lambda: saved.append(watcher.steps[-1]))
    with pytest.raises(StopRequestedError):
        run.train(watcher)
    assert watcher.steps[-1] == stop_after
    assert steps_of(tmp_path) == expected
    assert saved == [*range(10, stop_after, 10), stop_after]


def test_a_run_ends_at_its_own_step_with_a_validation(new_run: NewRun, tmp_path: Path) -> None:
    run = new_run(tmp_path, until=25)
    run.train(Watcher())
    assert run.trainer.iteration == 25
    assert [row.iteration for row in run.trainer.history] == [10, 20, 25]
    assert steps_of(tmp_path) == [10, 20]


def test_without_a_folder_nothing_is_kept(
    new_run: NewRun, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    run = new_run(None, saved=lambda: pytest.fail("nothing was saved"))
    watcher = Watcher(stop_after=15)
    assert not run.resume(watcher)
    with pytest.raises(StopRequestedError):
        run.train(watcher)
    run.save()
    assert not list(tmp_path.iterdir())
    assert watcher.warnings == []


@pytest.mark.parametrize("exists", [True, False])
def test_where_there_is_no_checkpoint_nothing_is_resumed(
    new_run: NewRun, tmp_path: Path, exists: bool
) -> None:
    folder = tmp_path / "checkpoint"
    if exists:
        folder.mkdir()
        (folder / "notes.txt").write_text("not a checkpoint")
    run, watcher = new_run(folder), Watcher()
    assert not run.resume(watcher)
    assert run.trainer.iteration == 0
    assert watcher.warnings == []


@pytest.mark.parametrize(
    "values",
    [
        {},
        {"optimizer.momentum": 0.9, "augmentation.horizontal_flip": True},
        {"training.early_stopping": {"patience": 2}, "training.sampling": "epoch"},
    ],
)
@pytest.mark.parametrize("models", [1, 3])
def test_a_resumed_run_ends_in_the_same_bits(
    new_run: NewRun, tmp_path: Path, values: dict[str, Any], models: int
) -> None:
    whole = new_run(None, models=models, **values)
    whole.train(Watcher())
    for stop_after in (17, 10):  # steps of each process
        with pytest.raises(StopRequestedError):
            resume_and_train(new_run(tmp_path, models=models, **values), stop_after)
    last = new_run(tmp_path, models=models, **values)
    watcher = resume_and_train(last)
    assert watcher.started_at == [27]
    assert watcher.warnings == []
    expected, got = whole.trainer.state(), last.trainer.state()
    assert expected.keys() == got.keys()
    for name, array in expected.items():
        np.testing.assert_array_equal(got[name], array, err_msg=name)


def resume_and_train(run: CheckpointedRun, stop_after: int | None = None) -> Watcher:
    watcher = Watcher(stop_after)
    run.resume(watcher)
    run.train(watcher)
    return watcher


def test_seconds_of_earlier_sessions_count(new_run: NewRun, cut: Path) -> None:
    rewrite(cut, seconds=1000.0)
    run = new_run(cut)
    assert run.resume(Watcher())
    run.train(Watcher())
    assert 1000 < run.seconds() < 1100
    latest, _ = load_latest_checkpoint(cut)
    assert 1000 < latest.document["seconds"] <= run.seconds()


def test_another_environment_is_warned_of_and_no_obstacle(new_run: NewRun, cut: Path) -> None:
    latest, _ = load_latest_checkpoint(cut)
    rewrite(cut, environment={**latest.document["environment"], "numpy": "1.0"})
    run, watcher = new_run(cut), Watcher()
    assert run.resume(watcher)
    (warning,) = watcher.warnings
    assert warning.startswith("The last bits may differ from an uninterrupted run: numpy: 1.0, now")


def test_the_environment_is_that_of_the_beginning(
    new_run: NewRun, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(checkpointed_run, "environment", lambda: {"blas_threads": 2})
    run = new_run(tmp_path)
    monkeypatch.setattr(checkpointed_run, "environment", lambda: {"blas_threads": 1})
    run.train(Watcher())
    latest, _ = load_latest_checkpoint(tmp_path)
    assert latest.document["environment"] == {"blas_threads": 2}


def test_a_damaged_checkpoint_is_passed_over_and_what_a_crash_left_is_removed(
    new_run: NewRun, cut: Path
) -> None:
    (cut / "step-00000020.safetensors").write_bytes(b"torn")
    (cut / ".step-00000030.safetensors.0123456789ab.tmp").write_bytes(b"half")
    (cut / "step-00000003.safetensors").write_bytes(b"older than the last two")
    (cut / "notes.txt").write_text("a user's own")
    run, watcher = new_run(cut), Watcher()
    assert run.resume(watcher)
    assert run.trainer.iteration == 17
    (warning,) = watcher.warnings
    assert warning.startswith("passed over a checkpoint: ")
    (cut / "notes.txt").unlink()
    assert steps_of(cut) == [10, 17]


def test_an_observer_that_fails_closes_the_loop(
    new_run: NewRun, monkeypatch: pytest.MonkeyPatch
) -> None:
    run, ended = new_run(None), list[bool]()
    train = run.trainer.train

    def steps(until: int | None) -> Iterator[Progress]:
        try:
            yield from train(until)
        finally:
            ended.append(True)

    class Failing(Watcher):
        def progressed(self, *_: object) -> None:
            raise LookupError

    monkeypatch.setattr(run.trainer, "train", steps)
    with pytest.raises(LookupError) as caught:
        run.train(Failing())
    # Not only once nobody holds the error, and with it the generator, any more.
    assert ended == [True]
    assert caught.type is LookupError


@pytest.mark.parametrize(
    ("origin", "document"),
    [
        (training(), TRAINING_DOCUMENT),
        (
            training(data={**TRAINING_DOCUMENT["settings"]["data"], "dir": "/moved"}),
            TRAINING_DOCUMENT,
        ),
        (STACK, STACK_DOCUMENT),
    ],
    ids=["training", "training whose data moved", "stack"],
)
def test_checkpoints_of_earlier_versions_belong_here(
    origin: Origin, document: dict[str, Any]
) -> None:
    origin.check(document, Path("checkpoint"))


@pytest.mark.parametrize(
    ("changes", "difference"),
    [
        ({"seed": 1}, "seed: 0, now 1"),
        ({"optimizer": {"momentum": 0.8, "schedule": {"kind": "cosine", "warmup": 0}}}, "0.9, now"),
        ({"optimizer": {"momentum": 0.9, "schedule": "linear"}}, "now linear"),
        ({"data": {"dataset": "synthetic", "dir": "/moved", "train_size": None}}, "data.dataset"),
        ({"data": {"dataset": "cifar10", "dir": "data", "train_size": 5}}, "data.train_size: None"),
        ({"features": {"kind": "edges"}}, "features: None, now {'kind': 'edges'}"),
    ],
)
def test_other_settings_are_refused_one_by_one(changes: dict[str, Any], difference: str) -> None:
    with pytest.raises(CheckpointError) as caught:
        training(**changes).check(TRAINING_DOCUMENT, Path("here"))
    message = caught.value.message
    start = "the settings have changed since the checkpoint in here was made: "
    assert message.startswith(start)
    assert difference in message
    assert message.count(", now ") == 1
    assert caught.value.hint == "Put config.yaml back as it was."


def test_other_trials_are_refused() -> None:
    narrow = replace(STACK, subject={"trials": ["0e99bf1653c5"]})
    with pytest.raises(CheckpointError, match="the trials have changed") as caught:
        narrow.check(STACK_DOCUMENT, Path("x"))
    assert caught.value.message.endswith("['0e99bf1653c5', '1675b52a797e'], now ['0e99bf1653c5']")


@pytest.mark.parametrize(
    ("origin", "document", "name", "images"),
    [
        (training(), TRAINING_DOCUMENT, "train_digest", "other training images"),
        (training(), TRAINING_DOCUMENT, "validation_digest", "other validation images"),
        (STACK, STACK_DOCUMENT, "data_digest", "other images"),
    ],
)
@pytest.mark.parametrize("digest", ["0000", None, 3])
def test_other_images_are_refused(
    origin: Origin, document: dict[str, Any], name: str, images: str, digest: object
) -> None:
    with pytest.raises(CheckpointError, match=f"checkpoint in x was made with {images}") as caught:
        origin.check({**document, name: digest}, Path("x"))
    assert "--data-dir" in str(caught.value.hint)


@pytest.mark.parametrize(
    ("origin", "document"),
    [
        (training(), STACK_DOCUMENT),
        (STACK, TRAINING_DOCUMENT),
        (training(), {}),
        *((training(), without(name, TRAINING_DOCUMENT)) for name in TRAINING_DOCUMENT),
        *((STACK, without(name, STACK_DOCUMENT)) for name in STACK_DOCUMENT),
    ],
)
def test_a_checkpoint_of_another_kind_of_run_is_refused(
    origin: Origin, document: dict[str, Any]
) -> None:
    with pytest.raises(CheckpointError, match="in x belongs to another kind of run") as caught:
        origin.check(document, Path("x"))
    assert caught.value.hint == origin.hint


@pytest.mark.parametrize(
    "changes",
    [
        {"settings": None},
        {"settings": ["a list"]},
        {"settings": {}},
        {"seconds": "long"},
        {"seconds": None},
        {"environment": ["numpy"]},
        {"environment": None},
    ],
)
def test_a_document_of_other_types_is_refused(
    new_run: NewRun, cut: Path, changes: dict[str, Any]
) -> None:
    rewrite(cut, **changes)
    with pytest.raises(CheckpointError, match=r"settings"):
        new_run(cut).resume(Watcher())


def test_a_state_of_another_shape_is_refused(new_run: NewRun, cut: Path) -> None:
    with pytest.raises(CheckpointError, match="does not fit the settings: ") as caught:
        new_run(cut, models=2).resume(Watcher())
    assert str(cut) in caught.value.message


@pytest.mark.parametrize("columns", ["history/iteration", "history/train_loss"])
def test_a_history_that_does_not_fit_together_is_refused(
    new_run: NewRun, cut: Path, columns: str
) -> None:
    latest, _ = load_latest_checkpoint(cut)
    arrays = {**latest.arrays, columns: np.repeat(latest.arrays[columns], 3, axis=0)}
    save_checkpoint(cut, Checkpoint(latest.step, arrays, latest.document))
    with pytest.raises(CheckpointError, match="columns of one length"):
        new_run(cut).resume(Watcher())


def test_a_refused_checkpoint_is_left_as_it_is(new_run: NewRun, cut: Path) -> None:
    before = {path.name: path.read_bytes() for path in cut.iterdir()}
    with pytest.raises(CheckpointError):
        new_run(cut, **{"optimizer.momentum": 0.5}).resume(Watcher())
    assert {path.name: path.read_bytes() for path in cut.iterdir()} == before
