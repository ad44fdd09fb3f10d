import numpy as np
import pytest

from softmax_cli import blas
from softmax_cli.arrays import Floats
from softmax_cli.blas import blas_threads, limited_to, multiply


def test_a_limit_holds_inside_and_ends_outside() -> None:
    before = blas_threads()
    with limited_to(1):
        assert blas_threads() == 1
        with limited_to(2):
            assert blas_threads() == 2
        assert blas_threads() == 1
    assert blas_threads() == before


def test_limits_of_threads_that_overlap_end_with_the_last() -> None:
    before = blas_threads()
    first, second = limited_to(2), limited_to(1)
    first.__enter__()
    second.__enter__()
    assert blas_threads() == 1
    first.__exit__(None, None, None)
    assert blas_threads() == 1
    second.__exit__(None, None, None)
    assert blas_threads() == before


def test_what_was_before_is_what_it_is_when_a_limit_begins() -> None:
    with limited_to(1):
        pass
    with limited_to(2), limited_to(1):
        pass
    before = blas_threads()
    with limited_to(1):
        assert blas_threads() == 1
    assert blas_threads() == before


@pytest.mark.parametrize("small_kernels", [False, True])
@pytest.mark.parametrize(
    "shape",
    [
        (0, 40, 9),
        (7, 40, 9),
        (501, 1500, 9),  # in seven pieces, the last one smaller
        (3, 200_000, 9),  # a row alone has more multiplications than a small product
        (201, 1500, 13),
    ],
)
def test_a_product_is_the_same_in_pieces(
    monkeypatch: pytest.MonkeyPatch, shape: tuple[int, int, int], small_kernels: bool
) -> None:
    monkeypatch.setattr(blas, "_has_small_kernels", lambda: small_kernels)
    rows, inner, columns = shape
    rng = np.random.default_rng(0)
    A = rng.normal(size=(inner, rows)).astype(np.float32).T  # as X^T stands in memory
    B = rng.normal(size=(inner, columns + 1)).astype(np.float32)[:, :-1]
    out = np.full((rows, columns + 1), 7, np.float32)
    multiply(A, B, out[:, :-1])
    np.testing.assert_allclose(
        out[:, :-1], A.astype(np.float64) @ B, rtol=0, atol=3e-5 * inner**0.5
    )
    assert (out[:, -1] == 7).all()


def test_pieces_are_small_and_few_columns_alone_are_cut(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(blas, "_has_small_kernels", lambda: True)
    products: list[int] = []

    def matmul(A: Floats, B: Floats, out: Floats) -> None:
        products.append(A.shape[0] * B.size)

    monkeypatch.setattr(np, "matmul", matmul)
    A, B = np.zeros((501, 1500), np.float32), np.zeros((1500, 24), np.float32)
    multiply(A, B[:, :9], np.zeros((501, 9), np.float32))
    assert len(products) > 1
    assert max(products) <= 100**3
    assert sum(products) == 501 * 1500 * 9
    products.clear()
    multiply(A, B, np.zeros((501, 24), np.float32))
    assert products == [501 * 1500 * 24]
