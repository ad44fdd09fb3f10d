"""Run a command and measure its time and peak memory; ``python peak.py COMMAND...`` prints JSON.

Linux counts the memory of the process that starts another one towards the peak of the latter. So
a small process has to stand between a large one that measures and what it measures: this file, run
as a script, which imports nothing but the standard library.

What forks of the command need besides is seen by looking again and again at the sum over all of
them, in which a page that several share is counted once.
"""

import json
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

_ROOT = Path(__file__).parents[1]
_LOOK_SECONDS = 0.02


@dataclass(frozen=True)
class ProcessRun:
    """What a command took.

    Attributes:
        seconds: from start to end.
        peak_bytes: most memory that was resident at a time, in the command and its forks.
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
    import resource  # which Windows lacks

    start = time.perf_counter()
    with (
        tempfile.TemporaryFile("w+") as output,
        subprocess.Popen(command, stdout=output, text=True) as ran,
    ):
        peak = 0
        while ran.poll() is None:
            peak = max(peak, _resident_bytes(ran.pid))
            time.sleep(_LOOK_SECONDS)
        seconds = time.perf_counter() - start
        output.seek(0)
        unit = 1 if sys.platform == "darwin" else 1024
        largest = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss * unit
        document = {"seconds": seconds, "peak_bytes": max(peak, largest), "output": output.read()}
    print(json.dumps(document))
    return ran.returncode


def _resident_bytes(pid: int) -> int:
    """What a process and its descendants hold now; 0 where the system does not tell.

    A fork that begins or ends while they are read would count pages of the others twice, so then
    they are read again.
    """
    try:
        while True:
            family = _family(pid)
            resident = sum(map(_share_of_pages, family))
            if _family(pid) == family:
                return resident
    except OSError:
        return 0


def _family(pid: int) -> list[int]:
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return [pid, *(member for child in children for member in _family(int(child)))]


def _share_of_pages(pid: int) -> int:
    """Bytes resident in a process; of a page that several share, each has a part."""
    lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    return 1024 * sum(int(line.split()[1]) for line in lines if line.startswith("Pss:"))


if __name__ == "__main__":
    sys.exit(_main(sys.argv[1:]))
