import numpy as np

from benchmarks.extraction import PatchProducts, compare_extraction


def test_an_extraction_is_timed_beside_its_products() -> None:
    comparison = compare_extraction(images=4, repeats=1, announce=lambda _: None)
    assert [measured.name for measured in comparison.measurements] == [
        "a product for each response",
        "products without the negative filters",
        "extraction",
    ]
    (goal,) = comparison.goals
    ratio = comparison.ratio(goal)
    assert ratio is not None
    assert ratio.median > 0
    assert goal.bound == 1.6


def test_products_are_made_for_every_image_by_some_thread() -> None:
    shapes = [(3, 2, 4), (4, 2, 3)]
    products = PatchProducts("products", 5, shapes)
    calls: list[int] = []
    products._multiply = calls.append  # type: ignore[assignment, method-assign]
    products.run()
    assert np.sum(calls) >= 5
