"""One HTTP request for the part of a file that is still missing.

What has arrived is in a ``.part`` file, unbuffered, so that a killed process loses nothing of it; a
small JSON file beside it notes which version of which URL it is. The next request asks for the rest
with ``Range``, and for that version with ``If-Range``. A part can also be continued from another
mirror or without a known version: then it is marked as joined, and if its hash is wrong in the end
the mirror is not to blame.

Reference: RFC 9110, sections 13.1.5 (If-Range), 14.4 (Content-Range), 15.3.7 (206), 15.5.17 (416).
"""

import email.utils
import json
import re
import socket
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from http import HTTPStatus
from pathlib import Path
from typing import Any, Final, Self

import httpcore
import httpx

from softmax_cli.data.archive import write_all
from softmax_cli.data.file_kinds import READABLE, START_BYTES, FileKind, recognise
from softmax_cli.runs.atomic import errors_naming, remove_file, remove_leftovers, write_text

_MAX_REDIRECTS: Final = 5
_MIN_BYTES_PER_SECOND: Final = 1024
_TRANSIENT: Final = (408, 425, 429)
_CONTENT_RANGE: Final = re.compile(r"bytes (\d{1,15})-(\d{1,15})/(\d{1,15}|\*)")


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


@dataclass(frozen=True)
class Origin:
    """Where a part came from.

    Attributes:
        url: as requested, before redirects.
        validator: strong entity tag or date of last modification; empty if the server gave none.
        joined: whether pieces were put together that no validator says belong together.
    """

    url: str = ""
    validator: str = ""
    joined: bool = False


class PartFile:
    """A file that is still arriving, with the note of its origin beside it."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.notes = path.with_name(path.name + ".json")

    @property
    def size(self) -> int:
        """Bytes that have arrived."""
        return self.path.stat().st_size if self.path.exists() else 0

    @property
    def origin(self) -> Origin:
        """What the note says; an `Origin` without a validator if it is missing or unreadable."""
        try:
            noted = Origin(**json.loads(self.notes.read_text("utf-8")))
        except (OSError, ValueError, TypeError, RecursionError):
            return Origin()
        return noted if _usable(noted.validator) else Origin()

    @property
    def foreign(self) -> FileKind | None:
        """What has arrived, if it begins like a file of another kind than an archive."""
        if not self.size:
            return None
        with self.path.open("rb") as stream:
            return _foreign(stream.read(START_BYTES))

    def begin(self, start: int, origin: Origin) -> None:
        """Cut the part to ``start`` bytes and note where what follows comes from.

        Raises:
            OSError: writing failed.
        """
        with errors_naming(self.path), self.path.open("ab") as stream:
            stream.truncate(start)
        write_text(self.notes, json.dumps(asdict(origin)))

    def discard(self) -> None:
        """Remove the part, its note, and what a killed process left of writing one."""
        for path in (self.path, self.notes):
            # Removing nothing is an error, too, where nothing may be written.
            if path.exists():
                remove_file(path)
        if self.path.parent.is_dir():
            remove_leftovers(self.path.parent)


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
        """Tell of bytes of content."""
        self._bytes += count

    def trace(self, event: str, info: Mapping[str, Any]) -> None:
        """Learn from httpcore's trace which connection is in use, bare or within TLS."""
        stream = info.get("return_value") if event.endswith(".complete") else None
        if isinstance(stream, httpcore.NetworkStream):
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
) -> None:
    """Request what is missing of a file and append it to the part.

    Args:
        client: does not follow redirects by itself; its read timeout is ``stall_seconds``.
        url: http or https.
        part: what has arrived; has ``size`` bytes afterwards.
        size: length of the whole file.
        stall_seconds: how long less than 1 kB/s may come before the server counts as stalled.
        received: called with the bytes that have arrived, many times.

    Raises:
        TransferError: `TransientError`, `StalledError` or `RefusedError`.
        OSError: writing failed.
    """
    if part.foreign:
        part.discard()
    offset, origin = part.size, part.origin
    # Each request has its own connection, so that a stalled one can be ended from outside.
    headers = {"Accept-Encoding": "identity", "Connection": "close"}
    validated = offset > 0 and origin.url == url and origin.validator != ""
    if offset:
        headers["Range"] = f"bytes={offset}-"
    if validated:
        headers["If-Range"] = origin.validator
    watch = StallWatch(stall_seconds)
    try:
        with watch, _following_redirects(client, url, headers, watch) as response:
            start, end = _announced(response, offset, size, part)
            joined = start > 0 and (origin.joined or not validated)
            part.begin(start, Origin(url, _validator(response), joined))
            _receive(response, part, start, end, watch, received)
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


def _announced(response: httpx.Response, offset: int, size: int, part: PartFile) -> tuple[int, int]:
    """Which bytes of the file an answer says it holds: the first and the one behind the last."""
    status = response.status_code
    if status == HTTPStatus.OK:
        length = response.headers.get("Content-Length", str(size))
        if length != str(size):
            kind = _foreign(_beginning(response))
            got = f"{kind.name} of {length} bytes" if kind else length
            raise RefusedError(f"offers another file: expected {size:,} bytes, got {got}")
        return 0, size
    if status == HTTPStatus.PARTIAL_CONTENT and offset:
        end = _end_of_range(response.headers.get("Content-Range", ""), offset, size)
        if end is not None:
            return offset, end
        part.discard()
        asked, got = f"bytes {offset}-{size - 1}/{size}", response.headers.get("Content-Range")
        raise TransientError(f"sent another range: expected {asked}, got {got}; starting over")
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


def _end_of_range(content_range: str, offset: int, size: int) -> int | None:
    """The byte behind a range that begins at ``offset``; None for any other range or file."""
    stated = _CONTENT_RANGE.fullmatch(content_range)
    if stated is None or stated[3] not in ("*", str(size)):
        return None
    first, last = int(stated[1]), int(stated[2])
    return last + 1 if first == offset <= last < size else None


def _receive(
    response: httpx.Response,
    part: PartFile,
    start: int,
    end: int,
    watch: StallWatch,
    received: Callable[[int], None],
) -> None:
    done = start
    with part.path.open("ab", buffering=0) as stream:
        # Raw, because some servers label a .tar.gz as "Content-Encoding: x-gzip".
        for chunk in response.iter_raw():
            if done + len(chunk) > end:
                break
            with errors_naming(part.path):
                write_all(stream.fileno(), chunk)
            done += len(chunk)
            watch.arrived(len(chunk))
            received(done)
        else:
            return
    part.discard()  # closed by now, as Windows removes no open file
    raise RefusedError(f"sends more than the {end - start:,} bytes it should")


def _validator(response: httpx.Response) -> str:
    """What to ask the same version with; a weak entity tag does not stand for the same bytes."""
    tag = response.headers.get("ETag", "")
    if tag and not tag.startswith("W/") and _usable(tag):
        return str(tag)
    date = response.headers.get("Last-Modified", "")
    return str(date) if _usable(date) else ""


def _usable(validator: object) -> bool:
    return isinstance(validator, str) and validator.isascii() and validator.isprintable()


def _retry_after(response: httpx.Response) -> float | None:
    """Seconds to wait, from a number of seconds or a date."""
    value = response.headers.get("Retry-After", "")
    if value.isascii() and value.isdigit():
        return float(value[:9])
    try:
        moment = email.utils.parsedate_to_datetime(value)
    except (ValueError, TypeError):
        return None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return max(0.0, (moment - datetime.now(UTC)).total_seconds())
