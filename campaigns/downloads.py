"""A download is right or absent: cuts, kills, and servers that answer wrongly.

Each case runs the real program as a process, in an empty folder, against servers on this machine.
The program is made to expect a small archive and to give up within seconds, by
``download.patched_program``; nothing else of it is changed. In every case the folder of the data
set has to be absent or right, byte for byte, and what the program says and its exit code have to
fit it.

The count is that of cuts at random bytes. For ten of them there are three kills, while the server
holds its answer at a random byte or at a random moment. From a hundred on all the faults of
``download.faults`` take part, a kill before each operation on files, and the other cases; below as
many of them as there are cuts.
"""

import re
import shutil
import signal
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from random import Random

from campaigns.campaign import Campaign, Trial
from campaigns.download.faults import (
    LASTING_FAULTS,
    PASSING_FAULTS,
    Answer,
    LastingFault,
    PassingFault,
)
from campaigns.download.setting import (
    IMPATIENT,
    PATIENT,
    BrokenError,
    DownloadSetting,
    check_refetched,
    demand,
    setting_in,
)
from tests.data.mirror import CHUNK, Handler, cut_at

_LONG = 100
_OPERATIONS = 26
"""A download does nearly so many operations on files."""


@dataclass(frozen=True)
class Case:
    """What is done in a folder of its own; ``act`` raises a `BrokenError` if need be."""

    kind: str
    name: str
    act: Callable[[DownloadSetting], None]


def _cut(setting: DownloadSetting, at: int, *, another_run: bool) -> None:
    """The connection ends behind a byte; the same run goes on from there, or the next."""
    server = setting.mirror(cut_at(at))
    if another_run:
        ended = setting.run(server.url, policy=IMPATIENT)
        demand(ended.code == 1, f"expected exit code 1, got {ended}")
        named = server.url in ended.out and ("closed" in ended.out or "ended" in ended.out)
        demand(named, f"expected the server and a reason, got {ended.out}")
    setting.finish(server.url)
    check_refetched(server, at, 1)


def _hold_at(at: int) -> Answer:
    """Send up to a byte, and then nothing while the program is disturbed."""

    def answer(handler: Handler) -> None:
        handler.serve(stop=at)
        handler.wfile.flush()
        handler.server.released.wait(10)

    return answer


def _disturb(setting: DownloadSetting, at: int, number: signal.Signals, code: int) -> None:
    """Send a signal when all bytes before one have been sent and read; then go on."""
    server = setting.mirror(_hold_at(at))
    program = setting.start(server.url)
    _wait_for(lambda: bool(server.stops), 20)
    _wait_for(lambda: setting.arrived == at, PATIENT.stall_seconds / 2)
    program.send_signal(number)
    ended = setting.end(program)
    demand(ended.code == code, f"expected exit code {code}, got {ended}")
    setting.finish(server.url)
    check_refetched(server, at, 1)


def _wait_for(condition: Callable[[], bool], seconds: float) -> None:
    """Wait until something holds, or for so long that it never will."""
    deadline = time.monotonic() + seconds
    while not condition() and time.monotonic() < deadline:
        time.sleep(0.005)


def _kill_before_operation(setting: DownloadSetting, operation: int) -> None:
    server = setting.mirror()
    ended = setting.run(server.url, kill_at=operation)
    demand(ended.code in (0, -signal.SIGKILL), f"expected it killed or done, got {ended}")
    _resume(setting)


def _kill_after(setting: DownloadSetting, seconds: float) -> None:
    program = setting.start(setting.mirror(_slow).url)
    time.sleep(seconds)
    program.kill()
    setting.end(program)
    _resume(setting)


def _slow(handler: Handler) -> None:
    """Serve soundly for about half a second."""
    content = handler.server.content
    handler.serve(stop=handler.start)
    for at in range(handler.start, len(content), CHUNK // 2):
        time.sleep(0.06)
        handler.wfile.write(content[at : at + CHUNK // 2])


def _until_asked_again(handler: Handler) -> None:
    """Give a second client the time to ask, which it should not."""
    _wait_for(lambda: len(handler.server.starts) > 1, PATIENT.stall_seconds / 2)
    _slow(handler)


def _resume(setting: DownloadSetting) -> None:
    """Whatever a killed process has written is not fetched again."""
    arrived, server = setting.arrived, setting.mirror()
    setting.finish(server.url)
    demand(arrived == 0 or server.starts in ([], [arrived]), f"{arrived} bytes, {server.starts}")


def _lasting(setting: DownloadSetting, fault: LastingFault) -> None:
    """The server is named with the reason; then one that is sound delivers."""
    server, sound = setting.mirror(secure=fault.secure), setting.mirror()
    server.always, server.elsewhere = fault.answer, sound.url
    ended = setting.run(server.url)
    demand(ended.code == 1, f"expected exit code 1, got {ended}")
    reason = re.search(rf"  {re.escape(server.url)}: .*({fault.reason})", ended.out)
    demand(reason is not None, f"expected {server.url} with {fault.reason!r}, got {ended.out}")
    setting.finish(server.url, sound.url)


def _passing(setting: DownloadSetting, fault: PassingFault) -> None:
    setting.finish(setting.mirror(*fault.answers).url)


def _nobody_listens(setting: DownloadSetting) -> None:
    server = setting.mirror()
    setting.close()
    ended = setting.run(server.url)
    demand(ended.code == 1, f"expected exit code 1, got {ended}")
    demand(f"{server.url}: " in ended.out and "refused" in ended.out, ended.out)


def _wrong_part(setting: DownloadSetting, length: int) -> None:
    """What is there already is not the beginning of the archive."""
    setting.data_dir.mkdir()
    setting.part.write_bytes(bytes(length))
    setting.finish(setting.mirror().url)


def _two_at_once(setting: DownloadSetting, *, kill_one: bool) -> None:
    """The second waits for the first, and goes on where that was killed."""
    server = setting.mirror(_hold_at(setting.size // 2) if kill_one else _until_asked_again)
    programs = [setting.start(server.url)]
    _wait_for(lambda: bool(server.stops), 20)
    programs.append(setting.start(server.url))
    if kill_one:
        _wait_for(lambda: setting.arrived == setting.size // 2, PATIENT.stall_seconds / 2)
        programs[0].kill()
    codes = [setting.end(program).code for program in programs]
    demand(codes == [-signal.SIGKILL if kill_one else 0, 0], f"exit codes {codes}")
    starts = [0, setting.size // 2] if kill_one else [0]
    demand(server.starts == starts, f"expected requests from {starts}, got {server.starts}")


def _cuts(rng: Random, count: int, size: int) -> Iterator[Case]:
    for number in range(count):
        at, another_run = rng.randrange(size), bool(number % 2)
        act = partial(_cut, at=at, another_run=another_run)
        yield Case("cuts", f"cut at byte {at}", act)


def _kills(rng: Random, count: int, size: int) -> Iterator[Case]:
    for number in range(count):
        at, seconds = rng.randrange(size), rng.random()
        if number % 2:
            kill = partial(_disturb, at=at, number=signal.SIGKILL, code=-signal.SIGKILL)
            yield Case("kills", f"kill at byte {at}", kill)
        else:
            yield Case(
                "kills", f"kill after {seconds:.3f} s", partial(_kill_after, seconds=seconds)
            )


def _faults() -> Iterator[Case]:
    for lasting in LASTING_FAULTS:
        yield Case("faulty servers", lasting.name, partial(_lasting, fault=lasting))
    for passing in PASSING_FAULTS:
        yield Case("passing faults", passing.name, partial(_passing, fault=passing))


def _other_cases(size: int) -> Iterator[Case]:
    interrupt = partial(_disturb, at=size // 2, number=signal.SIGINT, code=130)
    terminate = partial(_disturb, at=size // 2, number=signal.SIGTERM, code=-signal.SIGTERM)
    yield Case("signals", "Ctrl-C", interrupt)
    yield Case("signals", "SIGTERM", terminate)
    yield Case("clients at once", "two clients", partial(_two_at_once, kill_one=False))
    yield Case("clients at once", "two, one killed", partial(_two_at_once, kill_one=True))
    yield Case("faulty servers", "nobody listens", _nobody_listens)
    for operation in range(1, _OPERATIONS + 1):
        kill = partial(_kill_before_operation, operation=operation)
        yield Case("kills", f"kill before operation {operation}", kill)
    for length in (1, size - 1, size, size + 1):
        yield Case("wrong parts", f"{length} wrong bytes", partial(_wrong_part, length=length))


def run(trial: Trial) -> None:
    """Try every case in a folder of its own."""
    with setting_in(trial.folder / "measure") as setting:
        size = setting.size
    others = [*_faults(), *_other_cases(size)]
    if trial.count < _LONG:
        others = trial.rng.sample(others, min(trial.count, len(others)))
    cuts = _cuts(trial.rng, trial.count, size)
    kills = _kills(trial.rng, -(-trial.count * 3 // 10), size)
    for number, case in enumerate([*cuts, *kills, *others]):
        with setting_in(trial.folder / str(number)) as setting:
            try:
                case.act(setting)
            except BrokenError as broken:
                trial.broken(f"{case.kind}: {case.name}", str(broken))
            else:
                trial.kept(case.kind)
        shutil.rmtree(setting.folder)


CAMPAIGN = Campaign("A download is right or absent.", run, short=3, long=_LONG)
