from softmax_cli.blas import blas_threads, limited_to


def test_a_limit_holds_inside_and_ends_outside() -> None:
    before = blas_threads()
    with limited_to(1):
        assert blas_threads() == 1
        with limited_to(2):
            assert blas_threads() == 2
        assert blas_threads() == 1
    assert blas_threads() == before
