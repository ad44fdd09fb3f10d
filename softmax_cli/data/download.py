"""Fetch a published data set from one of several mirrors and install it.

A mirror is trusted only through the SHA-256 of the archive, which is checked before anything is
unpacked. A mirror that fails for the moment is asked again with growing pauses, one that stalls is
passed over for the next and gets a second chance, and one that serves something else is dropped. A
part may be continued at another mirror; where that ends in a wrong SHA-256, the part may be to
blame, so that mirror is asked for the whole archive, once.
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
from softmax_cli.data.dataset import Archive, Publication
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

_PROGRESS_BYTES: Final = 256 << 10  # an interrupted request that brought so much is no failure
_RANDOM: Final = random.SystemRandom()


@dataclass(frozen=True)
class RetryPolicy:
    """Timeouts and retries for each mirror; all times in seconds.

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

    def pause(self, failures: int, retry_after: float | None) -> float:
        """Seconds before the next request: what the server asked for, or exponential with jitter.

        Args:
            failures: requests in a row that have failed, at least 1.
            retry_after: what the server asked for, if it did.
        """
        if retry_after is not None:
            return min(retry_after, self.longest_pause)
        longest = min(self.first_pause * 2.0 ** (failures - 1), self.longest_pause)
        return longest * _RANDOM.uniform(0.5, 1.0)


def mirror_order(
    archive: Archive, urls: Sequence[str], environment: Mapping[str, str] = os.environ
) -> list[str]:
    """The URLs to try, each once: the user's, the environment's, then the known ones."""
    chosen = [*urls, environment.get(archive.url_variable, ""), *archive.mirrors]
    return [url for url in dict.fromkeys(chosen) if url]


def fetch_dataset(
    publication: Publication,
    data_dir: Path,
    urls: Sequence[str] = (),
    *,
    policy: RetryPolicy = RetryPolicy(),
    report: Report = ignore,
) -> Installation:
    """Download and install a data set; where it is intact already, do nothing.

    An interrupted download leaves ``<archive>.part`` in ``data_dir`` and is resumed by the next.

    Args:
        publication: what to install.
        data_dir: folder to put the data set's folder into; created if need be.
        urls: where to look for the archive first; see `mirror_order`.
        policy: timeouts and retries.
        report: called with what is being done and how far it is.

    Raises:
        DownloadError: no mirror delivered the archive; the message gives each one's reason.
        OSError: reading or writing failed.
    """
    archive = publication.archive
    part = PartFile(data_dir / f"{archive.name}.part")

    def gather(staging: Path) -> None:
        try:
            _Download(publication, part, policy, report).complete(mirror_order(archive, urls))
        finally:
            if not part.size:
                part.discard()
        unpack(part.path, staging, publication, report)

    done = install(publication, data_dir, gather, report=report)
    # Where the data set was there already, a process may have been killed between these two lines.
    part.discard()
    return done


class _Download:
    """The download of one archive into its part, from one mirror after another."""

    def __init__(
        self, publication: Publication, part: PartFile, policy: RetryPolicy, report: Report
    ) -> None:
        self.publication = publication
        self.archive = publication.archive
        self.part = part
        self.policy = policy
        self.report = report

    def complete(self, urls: Sequence[str]) -> None:
        """Bring the part to the whole archive, verified."""
        if self.part.size >= self.archive.size and self.digest() != self.archive.sha256:
            self.report(Step("checking", f"{self.part.path} is not {self.archive.name}; discarded"))
            self.part.discard()
        if self.part.size == self.archive.size:
            return
        reasons: dict[str, str] = {}
        hopeful = list(urls)
        with _client(self.policy) as client:
            for url in [url for _ in range(self.policy.rounds) for url in urls]:
                if url not in hopeful:
                    continue
                try:
                    self.fetch_from(client, url)
                except TransferError as error:
                    reasons[url] = str(error)
                    self.report(Step("next_mirror", f"{url} {error}"))
                    if isinstance(error, RefusedError):
                        hopeful.remove(url)
                else:
                    return
        raise self.failure(reasons)

    def fetch_from(self, client: httpx.Client, url: str) -> None:
        """Get the rest of the archive from one mirror, or all of it where the part was wrong."""
        earlier = self.fetch_rest_from(client, url)
        digest = self.digest()
        if earlier and digest != self.archive.sha256:
            self.part.discard()
            text = f"{url}: completed an earlier part to a wrong SHA-256; starting over"
            self.report(Step("retrying", text))
            self.fetch_rest_from(client, url)
            digest = self.digest()
        if digest != self.archive.sha256:
            self.part.discard()
            expected = f"expected SHA-256 {self.archive.sha256[:16]}…, got {digest[:16]}…"
            raise RefusedError(f"delivered another content: {expected}")

    def fetch_rest_from(self, client: httpx.Client, url: str) -> int:
        """Ask one mirror for what is missing, and again while that makes sense.

        Returns:
            How many bytes of the part came with earlier answers.
        """
        failures = 0
        while True:
            before = self.part.size
            try:
                return self.request_rest(client, url)
            except TransientError as error:
                has_progress = self.part.size - before >= _PROGRESS_BYTES
                failures = 1 if has_progress else failures + 1
                if failures >= self.policy.attempts:
                    raise
                pause = self.policy.pause(failures, error.retry_after)
                self.report(Step("retrying", f"{url}: {error}; trying again in {pause:.1f} s"))
                time.sleep(pause)

    def request_rest(self, client: httpx.Client, url: str) -> int:
        """Ask one mirror once; returns the same."""
        before = self.part.size

        def received(done: int) -> None:
            self.report(Received(done, self.archive.size, before))

        self.report(Step("connecting", f"{url}, from byte {before:,}" if before else url))
        stall_seconds = self.policy.stall_seconds
        return fetch_rest(
            client,
            url,
            self.part,
            self.archive.size,
            stall_seconds=stall_seconds,
            received=received,
        )

    def digest(self) -> str:
        """Hex SHA-256 of what has arrived."""
        self.report(Step("checking", f"checking the SHA-256 of {self.part.path}"))
        with self.part.path.open("rb") as stream:
            return hashlib.file_digest(stream, "sha256").hexdigest()

    def failure(self, reasons: Mapping[str, str]) -> DownloadError:
        """The error that gives each mirror's reason, and other ways to get the archive."""
        archive, arrived = self.archive, self.part.size
        lines = [f"no mirror delivered {archive.name}:"]
        lines += [f"  {url}: {reason}" for url, reason in reasons.items()]
        kept = f" {arrived:,} bytes have arrived and will be resumed." if arrived else ""
        return DownloadError(
            "\n".join(lines),
            hint=(
                f"Try again later, name another place with --url, or get {archive.name} "
                f"({archive.size:,} bytes, SHA-256 {archive.sha256}) by other means and run "
                f"`{self.publication.command} --from FILE`.{kept}"
            ),
        )


def _client(policy: RetryPolicy) -> httpx.Client:
    timeout = httpx.Timeout(policy.stall_seconds, connect=policy.connect_seconds)
    headers = {"User-Agent": f"cifar-softmax/{__version__}"}
    try:
        return httpx.Client(timeout=timeout, headers=headers, follow_redirects=False)
    except (ValueError, ImportError, httpx.InvalidURL) as error:
        raise DownloadError(
            f"the proxy settings of the environment do not work: {error}",
            hint="Look at HTTPS_PROXY, HTTP_PROXY and ALL_PROXY.",
        ) from None
