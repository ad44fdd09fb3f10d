"""What the bits of a training depend on beside its settings: numpy, BLAS, processor, threads."""

import platform
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import threadpoolctl

_UNKNOWN = "unknown"


def environment() -> dict[str, str | int]:
    """Describe the software and the processor that arithmetic runs on right now.

    Returns:
        ``python``, ``platform``, ``cpu``, ``numpy``, and of the BLAS that numpy calls ``blas``,
        ``blas_version``, ``blas_kernel`` (the processor family it is tuned for) and
        ``blas_threads``.
    """
    blas = _numpy_blas()
    return {
        "python": platform.python_version(),
        "platform": f"{platform.system()} {platform.machine()}",
        "cpu": _processor(),
        "numpy": np.__version__,
        "blas": str(blas.get("internal_api") or _UNKNOWN),
        "blas_version": str(blas.get("version") or _UNKNOWN),
        "blas_kernel": str(blas.get("architecture") or _UNKNOWN),
        "blas_threads": int(str(blas.get("num_threads") or 1)),
    }


def environment_differences(then: Mapping[str, object], now: Mapping[str, object]) -> list[str]:
    """Name what differs between two environments, as ``"numpy: 2.3.1, now 2.4.0"``.

    Args:
        then: the environment a checkpoint was made in.
        now: the environment it is resumed in.

    Returns:
        One line per difference, in the order of ``now``; none if results will agree in every bit.
    """
    return [
        f"{key}: {then.get(key, _UNKNOWN)}, now {value}"
        for key, value in now.items()
        if then.get(key) != value
    ]


def _numpy_blas() -> Mapping[str, object]:
    """What threadpoolctl reports of numpy's BLAS; other packages may have loaded their own."""
    found = [info for info in threadpoolctl.threadpool_info() if info["user_api"] == "blas"]
    shipped = [info for info in found if "numpy" in str(info["filepath"])]
    return next(iter(shipped or found), {})


def _processor() -> str:
    """The processor's marketing name where Linux gives it, else what Python reports."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        lines = []
    names = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(names, platform.processor() or platform.machine())
