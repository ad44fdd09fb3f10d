from pathlib import Path

import pytest

from benchmarks.growth import Axes, measure_growth
from benchmarks.step import many_synthetic_images, time_step
from benchmarks.task import Images


def test_a_step_is_timed_beside_its_products(images: Images) -> None:
    step = time_step(images.train, models=2, batch_size=20, repeats=3)
    assert (step.models, step.batch_size, step.images) == (2, 20, 1200)
    for spread in (step.seconds, step.product_seconds, step.ratio):
        assert 0 < spread.low <= spread.median <= spread.high


def test_there_are_as_many_images_as_cifar10_has() -> None:
    images = many_synthetic_images()
    assert images.images.shape == (50_000, 3072)
    assert (images.images[:5000] == images.images[-5000:]).all()
    assert (images.labels[:5000] == images.labels[-5000:]).all()


@pytest.mark.posix("a record of peak memory")
@pytest.mark.cifar10
def test_every_point_of_growth_is_measured_in_its_own_process(cifar10_dir: Path) -> None:
    axes = Axes(models=(2,), batch_sizes=(50,), images=(5000,))
    points = measure_growth(cifar10_dir, axes, repeats=1, announce=lambda _: None)
    assert [point.axis for point in points] == ["models", "batch_size", "images"]
    assert [point.step.models for point in points] == [2, 1, 1]
    assert [point.step.batch_size for point in points] == [200, 50, 200]
    assert [point.step.images for point in points] == [5000, 5000, 5000]
    assert points[0].seconds_per_model == points[0].step.seconds.median / 2
    # The images alone take 154 MB; torch or JAX would more than double that.
    assert all(154e6 < point.peak_bytes < 400e6 for point in points)
