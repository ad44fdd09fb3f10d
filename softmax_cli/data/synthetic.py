"""CIFAR-shaped images made from a seed, for the demo and for tests.

Every class has one smooth coloured pattern. An image is its class's pattern, moved by a few pixels
and lit more or less strongly, with some of another class's pattern mixed in and noise on top. A
linear classifier gets most of them right but not all.

Only integers are drawn and computed, so that a seed gives the same bytes on every machine.
"""

import hashlib
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from softmax_cli.data.cifar10 import CLASS_NAMES
from softmax_cli.data.dataset import DatasetSpec, Split
from softmax_cli.data.images import IMAGE_SHAPE, PIXELS, ImageSet

TRAIN_IMAGES = 5_000
TEST_IMAGES = 1_000

_CELLS = 4  # a pattern is a grid of 4 x 4 random colours, smoothed
_SHIFT = 4  # pixels, in each direction
_CONTRAST = (16, 81)  # of the image's own class, in 1/128
_MIXED_IN = (0, 65)  # of the other class, in 1/128
_NOISE = 48  # amplitude of the noise, in 1/128 of the range of a byte
_BRIGHTNESS = 40  # added to or taken from a whole image
_CHUNK = 500  # images made at a time, so that the temporaries stay in the cache


def make_synthetic(split: Split, *, seed: int = 0, size: int | None = None) -> ImageSet:
    """Make one split of the synthetic data set.

    Both splits of a seed share the class patterns and have no image in common.

    Args:
        split: which split.
        seed: decides the patterns and the images.
        size: number of images; None gives 5,000 training or 1,000 test images.

    Returns:
        Images of CIFAR-10's shape and class names, the classes equally frequent and shuffled.
    """
    pattern_seed, train_seed, test_seed = np.random.SeedSequence(seed).spawn(3)
    patterns = _shifted(_class_patterns(np.random.default_rng(pattern_seed)))
    rng = np.random.default_rng(train_seed if split == "train" else test_seed)
    if size is None:
        size = TRAIN_IMAGES if split == "train" else TEST_IMAGES

    labels = rng.permutation(np.arange(size, dtype=np.int64) % len(CLASS_NAMES))
    images = np.empty((size, PIXELS), np.uint8)
    for start in range(0, size, _CHUNK):
        chunk = slice(start, start + _CHUNK)
        images[chunk] = _draw_images(rng, patterns, labels[chunk])
    return ImageSet(images, labels, CLASS_NAMES, _digest(images, labels))


def load_synthetic(_: Path, split: Split) -> ImageSet:
    """Make one split of seed 0; no file is looked at."""
    return make_synthetic(split)


SYNTHETIC: Final = DatasetSpec(
    name="synthetic",
    title="synthetic images",
    class_names=CLASS_NAMES,
    training_images=TRAIN_IMAGES,
    load=load_synthetic,
)


def _class_patterns(rng: np.random.Generator) -> NDArray[np.int16]:
    """One smooth pattern per class, (10, 3, 32, 32) with values from -128 to 127."""
    channels, height, _ = IMAGE_SHAPE
    width = height // _CELLS
    cells = rng.integers(-128, 128, (len(CLASS_NAMES), channels, _CELLS, _CELLS))
    blocks = cells.repeat(width, axis=2).repeat(width, axis=3)
    for axis in (2, 3):
        blocks = np.sum([np.roll(blocks, s, axis) for s in range(width)], axis=0) // width
    return blocks.astype(np.int16)


def _shifted(patterns: NDArray[np.int16]) -> NDArray[np.int16]:
    """All patterns at all shifts, (10, shifts, 3072); what leaves on one side enters opposite."""
    steps = range(-_SHIFT, _SHIFT + 1)
    shifts = [np.roll(patterns, (dy, dx), axis=(2, 3)) for dy in steps for dx in steps]
    return np.stack(shifts, axis=1).reshape(len(patterns), -1, PIXELS)


def _draw_images(
    rng: np.random.Generator, patterns: NDArray[np.int16], labels: NDArray[np.int64]
) -> NDArray[np.uint8]:
    """One random image per label, (n, 3072); the sums below stay within int16."""
    n = len(labels)
    others = rng.integers(0, len(patterns), n)
    shifts = rng.integers(0, patterns.shape[1], (2, n))
    pixels = patterns[labels, shifts[0]] * _column(rng, *_CONTRAST, n)
    pixels += patterns[others, shifts[1]] * _column(rng, *_MIXED_IN, n)
    noise = np.frombuffer(rng.bytes(2 * n * PIXELS), np.uint8).reshape(2, n, PIXELS)
    pixels += (noise[0].astype(np.int16) - noise[1]) * np.int16(_NOISE)
    pixels >>= 7
    pixels += 128 + _column(rng, -_BRIGHTNESS, _BRIGHTNESS + 1, n)
    images: NDArray[np.uint8] = pixels.clip(0, 255).astype(np.uint8)
    return images


def _column(rng: np.random.Generator, low: int, high: int, n: int) -> NDArray[np.int16]:
    return rng.integers(low, high, (n, 1), dtype=np.int16)


def _digest(images: NDArray[np.uint8], labels: NDArray[np.int64]) -> str:
    content = hashlib.sha256(images.data)
    content.update(labels.astype("<i8").tobytes())
    return content.hexdigest()
