"""What is recorded of the software and processor, and what is said when they change."""

import json

import numpy as np
import threadpoolctl

from softmax_cli.runs.environment import environment, environment_differences


def test_it_names_numpy_its_blas_and_the_threads() -> None:
    with threadpoolctl.threadpool_limits(1, user_api="blas"):
        found = environment()
    assert found["numpy"] == np.__version__
    assert found["blas_threads"] == 1
    assert found["blas"] != "unknown"
    assert found["cpu"]


def test_it_survives_json_without_a_difference() -> None:
    found = environment()
    assert environment_differences(json.loads(json.dumps(found)), found) == []


def test_each_difference_is_named() -> None:
    then = {"numpy": "2.3.1", "blas_threads": 2, "cpu": "same"}
    now = {"numpy": "2.4.0", "blas_threads": 2, "cpu": "same", "blas_kernel": "Zen"}
    assert environment_differences(then, now) == [
        "numpy: 2.3.1, now 2.4.0",
        "blas_kernel: unknown, now Zen",
    ]
