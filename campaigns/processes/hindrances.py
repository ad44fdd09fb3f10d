"""What keeps the program from writing: closed pipes, full disks, forbidden folders, odd names."""

import os
import resource
import shlex
import shutil
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from campaigns.processes.disturbed_run import ARGUMENTS, TRAIN, Case, resume_faults
from campaigns.processes.permissions import bind_permissions
from campaigns.processes.program import PROGRAM, Ended, environment, run_program

_NAMES = (
    b"with space", "größer 図".encode(), b"not text \xff\xfe", b"new\nline", b"'quoted\"", b"$x",
    b"-dash", b"a\x1b[31mb", b"%s{0}", b"[bold]",
)  # fmt: skip

_PIPES = (
    "presets | true",
    "presets cs231n | true",
    "evaluate {trained} --format json | true",
    "evaluate {trained} --split train | true",
    "--help | true",
    "predict {trained} {trained}/curves.png --format jsonl | true",
    "{quick} --quiet --run-dir run | true",
    "{quick} --verbose --run-dir run 2>&1 | head -1",
)


def _half_made(case: Case, target: Path) -> Path:
    """A training that has a part of its way before it."""
    shutil.copytree(case.wholes["train"], target)
    for name in ("summary.json", "model.safetensors", "best.safetensors", "curves.png"):
        (target / name).unlink()
    max((target / "checkpoint").iterdir()).unlink()
    return target


def _contents(folder: Path) -> dict[Path, bytes]:
    return {path: path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


def closed_pipe(case: Case) -> None:
    """The reader of a pipe goes away: not a word about it."""
    for pipe in _PIPES:
        trained = shlex.quote(str(case.wholes["train"]))
        command = pipe.format(trained=trained, quick=" ".join(TRAIN).replace("3000", "300"))
        script = f"{{ {shlex.join(PROGRAM)} {command.replace(' | ', '; echo $? >code; } | ')}"
        done = subprocess.run(
            ["/bin/sh", "-c", script],
            cwd=case.place,
            env=environment(),
            capture_output=True,
            text=True,
            check=False,
        )
        faults = Ended(int((case.place / "code").read_text()), "", done.stderr).faults(0, 1)
        if done.stderr:
            faults.append(f"stderr: {done.stderr}")
        case.record("closed pipe", [f"{pipe}: {fault}" for fault in faults])
        shutil.rmtree(case.place / "run", ignore_errors=True)


def full_disk(case: Case) -> None:
    """The disk is full for a while."""
    kind = case.rng.choice(("train", "sweep"))
    size = case.rng.choice((0, 16, 200, 400, 800, 1200)) + case.rng.randrange(1, 100)
    disk = case.place / "disk"
    with _mounted(disk, "-t", "tmpfs", "-o", f"size={size}k", "tmpfs") as mounted:
        if not mounted:
            case.record("not tried: full disk, for nothing can be mounted here", [])
            return
        result = run_program(*ARGUMENTS[kind], "--run-dir", "disk/run", folder=case.place)
        # Where only a picture finds no room, the run is done.
        faults = result.faults(0, 1, saying="No space left on device")
        subprocess.run(["mount", "-o", "remount,size=64m", disk], check=True)
        faults += resume_faults(case, kind, disk / "run")
    case.record(f"full disk under {kind}", faults)


@contextmanager
def _mounted(place: Path, *options: object) -> Iterator[bool]:
    """A file system at a place; whether this machine allows it."""
    place.mkdir(exist_ok=True)
    command = ["mount", *map(str, options), str(place)]
    try:
        mounted = subprocess.run(command, capture_output=True, check=False).returncode == 0
    except FileNotFoundError:
        mounted = False
    try:
        yield mounted
    finally:
        if mounted:
            subprocess.run(["umount", "--lazy", place], check=True)


def read_only(case: Case) -> None:
    """A folder that may not be written to: nothing changes, and later all goes on."""
    folder = _half_made(case, case.place / "run")
    before = _contents(folder)
    if case.rng.random() < 0.5:
        with _mounted(folder, "--bind", "-o", "ro", folder) as mounted:
            if not mounted:
                case.record("not tried: read-only mount, for nothing can be mounted here", [])
                return
            faults = _refused(case, None)
    else:
        closed = [folder, folder / "checkpoint"]
        for path in closed:
            path.chmod(0o555)
        faults = _refused(case, bind_permissions)
        for path in closed:
            path.chmod(0o755)
    if _contents(folder) != before:
        faults.append("files were changed")
    case.record("read-only folder", faults + resume_faults(case, "train", folder))


def _refused(case: Case, before: Callable[[], None] | None) -> list[str]:
    faults = []
    for arguments in (("train", "--resume", "run"), (*TRAIN, "--run-dir", "run/inner")):
        result = run_program(*arguments, folder=case.place, before=before)
        faults += result.faults(1, saying="that you may write to")
        if "run" not in result.err.partition("Error:")[2]:
            faults.append(f"the folder is not named: {result.err}")
    return faults


def odd_name(case: Case) -> None:
    """A name with spaces, of any script or of none, through every command that takes one."""
    name = os.fsdecode(case.rng.choice(_NAMES))
    place = case.place / name
    place.mkdir()
    given = f"./{name}"
    faults = run_program(*TRAIN, f"--run-dir={given}", folder=place).faults(0)
    for arguments in (
        ("train", "--resume", given),
        ("evaluate", given, "--calibrate", "--format", "json"),
        ("visualize", given, "--output", f"{given}/{name}"),
        ("predict", given, f"{given}/curves.png", "--calibrated"),
        ("train", "-c", f"{given}/config.yaml", "--run-dir", f"{given} again"),
    ):
        faults += [
            f"{arguments[0]}: {fault}" for fault in run_program(*arguments, folder=place).faults(0)
        ]
    case.record("odd name", faults)


def full_output(case: Case) -> None:
    """Results that cannot be written are an error, and the run is whole all the same."""
    trained = str(case.wholes["train"])
    commands: tuple[tuple[str, ...], ...] = (
        ("presets",),
        ("presets", "cs231n"),
        ("evaluate", trained),
        ("evaluate", trained, "--format", "json"),
        ("--help",),
        ("train", "--help"),
        (*TRAIN, "--run-dir", "run"),
    )
    for arguments in commands:
        with Path("/dev/full").open("w") as full:
            done = subprocess.run(
                [*PROGRAM, *arguments],
                cwd=case.place,
                env=environment(),
                stdout=full,
                stderr=subprocess.PIPE,
                text=True,
                check=False,
            )
        result = Ended(done.returncode, "", done.stderr)
        faults = result.faults(1, saying="No space left on device")
        case.record("full output", [f"{' '.join(arguments)}: {fault}" for fault in faults])
    case.record("run with full output", resume_faults(case, "train", case.place / "run"))


def longest_file(case: Case) -> None:
    """No file may grow beyond a limit for a while, as under a quota."""
    limit = case.rng.randrange(100, 400_000)
    kind = case.rng.choice(("train", "sweep"))

    def limited() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))

    result = run_program(*ARGUMENTS[kind], "--run-dir", "run", folder=case.place, before=limited)
    faults = result.faults(0, 1)
    if result.code == 1 and "File too large" not in result.err:
        faults.append(f"expected the reason on stderr, got {result.err!r}")
    faults += resume_faults(case, kind, case.place / "run")
    case.record(f"limit of file sizes under {kind}", faults)
