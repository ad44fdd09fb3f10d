"""A folder to download into, servers to download from, and the program in between."""

import gzip
import hashlib
import json
import os
import ssl
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, replace
from pathlib import Path

from campaigns.download import patched_program
from campaigns.download.faults import Answer
from campaigns.processes.program import Ended, environment, is_noise
from softmax_cli.data.download import RetryPolicy
from tests.data.conftest import FOLDER, SmallDataSet
from tests.data.expectation import downloaded_as
from tests.data.mirror import CHUNK, Mirror

PATIENT = RetryPolicy(
    connect_seconds=2, stall_seconds=1, attempts=3, first_pause=0.01, longest_pause=0.05
)
IMPATIENT = replace(PATIENT, attempts=1, rounds=1)

_CERTIFICATE = Path(__file__).with_name("loopback.pem")
_SECONDS = 120


class BrokenError(Exception):
    """The promise was not kept; says how."""


def demand(kept: bool, why: str) -> None:
    """Raise a `BrokenError` unless something holds."""
    if not kept:
        raise BrokenError(why)


class DownloadSetting:
    """One case: its folder and its servers.

    Args:
        folder: empty.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder.resolve()
        self.folder.mkdir(parents=True)
        self.data_dir = self.folder / "data"
        self.small = SmallDataSet()
        self.content = gzip.compress(self.small.archive(), compresslevel=1, mtime=0)
        name, digest = "cifar-10-python.tar.gz", hashlib.sha256(self.content).hexdigest()
        self.publication = downloaded_as(self.small.publication, name, self.size, digest)
        self.part = self.data_dir / f"{name}.part"
        self._mirrors: list[Mirror] = []

    @property
    def size(self) -> int:
        """Bytes of the archive."""
        return len(self.content)

    @property
    def arrived(self) -> int:
        """Bytes of it that are on disk."""
        return self.part.stat().st_size if self.part.exists() else 0

    def mirror(self, *faults: Answer, secure: bool = False) -> Mirror:
        """Start a server that is sound but for its first answers."""
        tls = None
        if secure:
            tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            tls.load_cert_chain(_CERTIFICATE)
        server = Mirror(self.content, tls)
        server.faults = list(faults)
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        self._mirrors.append(server)
        return server

    def close(self) -> None:
        """Stop the servers."""
        for server in self._mirrors:
            server.released.set()
            server.shutdown()
            server.server_close()

    def start(
        self, *urls: str, policy: RetryPolicy = PATIENT, kill_at: int = 0
    ) -> "subprocess.Popen[str]":
        """Start the program, whose standard error goes to its output."""
        expected = self.folder / f"expected-{policy.rounds}.json"
        document = {"publication": asdict(self.publication), "policy": asdict(policy)}
        expected.write_text(json.dumps(document))
        options = [part for url in urls for part in ("--url", url)]
        program = [sys.executable, "-m", patched_program.__name__, str(expected)]
        return subprocess.Popen(
            [*program, "download", "--data-dir", str(self.data_dir), *options],
            cwd=self.folder,
            env=environment(
                {
                    "SSL_CERT_FILE": _CERTIFICATE,
                    "NO_PROXY": "127.0.0.1",
                    "NO_COLOR": 1,
                    patched_program.KILL_VARIABLE: kill_at,
                },
                threads=None,
            ),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def end(self, program: "subprocess.Popen[str]") -> Ended:
        """Wait for the program, and see that what it says fits what it leaves.

        Raises:
            BrokenError: it goes on for too long, ends with a traceback, or leaves a data set that
                is neither absent nor right, or not what its exit code says.
        """
        try:
            text, _ = program.communicate(timeout=_SECONDS)
        except subprocess.TimeoutExpired:
            program.kill()
            program.communicate()
            raise BrokenError(f"still running after {_SECONDS} s") from None
        ended = Ended(program.returncode, text, "")
        demand(not is_noise(text), f"a defect: {text}")
        present = self._is_right()
        if ended.code >= 0:
            demand(present == (ended.code == 0), f"data set there: {present}, {ended}")
        if ended.code == 0:
            left = {path.name for path in self.data_dir.iterdir()} - {FOLDER, ".cifar-10.lock"}
            demand(not left, f"left behind: {sorted(left)}")
        return ended

    def run(self, *urls: str, policy: RetryPolicy = PATIENT, kill_at: int = 0) -> Ended:
        """Run the program to its end; see `end`."""
        return self.end(self.start(*urls, policy=policy, kill_at=kill_at))

    def finish(self, *urls: str) -> None:
        """Run the program once more, which has to succeed."""
        ended = self.run(*urls)
        demand(ended.code == 0, f"expected the next run to succeed, got {ended}")

    def _is_right(self) -> bool:
        """Whether the data set is there, byte for byte; what is neither is a broken promise."""
        folder = self.data_dir / FOLDER
        if not os.path.lexists(folder):
            return False
        found = {path.name: path.read_bytes() for path in folder.iterdir()}
        wrong = [
            name for name, content in self.small.contents.items() if found.get(name) != content
        ]
        demand(not wrong and len(found) == len(self.small.contents), f"a partial data set: {wrong}")
        return True


def check_refetched(server: Mirror, sent: int, request: int) -> None:
    """See that a request asked for no more than one chunk of what had been sent before.

    Raises:
        BrokenError: it did.
    """
    demand(len(server.starts) > request, f"expected {request + 1} requests: {server.starts}")
    again = sent - server.starts[request]
    demand(again <= CHUNK, f"fetched {again} bytes again of {sent}")


@contextmanager
def setting_in(folder: Path) -> Iterator[DownloadSetting]:
    """A setting whose servers are stopped at the end."""
    setting = DownloadSetting(folder)
    try:
        yield setting
    finally:
        setting.close()
