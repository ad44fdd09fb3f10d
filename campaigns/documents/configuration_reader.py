"""A process that stays alive and reads one configuration after another."""

import multiprocessing
import os
import resource
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from softmax_cli.config.loading import load_train_config
from softmax_cli.config.presets import preset_names
from softmax_cli.config.schema import TrainConfig
from softmax_cli.config.sweep_loading import load_sweep_config
from softmax_cli.config.sweep_schema import SweepConfig
from softmax_cli.config.writing import config_digest, to_yaml
from softmax_cli.errors import ConfigurationError
from softmax_cli.tuning.trials import make_trials

if TYPE_CHECKING:
    from multiprocessing.connection import Connection
    from multiprocessing.process import BaseProcess

_ADDRESS_SPACE = 4 << 30
_SECONDS = 120.0
_FORGET_PEAK = Path("/proc/self/clear_refs")


@dataclass(frozen=True)
class Reading:
    """The result of reading one document.

    Attributes:
        outcome: ``valid``, ``refused``, or in words what must not happen.
        message: why it was refused.
        seconds: of the processor, for loading and for making the trials.
        trials: of a valid sweep; 0 for a training.
        grown: bytes of memory needed for that.
    """

    outcome: str
    message: str = ""
    seconds: float = 0.0
    trials: int = 0
    grown: int = 0


class ConfigurationReader:
    """Reads documents in another process; begins a new one where the last was killed or spoilt.

    Args:
        folder: for the file that each document is put into; a ``pipe.yaml`` is made there.
    """

    def __init__(self, folder: Path) -> None:
        os.mkfifo(folder / "pipe.yaml")
        self.path = folder / "document.yaml"
        self._process: BaseProcess | None = None
        self._connection: Connection[Any, Any] | None = None

    def read(self, command: str, content: bytes) -> Reading:
        """What the configuration of a command, ``train`` or ``sweep``, gives."""
        if self._connection is None:
            self._begin()
        assert self._connection is not None
        self.path.write_bytes(content)
        self._connection.send(command)
        if not self._connection.poll(_SECONDS):
            self.close()
            return Reading(f"read for more than {_SECONDS:g} s")
        try:
            reading: Reading = self._connection.recv()
        except EOFError:
            self.close()
            return Reading("the process died")
        return reading

    def close(self) -> None:
        """End the process; the next document gets a new one."""
        if self._process is not None:
            self._process.kill()
            self._process.join()
        self._process = self._connection = None

    def _begin(self) -> None:
        context = multiprocessing.get_context("spawn")
        self._connection, far_end = context.Pipe()
        self._process = context.Process(target=_serve, args=(far_end, self.path), daemon=True)
        self._process.start()
        far_end.close()


def _serve(connection: "Connection[Any, Any]", path: Path) -> None:
    resource.setrlimit(resource.RLIMIT_AS, (_ADDRESS_SPACE, _ADDRESS_SPACE))
    _warm_up()
    while True:
        try:
            command = connection.recv()
        except EOFError:
            return
        connection.send(_read(command, path))


def _warm_up() -> None:
    """Import and allocate what every run of the program needs."""
    for name in preset_names():
        if name.endswith("sweep"):
            make_trials(load_sweep_config(name))
        else:
            load_train_config(name)


class _Peak:
    """Most memory in use since this was made, as Linux counts it; 0 elsewhere."""

    def __init__(self) -> None:
        if _FORGET_PEAK.exists():
            _FORGET_PEAK.write_text("5")
        self._start = self._resident("VmRSS")

    def grown(self) -> int:
        """Bytes beyond those at the start."""
        return self._resident("VmHWM") - self._start

    @staticmethod
    def _resident(name: str) -> int:
        if not _FORGET_PEAK.exists():
            return 0
        lines = Path("/proc/self/status").read_text("ascii").splitlines()
        return next(int(line.split()[1]) << 10 for line in lines if line.startswith(name))


def _read(command: str, path: Path) -> Reading:
    peak, start, trials = _Peak(), time.process_time(), 0
    load = load_train_config if command == "train" else load_sweep_config
    try:
        config = load(str(path))
        if isinstance(config, SweepConfig):
            trials = len(make_trials(config))
    except ConfigurationError as error:
        seconds = time.process_time() - start
        return Reading("refused", error.message, seconds, 0, peak.grown())
    except BaseException as error:  # noqa: BLE001 - nothing else may come
        return Reading(f"{type(error).__name__}: {error!s:.300}")
    seconds = time.process_time() - start
    return Reading(_written_again(config, path), "", seconds, trials, peak.grown())


def _written_again(config: TrainConfig | SweepConfig, path: Path) -> str:
    """The outcome of a valid configuration: whether it can be written and read back."""
    copy = path.with_name("written.yaml")
    copy.write_text(to_yaml(config), "utf-8")
    load = load_train_config if isinstance(config, TrainConfig) else load_sweep_config
    try:
        again = load(str(copy))
    except ConfigurationError as error:
        return f"once written, it is refused: {error.message:.300}"
    same = again == config and config_digest(again) == config_digest(config)
    return "valid" if same else "once written, it reads back as something else"
