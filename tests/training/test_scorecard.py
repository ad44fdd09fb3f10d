"""Loss and accuracy of every model of a stack on images it does not train on."""

import numpy as np
import pytest
from numpy.typing import NDArray

from softmax_cli.features.standardization import Standardization
from softmax_cli.model import LOSSES, LinearStack
from softmax_cli.training.engine import LARGEST_SELECTION
from softmax_cli.training.scorecard import multiplied_by, score_stack

MODELS, CLASSES, FEATURES = 3, 4, 30
RNG = np.random.default_rng(0)
IMAGES = RNG.integers(0, 256, (2 * LARGEST_SELECTION + 7, FEATURES), dtype=np.uint8)
LABELS = RNG.integers(CLASSES, size=len(IMAGES))
STANDARDIZATION = Standardization.fit(IMAGES, center=True, scale="pixel")
WEIGHTS = RNG.normal(size=(FEATURES, CLASSES, MODELS)).astype(np.float32)
BIAS = RNG.normal(size=(CLASSES, MODELS)).astype(np.float32)


def scores() -> NDArray[np.float64]:
    """Of all images under all models, (n, C, K), as a textbook computes them."""
    mean, scale = STANDARDIZATION.mean.astype(np.float64), STANDARDIZATION.scale
    return np.asarray(np.tensordot((IMAGES - mean) / scale, WEIGHTS, axes=1) + BIAS)


@pytest.mark.parametrize("name", LOSSES)
@pytest.mark.parametrize("images", [1, LARGEST_SELECTION, len(IMAGES)])
def test_it_agrees_with_the_mean_loss_and_accuracy_of_the_scores(name: str, images: int) -> None:
    stack = LinearStack.from_weights(WEIGHTS, BIAS)
    temperature = np.array([1.0, 0.5, 4.0]) if name == "softmax" else np.ones(3)
    multiply = multiplied_by(stack, IMAGES, STANDARDIZATION)
    card = score_stack(stack, multiply, LABELS[:images], LOSSES[name].kernel, temperature)
    assert card.loss.shape == card.accuracy.shape == (MODELS,)
    assert card.loss.dtype == card.accuracy.dtype == np.float64
    for k in range(MODELS):
        own = scores()[:images, :, k]
        loss = LOSSES[name].mean(own, LABELS[:images], float(temperature[k]))
        assert card.loss[k] == pytest.approx(loss, rel=1e-4)
        hits = own.argmax(axis=1) == LABELS[:images]
        assert card.accuracy[k] == pytest.approx(hits.mean(), abs=1 / len(IMAGES))


def test_the_shrinkage_of_weights_counts() -> None:
    halved = LinearStack.from_weights(2 * WEIGHTS, 2 * BIAS)
    halved.shrinkage[:] = 0.5
    kernel, ones = LOSSES["softmax"].kernel, np.ones(MODELS)
    cards = [
        score_stack(stack, multiplied_by(stack, IMAGES, STANDARDIZATION), LABELS, kernel, ones)
        for stack in (halved, LinearStack.from_weights(WEIGHTS, BIAS))
    ]
    np.testing.assert_allclose(cards[0].loss, cards[1].loss, rtol=1e-5)
    np.testing.assert_array_equal(cards[0].accuracy, cards[1].accuracy)


def test_the_first_class_of_a_tie_is_the_predicted_one() -> None:
    stack = LinearStack.from_weights(0 * WEIGHTS, 0 * BIAS)
    multiply = multiplied_by(stack, IMAGES, STANDARDIZATION)
    kernel = LOSSES["softmax"].kernel
    card = score_stack(stack, multiply, LABELS, kernel, np.ones(MODELS))
    assert card.accuracy == pytest.approx([(LABELS == 0).mean()] * MODELS)
    assert card.loss == pytest.approx([np.log(CLASSES)] * MODELS)


def test_images_are_asked_for_once_each_and_in_bounded_numbers() -> None:
    stack = LinearStack.from_weights(WEIGHTS, BIAS)
    multiply, asked = multiplied_by(stack, IMAGES, STANDARDIZATION), list[NDArray[np.int64]]()

    def watched(rows: NDArray[np.int64]) -> NDArray[np.floating]:
        asked.append(rows)
        return multiply(rows)

    score_stack(stack, watched, LABELS, LOSSES["softmax"].kernel, np.ones(MODELS))
    assert max(map(len, asked)) <= LARGEST_SELECTION
    assert np.concatenate(asked).tolist() == list(range(len(IMAGES)))


def test_products_have_a_first_row_that_adds_nothing() -> None:
    stack = LinearStack.from_weights(WEIGHTS, BIAS)
    rows = np.array([5, 0, 5])
    product = multiplied_by(stack, IMAGES, STANDARDIZATION)(rows)
    assert product.shape == (4, (CLASSES - 1) * MODELS)
    assert not product[0].any()
    contrasts = scores()[rows] - BIAS
    expected = (contrasts[:, :-1] - contrasts[:, -1:]).reshape(3, -1)
    np.testing.assert_allclose(product[1:], expected, rtol=1e-3, atol=1e-3)
