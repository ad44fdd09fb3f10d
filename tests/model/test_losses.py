"""The registry of losses."""

import numpy as np
import pytest

from softmax_cli.config.model_schema import ModelSettings
from softmax_cli.model import LOSSES, hinge_loss, softmax_loss


def test_every_loss_is_found_under_its_own_name_and_can_be_configured() -> None:
    assert {name: loss.name for name, loss in LOSSES.items()} == {
        "softmax": "softmax",
        "hinge": "hinge",
    }
    for name in LOSSES:
        assert ModelSettings.model_validate({"loss": name}).loss == name


def test_a_mean_loss_is_that_of_its_name() -> None:
    rng = np.random.default_rng(0)
    scores = rng.normal(size=(20, 3)).astype(np.float32)
    labels = rng.integers(3, size=20)
    exact = scores.astype(np.float64)
    assert LOSSES["softmax"].mean(scores, labels, 2.0) == softmax_loss(exact, labels, 2.0)
    assert LOSSES["hinge"].mean(scores, labels) == hinge_loss(exact, labels)


@pytest.mark.parametrize("name", LOSSES)
def test_a_mean_loss_of_float32_scores_is_computed_in_float64_and_stays_finite(name: str) -> None:
    scores = np.array([[1e30, -1e30], [123.0, 789.0], [0.1, 0.7]], dtype=np.float32)

    for labels in (np.array([0, 1, 0]), np.array([1, 0, 0])):
        loss = LOSSES[name].mean(scores, labels)
        assert np.isfinite(loss)
        assert loss == LOSSES[name].mean(scores.astype(np.float64), labels)


@pytest.mark.parametrize("name", LOSSES)
def test_messages_can_say_what_the_scores_are(name: str) -> None:
    words = LOSSES[name].scores_are
    assert words.isprintable()
    assert words == words.strip().removesuffix(".")
    assert words
