"""Run a command and measure its time and peak memory; ``python peak.py COMMAND...`` prints JSON.

Linux counts the memory of the process that starts another one towards the peak of the latter. So
a small process has to stand between a large one that measures and what it measures: this file, run
as a script, which imports nothing but the standard library.
"""

import json
import resource
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

_ROOT = Path(__file__).parents[1]


@dataclass(frozen=True)
class ProcessRun:
    """What a command took.

    Attributes:
        seconds: from start to end.
        peak_bytes: most memory that was resident at a time.
        output: what it wrote to stdout.
    """

    seconds: float
    peak_bytes: int
    output: str


def run_measured(command: list[str]) -> ProcessRun:
    """Run a command in a process of its own.

    Raises:
        subprocess.CalledProcessError: it failed.
    """
    between = [sys.executable, __file__, *command]
    ran = subprocess.run(between, cwd=_ROOT, check=True, stdout=subprocess.PIPE, text=True)
    return ProcessRun(**json.loads(ran.stdout))


def _main(command: list[str]) -> int:
    start = time.perf_counter()
    ran = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=False)
    seconds = time.perf_counter() - start
    peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
    unit = 1 if sys.platform == "darwin" else 1024
    print(json.dumps({"seconds": seconds, "peak_bytes": peak * unit, "output": ran.stdout}))
    return ran.returncode


if __name__ == "__main__":
    sys.exit(_main(sys.argv[1:]))
