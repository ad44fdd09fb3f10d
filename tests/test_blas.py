from softmax_cli.blas import blas_threads, limited_to


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
