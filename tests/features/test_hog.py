"""HOG against numbers worked out by hand and against a plain slow loop."""

import colorsys
import math
from collections import Counter
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from softmax_cli.data.synthetic import make_synthetic
from softmax_cli.features.hog import Hog

FINE: dict[str, Any] = {
    "cell_size": 4,
    "signed": True,
    "gradient": "strongest",
    "overlap": True,
    "normalization": "blocks",
    "clip": 0.2,
    "square_root": True,
    "cell_colors": True,
    "cell_hue_bins": 6,
}
VARIANTS: dict[str, dict[str, Any]] = {
    "cs231n": {},
    "fine": FINE,
    "no hues": {"hue_bins": 0, "orientations": 2, "cell_size": 16},
    "one cell": {"cell_size": 32, "overlap": True, "normalization": "blocks", "signed": True},
    "even": {"orientations": 4, "signed": True, "cell_hue_bins": 4, "gradient": "strongest"},
    "overlap": {"overlap": True, "cell_colors": True, "square_root": True, "hue_bins": 1},
    "blocks": {"normalization": "blocks", "clip": 0.3, "orientations": 5, "hue_bins": 37},
}
RNG = np.random.default_rng(0)
NOISE = RNG.integers(0, 256, (3, 3072), dtype=np.uint8)
IMAGES = np.concatenate([NOISE, make_synthetic("train", size=2).images])


def gray_image(values: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """One image (1, 3072) with these gray values (32, 32)."""
    return np.broadcast_to(values, (3, 32, 32)).reshape(1, 3072).astype(np.uint8)


def mirrored(images: NDArray[np.uint8]) -> NDArray[np.uint8]:
    pictures = images.reshape(-1, 3, 32, 32)
    return np.ascontiguousarray(pictures[..., ::-1]).reshape(images.shape)


# A plain implementation, pixel by pixel, with angles.


def slow_hog(image: NDArray[np.uint8], **options: Any) -> list[float]:
    """Features of one image (3072,)."""
    hog = {"cell_size": 8, "orientations": 9, "hue_bins": 10, "clip": 1.0, **options}
    colors = image.reshape(3, 32, 32).astype(np.float64) / 255
    cells = 32 // hog["cell_size"]
    gradients = {
        (row, column): slow_gradient(colors, row, column, hog.get("gradient", "gray"))
        for row in range(32)
        for column in range(32)
    }
    bins = hog["orientations"]
    centers = [math.radians((j - (bins - 1) / 2) * 180 / bins) for j in range(2 * bins)]
    histograms = slow_cells(gradients, centers, hog)
    if not hog.get("signed"):
        histograms = histograms[:bins] + histograms[bins:]
    if hog.get("normalization") == "blocks":
        histograms = slow_blocks(histograms, hog["clip"])
    if hog.get("square_root"):
        histograms = np.sqrt(histograms)
    features: list[float] = list(histograms.reshape(-1))
    if hog.get("cell_colors"):
        blocks = colors.reshape(3, cells, hog["cell_size"], cells, hog["cell_size"])
        features += [*blocks.mean(axis=(2, 4)).reshape(-1), *blocks.std(axis=(2, 4)).reshape(-1)]
    if hog.get("cell_hue_bins"):
        hues = hog["cell_hue_bins"]
        vectors = {(row, column): hue_vector(colors[:, row, column]) for row, column in gradients}
        histograms = slow_cells(vectors, [math.tau * j / hues for j in range(hues)], hog)
        features += list((np.sqrt(histograms) if hog.get("square_root") else histograms).flat)
    if hog["hue_bins"]:
        counts = Counter(
            int(hog["hue_bins"] * colorsys.rgb_to_hsv(*colors[:, row, column])[0] + 1e-9)
            for row, column in gradients
        )
        features += [counts[j] / 1024 for j in range(hog["hue_bins"])]
    return features


def slow_gradient(
    colors: NDArray[np.float64], row: int, column: int, kind: str
) -> tuple[float, float]:
    if kind == "gray":
        colors = np.tensordot([0.299, 0.587, 0.114], colors, 1)[None]
    up, down = max(row - 1, 0), min(row + 1, 31)
    left, right = max(column - 1, 0), min(column + 1, 31)
    candidates = [
        ((plane[row, right] - plane[row, left]) / 2, (plane[down, column] - plane[up, column]) / 2)
        for plane in colors
    ]
    return max(candidates, key=lambda gradient: math.hypot(*gradient))


def hue_vector(color: NDArray[np.float64]) -> tuple[float, float]:
    """Red, green and blue are three directions at 120 degrees from each other."""
    angles = [0, math.tau / 3, 2 * math.tau / 3]
    across = sum(value * math.cos(angle) for value, angle in zip(color, angles, strict=True))
    return across, sum(value * math.sin(angle) for value, angle in zip(color, angles, strict=True))


def slow_cells(
    vectors: dict[tuple[int, int], tuple[float, float]], centers: list[float], hog: dict[str, Any]
) -> NDArray[np.float64]:
    """Histograms (bins, k, k) of vectors that vote for the two nearest of these directions."""
    size, cells = hog["cell_size"], 32 // hog["cell_size"]
    width = math.tau / len(centers)
    histograms = np.zeros((len(centers), cells, cells))
    for (row, column), (x, y) in vectors.items():
        length, angle = math.hypot(x, y), math.atan2(y, x)
        for j, center in enumerate(centers):
            away = abs((angle - center + math.pi) % math.tau - math.pi)
            if away >= width:
                continue
            vote = length * math.sin(width - away) / math.sin(width)
            for i in range(cells):
                for k in range(cells):
                    weight = cell_weight(row, i, hog) * cell_weight(column, k, hog)
                    histograms[j, i, k] += weight * vote / size**2
    return histograms


def cell_weight(pixel: int, cell: int, hog: dict[str, Any]) -> float:
    size: int = hog["cell_size"]
    if not hog.get("overlap"):
        return float(pixel // size == cell)
    return max(0.0, 1 - abs(pixel + 0.5 - (cell + 0.5) * size) / size)


def slow_blocks(histograms: NDArray[np.float64], clip: float) -> NDArray[np.float64]:
    cells = histograms.shape[1]
    normalized = np.zeros_like(histograms)
    for row in range(cells):
        for column in range(cells):
            for top in (row - 1, row):
                for left in (column - 1, column):
                    block = [
                        histograms[:, min(max(i, 0), cells - 1), min(max(k, 0), cells - 1)]
                        for i in (top, top + 1)
                        for k in (left, left + 1)
                    ]
                    length = math.sqrt(float(np.square(block).sum()) + 0.025**2)
                    cut = np.minimum(histograms[:, row, column] / length, clip)
                    normalized[:, row, column] += cut / 4
    return normalized


@pytest.mark.parametrize("name", VARIANTS)
def test_a_plain_slow_loop_agrees(name: str) -> None:
    options = VARIANTS[name]
    features = Hog(**options).transform(IMAGES[1:4])
    expected = [slow_hog(image, **options) for image in IMAGES[1:4]]
    np.testing.assert_allclose(features, expected, rtol=0, atol=1e-5)


def test_the_defaults_are_those_of_the_exercise() -> None:
    assert Hog().size == 4 * 4 * 9 + 10
    assert Hog().strokes(np.zeros((154, 3))).cells.shape == (3, 4, 4, 9)


def test_an_image_with_one_vertical_edge() -> None:
    # Black to the left of column 12, white from there on. The differences at columns 11 and 12 are
    # (1 - 0) / 2, to the right: bin 4 of 9, whose direction is 0 degrees, and no other. Of the
    # second cell of each row that is 2 of 8 columns: 1/2 * 2/8.
    picture = np.zeros((32, 32), np.uint8)
    picture[:, 12:] = 255
    features = Hog(hue_bins=0).transform(gray_image(picture)).reshape(9, 4, 4)
    expected = np.zeros((9, 4, 4))
    expected[4, :, 1] = 0.125
    np.testing.assert_allclose(features, expected, atol=1e-7)


def test_the_two_sides_of_a_signed_edge_have_opposite_bins() -> None:
    # Of 4 bins over 180 degrees the centres are -67.5, -22.5, 22.5 and 67.5 degrees. A gradient to
    # the right lies between the two in the middle, and each gets sin(22.5) / sin(45) of it; one to
    # the left lies between their opposites, bins 5 and 6.
    picture = np.zeros((32, 32), np.uint8)
    picture[:, 12:20] = 255
    hog = Hog(orientations=4, signed=True, hue_bins=0)
    features = hog.transform(gray_image(picture)).reshape(8, 4, 4)
    vote = 0.125 * math.sin(math.radians(22.5)) / math.sin(math.radians(45))
    expected = np.zeros((8, 4, 4))
    expected[1:3, :, 1] = expected[5:7, :, 2] = vote
    np.testing.assert_allclose(features, expected, atol=1e-7)


def test_an_edge_below_a_horizontal_line_is_between_the_outer_bins() -> None:
    # Down is 90 degrees: half-way between bin 8 at 80 and bin 0 at -80, which is opposite to 100.
    picture = np.zeros((32, 32), np.uint8)
    picture[12:] = 255
    features = Hog(hue_bins=0).transform(gray_image(picture)).reshape(9, 4, 4)
    vote = 0.125 * math.sin(math.radians(10)) / math.sin(math.radians(20))
    expected = np.zeros((9, 4, 4))
    expected[0, 1] = expected[8, 1] = vote
    np.testing.assert_allclose(features, expected, atol=1e-7)


def test_hues_fall_into_equal_parts_of_the_circle() -> None:
    # Yellow has hue 1/6, green 1/3, cyan 1/2, blue 2/3; a red with a little blue has nearly 1.
    colors = [(255, 255, 0), (0, 255, 0), (0, 255, 255), (0, 0, 255), (255, 0, 1), (7, 7, 7)]
    for color, place in zip(colors, [1, 2, 3, 4, 5, 0], strict=True):
        image = np.repeat(np.array(color, np.uint8), 1024)[None]
        hues = Hog(hue_bins=6).transform(image)[0, -6:]
        assert np.flatnonzero(hues).tolist() == [place]
        assert hues[place] == 1


def test_a_hue_on_the_border_of_two_bins_is_in_the_upper_one() -> None:
    # Hue (g - b) / 6 (r - b) = 1/10 for g - b = 3 and r - b = 5, at any brightness.
    for base in range(0, 251, 10):
        image = np.repeat(np.array([base + 5, base + 3, base], np.uint8), 1024)[None]
        assert Hog(hue_bins=10).transform(image)[0, -9] == 1


def test_an_image_without_edges_and_colours_has_nothing_but_brightness() -> None:
    for value in (0, 1, 128, 255):
        image = np.full((1, 3072), value, np.uint8)
        assert not Hog(hue_bins=0).transform(image).any()
        features = Hog(**FINE).transform(image)[0]
        assert not features[: 18 * 64].any()
        np.testing.assert_allclose(features[18 * 64 : 21 * 64], value / 255, rtol=1e-6)
        np.testing.assert_allclose(features[21 * 64 : 30 * 64], 0, atol=1e-6)
        assert features[-10] == 1, "gray has hue 0"


@pytest.mark.parametrize("name", VARIANTS)
def test_the_greatest_contrasts_stay_finite_and_not_negative(name: str) -> None:
    rows, columns = np.indices((32, 32))
    boards = [(rows + columns) % 2, rows % 2, columns // 2 % 2, (rows // 2 + columns // 2) % 2]
    images = np.concatenate([gray_image((255 * board).astype(np.uint8)) for board in boards])
    features = Hog(**VARIANTS[name]).transform(images)
    assert np.isfinite(features).all()
    assert features.min() >= 0
    assert features.max() <= 2


@pytest.mark.parametrize("name", VARIANTS)
def test_mirroring_permutes_the_features(name: str) -> None:
    hog = Hog(**VARIANTS[name])
    features = hog.transform(IMAGES)
    assert features.shape == (5, hog.size)
    np.testing.assert_allclose(
        hog.transform(mirrored(IMAGES)), features[:, hog.mirror], rtol=0, atol=1e-5
    )
    assert (hog.mirror[hog.mirror] == np.arange(hog.size)).all()


@settings(max_examples=30, deadline=None)
@given(
    st.sampled_from([2, 4, 8, 16, 32]),
    st.integers(2, 36),
    st.booleans(),
    st.integers(0, 100),
    st.sampled_from(["none", "blocks"]),
)
def test_any_settings_can_be_mirrored(
    cell_size: int, orientations: int, signed: bool, hue_bins: int, normalization: Any
) -> None:
    hog = Hog(
        cell_size=cell_size,
        orientations=orientations,
        signed=signed,
        hue_bins=hue_bins,
        normalization=normalization,
    )
    features = hog.transform(NOISE[:1])
    assert features.shape == (1, hog.size)
    np.testing.assert_allclose(
        hog.transform(mirrored(NOISE[:1])), features[:, hog.mirror], rtol=0, atol=1e-5
    )


@pytest.mark.parametrize("name", VARIANTS)
def test_a_row_depends_on_no_other_image(name: str) -> None:
    images = RNG.integers(0, 256, (200, 3072), dtype=np.uint8)
    hog = Hog(**VARIANTS[name])
    features = hog.transform(images)
    for start, stop in [(0, 1), (63, 65), (100, 137), (199, 200)]:
        assert (hog.transform(images[start:stop]) == features[start:stop]).all()


def test_weights_are_laid_out_as_strokes() -> None:
    hog = Hog(cell_size=16, orientations=3, signed=True, hue_bins=4)
    weights = np.arange(hog.size * 2.0).reshape(hog.size, 2)
    strokes = hog.strokes(weights)
    assert strokes.cells.shape == (2, 2, 2, 6)
    for j in range(6):  # bin by bin, and in each the cells row by row
        assert strokes.cells[1, 0, 1, j] == weights[4 * j + 1, 1]
        assert strokes.cells[0, 1, 0, j] == weights[4 * j + 2, 0]
    np.testing.assert_allclose(np.degrees(strokes.angles), [-60, 0, 60, 120, 180, 240])
    assert (strokes.hues == weights[-4:].T).all()


@pytest.mark.parametrize("name", ["cs231n", "fine"])
def test_a_slope_is_the_longest_stroke_of_every_cell(name: str) -> None:
    rows, columns = np.indices((32, 32))
    picture = (64 + 4 * rows - 2 * columns).astype(np.uint8)
    hog = Hog(**VARIANTS[name])
    strokes = hog.strokes(hog.transform(gray_image(picture)).T)
    gradients = np.degrees(strokes.angles[strokes.cells[0].argmax(axis=-1)]) % 360  # (k, k)
    expected = math.degrees(math.atan2(4, -2)) + (0 if VARIANTS[name] else 180)
    np.testing.assert_allclose(gradients, expected, atol=10)
