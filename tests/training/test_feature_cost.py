from collections.abc import Callable
from pathlib import Path

import pytest

from softmax_cli.config.schema import TrainConfig
from softmax_cli.features.feature_maps import FEATURE_MAPS
from softmax_cli.features.unlearned import Unlearned
from softmax_cli.training.feature_cost import feature_costs
from softmax_cli.training.training_data import load_training_data
from tests.features.channel_means import ChannelMeans

Settings = Callable[..., TrainConfig]


class Costly(ChannelMeans):
    """Stands for pixels, so that the schema knows it."""

    kind = "pixels"


def test_pixels_cost_nothing(settings: Settings) -> None:
    assert feature_costs([settings()]) == []


def test_features_are_counted_once_for_all_that_need_them(
    settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(FEATURE_MAPS, "pixels", Costly)
    config = settings(**{"data.dir": str(tmp_path)})
    faster = settings(**{"data.dir": str(tmp_path), "optimizer.learning_rate": 0.5})
    smaller = settings(**{"data.dir": str(tmp_path), "data.train_size": 300})
    first, second = feature_costs([config, faster, smaller])
    images = first.images
    assert images == len(load_training_data(config).train) + config.data.validation_size
    assert (first.kind, first.features, first.size) == ("pixels", 3, images * 3 * 4)
    assert first.is_kept is False
    assert first.seconds > 0
    assert second.images == 300 + config.data.validation_size


def test_kept_features_cost_nothing_more(
    settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(FEATURE_MAPS, "pixels", Costly)
    config = settings(**{"data.dir": str(tmp_path)})
    load_training_data(config)
    monkeypatch.setattr(Unlearned, "fit", None)  # nothing is fitted any more
    (cost,) = feature_costs([config])
    assert cost.is_kept
    assert cost.seconds == 0
