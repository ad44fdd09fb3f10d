"""One HTTP request for the part of a file that is still missing.

What has arrived is in a ``.part`` file, unbuffered, so that a killed process loses nothing of it.
The next request asks for the rest with ``Range``, whichever mirror the beginning came from: the
hash of the whole file decides in the end whether the pieces belong together.

Reference: RFC 9110, sections 14.4 (Content-Range), 15.3.7 (206), 15.5.17 (416).
"""

import socket
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from http import HTTPStatus
from pathlib import Path
from typing import Any, Final, Self

import httpx

from softmax_cli.data.file_kinds import READABLE, START_BYTES, FileKind, recognise
from softmax_cli.runs.atomic import errors_naming, remove_file, write_all

_MAX_REDIRECTS: Final = 5
_MIN_BYTES_PER_SECOND: Final = 1024
_TRANSIENT: Final = (408, 425, 429)


class TransferError(Exception):
    """A request did not complete the file; what came is kept unless it was useless."""


class TransientError(TransferError):
    """The same request may succeed later.

    Args:
        reason: what happened.
        retry_after: seconds to wait, if the server said so.
    """

    def __init__(self, reason: str, retry_after: float | None = None) -> None:
        super().__init__(reason)
        self.retry_after = retry_after


class StalledError(TransferError):
    """The server stopped sending, or sends too slowly."""


class RefusedError(TransferError):
    """This URL will not deliver the file."""


class PartFile:
    """A file that is still arriving."""

    def __init__(self, path: Path) -> None:
        self.path = path

    @property
    def size(self) -> int:
        """Bytes that have arrived."""
        return self.path.stat().st_size if self.path.exists() else 0

    @property
    def foreign(self) -> FileKind | None:
        """What has arrived, if it begins like a file of another kind than an archive."""
        if not self.size:
            return None
        with self.path.open("rb") as stream:
            return _foreign(stream.read(START_BYTES))

    def discard(self) -> None:
        """Remove the part, and the note that earlier versions kept beside it."""
        for path in (self.path, self.path.with_name(f"{self.path.name}.json")):
            # Removing nothing is an error, too, where nothing may be written.
            if path.exists():
                remove_file(path)


class StallWatch:
    """Ends the connection of a server that sends hardly any content; a context manager.

    A read timeout does not do that: it starts again with every byte, so that a server could drip
    headers, or the framing of a chunked answer, for weeks.

    Args:
        seconds: how long less than 1 kB/s may come.

    Attributes:
        stalled: what came, in a few words, once the connection has been ended for it.
    """

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        self.stalled = ""
        self._bytes = 0
        self._connection: socket.socket | None = None
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self._thread.join()

    def arrived(self, count: int) -> None:
        """Count bytes of content."""
        self._bytes += count

    def trace(self, event: str, info: Mapping[str, Any]) -> None:
        """Note from httpx's trace of a request which connection is in use, bare or within TLS."""
        stream: Any = info.get("return_value")
        if event.endswith(".complete") and hasattr(stream, "get_extra_info"):
            self._connection = stream.get_extra_info("socket")

    def _watch(self) -> None:
        connection, seen = self._connection, self._bytes
        while not self._ended.wait(self.seconds):
            came = self._bytes - seen
            too_slow = came < self.seconds * _MIN_BYTES_PER_SECOND
            # A connection that is newer than this span of time gets the whole of the next.
            if too_slow and connection is not None and connection is self._connection:
                self.stalled = f"sent only {came:,} bytes of content in {self.seconds:g} s"
                with suppress(OSError):
                    connection.shutdown(socket.SHUT_RDWR)
                return
            connection, seen = self._connection, self._bytes


def fetch_rest(
    client: httpx.Client,
    url: str,
    part: PartFile,
    size: int,
    *,
    stall_seconds: float,
    received: Callable[[int], None],
) -> int:
    """Request what is missing of a file and append it to the part.

    Args:
        client: does not follow redirects by itself; its read timeout is ``stall_seconds``.
        url: http or https.
        part: what has arrived; has ``size`` bytes afterwards.
        size: length of the whole file.
        stall_seconds: how long less than 1 kB/s may come before the server counts as stalled.
        received: called with the bytes that have arrived, many times.

    Returns:
        How many bytes were there before; 0 if the server sent the whole file.

    Raises:
        TransferError: `TransientError`, `StalledError` or `RefusedError`.
        OSError: writing failed.
    """
    if part.foreign:
        part.discard()
    offset = part.size
    # Each request has its own connection, so that a stalled one can be ended from outside.
    headers = {"Accept-Encoding": "identity", "Connection": "close"}
    if offset:
        headers["Range"] = f"bytes={offset}-"
    watch = StallWatch(stall_seconds)
    try:
        with watch, _following_redirects(client, url, headers, watch) as response:
            start = _first_byte(response, offset, size, part)
            _receive(response, part, start, size, watch, received)
    except httpx.ReadTimeout:
        raise StalledError(f"sent nothing for {stall_seconds:g} s") from None
    except (httpx.UnsupportedProtocol, httpx.InvalidURL, httpx.LocalProtocolError) as error:
        raise RefusedError(str(error)) from None
    except UnicodeError as error:  # a host name with an empty or overlong label
        raise RefusedError(f"is no usable URL: {error}") from None
    except httpx.HTTPError as error:
        if watch.stalled:
            raise StalledError(watch.stalled) from None
        raise TransientError(str(error) or type(error).__name__) from None
    if part.size != size:
        raise _incomplete(part, size, watch.stalled)
    return start


def _incomplete(part: PartFile, size: int, stalled: str) -> TransferError:
    """Why an answer that ended did not complete the file."""
    kind = part.foreign
    if kind is not None:
        part.discard()
        return RefusedError(f"sent {kind.name} in place of the archive")
    if stalled:
        return StalledError(stalled)
    return TransientError(f"the answer ended after {part.size:,} of {size:,} bytes")


@contextmanager
def _following_redirects(
    client: httpx.Client, url: str, headers: dict[str, str], watch: StallWatch
) -> Iterator[httpx.Response]:
    target = httpx.URL(url)
    for _ in range(_MAX_REDIRECTS + 1):
        extensions = {"trace": watch.trace}
        with client.stream("GET", target, headers=headers, extensions=extensions) as response:
            if not response.has_redirect_location:
                yield response
                return
            target = _redirect_target(response)
    raise RefusedError(f"expected at most {_MAX_REDIRECTS} redirects, got more")


def _redirect_target(response: httpx.Response) -> httpx.URL:
    target = response.url.join(response.headers["Location"])
    if response.url.scheme == "https" and target.scheme != "https":
        raise RefusedError(f"redirects from https to {target.scheme}, which is not safe: {target}")
    return target


def _first_byte(response: httpx.Response, offset: int, size: int, part: PartFile) -> int:
    """Which byte of the file an answer begins with: the one asked for, or the very first."""
    status = response.status_code
    if status == HTTPStatus.OK:
        length = response.headers.get("Content-Length", str(size))
        if length != str(size):
            kind = _foreign(_beginning(response))
            got = f"{kind.name} of {length} bytes" if kind else length
            raise RefusedError(f"offers another file: expected {size:,} bytes, got {got}")
        return 0
    if status == HTTPStatus.PARTIAL_CONTENT and offset:
        sent = response.headers.get("Content-Range", "")
        if sent.startswith(f"bytes {offset}-"):
            return offset
        part.discard()
        asked = f"bytes {offset}-{size - 1}/{size}"
        raise TransientError(f"sent another range: expected {asked}, got {sent}; starting over")
    if status == HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE and offset:
        part.discard()
        raise TransientError("has no such range (HTTP 416); starting over")
    if status in _TRANSIENT or status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        raise TransientError(f"HTTP {status} {response.reason_phrase}", _retry_after(response))
    raise RefusedError(f"HTTP {status} {response.reason_phrase}")


def _beginning(response: httpx.Response) -> bytes:
    """The first bytes of an answer, as far as they come."""
    with suppress(httpx.HTTPError, httpx.StreamError):
        return next(response.iter_raw(START_BYTES), b"")
    return b""


def _foreign(start: bytes) -> FileKind | None:
    kind = recognise(start)
    return None if kind in READABLE else kind


def _receive(
    response: httpx.Response,
    part: PartFile,
    start: int,
    size: int,
    watch: StallWatch,
    received: Callable[[int], None],
) -> None:
    """Write what an answer holds into the part, from ``start`` on."""
    done = start
    with part.path.open("ab", buffering=0) as stream:
        with errors_naming(part.path):
            stream.truncate(start)
        # Raw, because some servers label a .tar.gz as "Content-Encoding: x-gzip".
        for chunk in response.iter_raw():
            done += len(chunk)
            if done > size:
                break
            with errors_naming(part.path):
                write_all(stream, chunk)
            watch.arrived(len(chunk))
            received(done)
        else:
            return
    part.discard()  # closed by now, as Windows removes no open file
    raise RefusedError(f"sends more than the {size - start:,} bytes it should")


def _retry_after(response: httpx.Response) -> float | None:
    """Seconds to wait, where the server gives a number of them."""
    value = response.headers.get("Retry-After", "")
    return float(value[:9]) if value.isascii() and value.isdigit() else None
