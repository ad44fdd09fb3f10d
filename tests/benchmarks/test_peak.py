import subprocess
import sys

import numpy as np
import pytest

from benchmarks.peak import run_measured


@pytest.mark.posix("a record of peak memory")
def test_peak_is_that_of_the_command_and_not_of_the_process_that_measures() -> None:
    ours = np.ones(300 << 20, np.uint8)  # every page of it touched
    small = run_measured([sys.executable, "-c", "print('small')"])
    large = run_measured([sys.executable, "-c", "print(len(b'x' * (200 << 20)))"])
    assert small.output == "small\n"
    assert small.peak_bytes < 100 << 20 < len(ours)
    assert 200 << 20 <= large.peak_bytes < 300 << 20


@pytest.mark.posix("a record of peak memory")
def test_a_command_that_fails_is_an_error() -> None:
    with pytest.raises(subprocess.CalledProcessError):
        run_measured([sys.executable, "-c", "raise SystemExit(3)"])
