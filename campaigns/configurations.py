"""Configuration cannot hurt: documents of every kind are refused in words, or valid.

The documents are read by a process that stays alive, at the speed of thousands a minute; a few of
them go through the real command line as well, with ``--dry-run``. A valid one has to read back as
the same settings once it is written; the trials of a valid sweep are made, too. Limits: a second of
the processor's time, so that a busy machine breaks no promise, and 64 MB of memory beyond what the
program needs anyhow; a sweep of many trials gets a little more of both for each.

The count is that of generated documents; all shapes of ``yaml_shapes`` are read before them.
"""

from collections.abc import Iterator
from pathlib import Path

from campaigns.campaign import Campaign, Trial
from campaigns.documents.configuration_reader import ConfigurationReader, Reading
from campaigns.documents.yaml_documents import generated
from campaigns.documents.yaml_shapes import SHAPES
from campaigns.processes.program import run_program

_SECONDS, _SECONDS_PER_TRIAL = 1.0, 0.5e-3
_BYTES, _BYTES_PER_TRIAL = 64 << 20, 16 << 10
_MAX_LINE = 2500
_MAX_LINES = 21


def run(trial: Trial) -> None:
    """Read all shapes, and as many generated documents as the trial's count says."""
    reader = ConfigurationReader(trial.folder)
    spoken = max(trial.count // 2000, 5)
    try:
        for number, (command, name, content, valid) in enumerate(_documents(trial)):
            reading = reader.read(command, content)
            why = _complaint(reading, reader.path, valid=valid)
            spoken_of = number % max((trial.count + 2 * len(SHAPES)) // spoken, 1) == 0
            if why is None and spoken_of:
                why = _through_the_command_line(command, reader.path, reading)
                trial.kept("through the command line")
            if why is None:
                trial.kept(f"{reading.outcome} for {command}")
            else:
                trial.broken(f"{command}, {name}, {content[:3000]!r}", why)
                reader.close()
    finally:
        reader.close()


def _documents(trial: Trial) -> Iterator[tuple[str, str, bytes, bool | None]]:
    """Command, name, document, and whether it is valid, where that is known."""
    for shape in SHAPES:
        yield "train", shape.name, shape.content, shape.valid
        yield "sweep", shape.name, shape.content, False
    for number, (command, content) in enumerate(generated(trial.seed, trial.count)):
        yield command, f"document {number}", content, None


def _complaint(reading: Reading, path: Path, *, valid: bool | None) -> str | None:
    """How a reading breaks the promise, or None."""
    if reading.outcome not in ("valid", "refused"):
        return reading.outcome
    if valid is not None and valid != (reading.outcome == "valid"):
        return f"it is {reading.outcome} {reading.message}"
    if reading.seconds > _SECONDS + _SECONDS_PER_TRIAL * reading.trials:
        return f"{reading.seconds:.2f} s for {reading.trials} trials"
    if reading.grown > _BYTES + _BYTES_PER_TRIAL * reading.trials:
        return f"{reading.grown >> 20} MB for {reading.trials} trials"
    if reading.outcome == "refused":
        return _unclear(reading.message)
    return None


def _unclear(message: str) -> str | None:
    """What is wrong with the message of a refusal, or None."""
    lines = message.splitlines()
    if not message.isprintable() and not all(line.isprintable() for line in lines):
        return f"control characters in {message!r}"
    if not lines or len(lines) > _MAX_LINES or max(map(len, lines)) > _MAX_LINE:
        return f"{len(lines)} lines, the longest of {max(map(len, lines), default=0)} characters"
    if not all("expected" in line or line == "... and more" for line in lines):
        return f"a line does not say what was expected: {message!r:.500}"
    return None


def _through_the_command_line(command: str, path: Path, reading: Reading) -> str | None:
    """How the program itself disagrees with a reading, or None; no steps of a sweep are timed."""
    if command == "sweep" and reading.outcome == "valid":
        return None
    ended = run_program(command, "--config", path, "--dry-run", folder=path.parent, seconds=120)
    code, start = (0, "") if reading.outcome == "valid" else (2, f"Error: {reading.message}")
    if ended.code != code or not ended.err.startswith(start):
        return f"the program ended with {ended.code}: {ended.err:.500}"
    return None


CAMPAIGN = Campaign("Configuration cannot hurt.", run, short=100, long=100_000)
