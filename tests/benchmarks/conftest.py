"""A data set and settings small enough that every contender is done at once."""

from collections.abc import Callable, Iterator

import pytest

from benchmarks import step, timing
from benchmarks.task import Images, Task
from softmax_cli.config.loading import load_train_config
from softmax_cli.data.synthetic import make_synthetic

OVERRIDES = ("data.dataset=synthetic", "data.validation_size=200")
"""For settings that go with the images below."""

TINY = (
    *OVERRIDES,
    "training.iterations=60",
    "training.batch_size=50",
    "model.weight_scale=1e-4",
    "optimizer.regularization=3000",
)


@pytest.fixture(autouse=True)
def _no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(timing, "_PAUSE_SECONDS", 0.0)
    monkeypatch.setattr(step, "_BLOCK_SECONDS", 0.0)


@pytest.fixture(scope="session", autouse=True)
def _torch_cache(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Torch makes a folder for what it compiles as soon as it is imported."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TORCHINDUCTOR_CACHE_DIR", str(tmp_path_factory.mktemp("torch")))
        yield


@pytest.fixture(scope="session")
def images() -> Images:
    return Images(
        make_synthetic("train", size=1200), make_synthetic("test", size=500), validation_size=200
    )


@pytest.fixture(scope="session")
def make_task(images: Images) -> Callable[..., Task]:
    """A task of one model for each learning rate."""

    def make(*learning_rates: float) -> Task:
        configs = [
            load_train_config("cs231n", [*TINY, f"optimizer.learning_rate={rate}"])
            for rate in learning_rates
        ]
        return Task(configs, images)

    return make
