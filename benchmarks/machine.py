"""What the measurements ran on: processor, caches, memory, libraries, threads."""

import os
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from softmax_cli.runs.environment import environment

_PACKAGES = ("cifar-softmax", "numpy", "scipy", "scikit-learn", "torch", "jax", "jaxlib")
_CACHES = Path("/sys/devices/system/cpu/cpu0/cache")


def cores() -> int:
    """Processor cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def machine() -> dict[str, object]:
    """Describe hardware and software, and how busy the machine is right now."""
    return {
        **environment(),
        "cores": cores(),
        "caches": _caches(),
        "memory_gib": round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30, 1),
        "load_average": round(os.getloadavg()[0], 2),
        "versions": {name: found for name in _PACKAGES if (found := _version(name))},
    }


def _version(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None


def _caches() -> dict[str, str]:
    """Size of each cache of the first core, where Linux tells: ``{"L2": "1024K", ...}``."""
    caches = {}
    for index in sorted(_CACHES.glob("index*")):
        level, kind, size = (
            (index / name).read_text().strip() for name in ("level", "type", "size")
        )
        suffix = "" if kind == "Unified" else kind[0].lower()
        caches[f"L{level}{suffix}"] = size
    return caches
