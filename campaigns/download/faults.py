"""Ways in which a server can fail a download, and the reason a user should read."""

import gzip
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass

from tests.data.mirror import (
    Handler,
    cut_at,
    dribble,
    drip_framing,
    drip_headers,
    drop,
    endless,
    flip,
    hang,
    ignore_range,
    stall,
    status,
)

Answer = Callable[[Handler], None]
EARLIER = 100_000
"""Bytes that have come before a fault that meets a resumed download."""


@dataclass(frozen=True)
class LastingFault:
    """What a server does at every request.

    Attributes:
        name: in reports.
        answer: what it does.
        reason: regular expression for what the program should say of that server.
        secure: whether the server is asked over TLS.
    """

    name: str
    answer: Answer
    reason: str
    secure: bool = False


@dataclass(frozen=True)
class PassingFault:
    """What a server does at its first requests, before it serves soundly.

    Attributes:
        name: in reports.
        answers: one by one.
    """

    name: str
    answers: tuple[Answer, ...]


def _redirect_to(location: str) -> Answer:
    return status(302, Location=location)


def _redirect_to_http(handler: Handler) -> None:
    """Send a client that asked over TLS to a sound server without it."""
    handler.head(302, Location=handler.server.elsewhere, Content_Length="0")


def _longer(handler: Handler) -> None:
    handler.serve(content=handler.server.content + b"x")


def _shorter(handler: Handler) -> None:
    handler.serve(content=handler.server.content[:-1])


def _lie_about_length(handler: Handler) -> None:
    handler.head(200, Content_Length=str(len(handler.server.content)))
    handler.wfile.write(handler.server.content[: handler.start + 10])


def _without_length(handler: Handler, *, stop: int | None = None) -> None:
    """Let the end of the connection be the end of the content."""
    handler.head(200)
    handler.wfile.write(handler.server.content[:stop])


def _compressed(handler: Handler) -> None:
    handler.serve(content=gzip.compress(handler.server.content))


def _garbage(handler: Handler) -> None:
    handler.wfile.write(b"\x00\xff\x15\x03\x01 this is no HTTP \r\n\r\n" * 10)


def _half_a_head(handler: Handler) -> None:
    handler.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Le")


def _enormous_head(handler: Handler) -> None:
    with suppress(OSError):
        handler.wfile.write(b"HTTP/1.1 200 OK\r\n")
        for number in range(1_000_000):
            handler.wfile.write(b"X-Header-%d: %s\r\n" % (number, b"x" * 100))


def _endless_hints(handler: Handler) -> None:
    """Answer with preliminary answers only."""
    with suppress(OSError):
        while not handler.server.released.wait(0.02):
            handler.wfile.write(b"HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n")


def _old_version(handler: Handler) -> None:
    """Send the beginning of another file, and become the server of a new one."""
    handler.serve(stop=EARLIER, content=bytes(len(handler.server.content)))


def _range(first: int, last: int, total: int) -> Answer:
    """Answer a request for the rest with a range of one's own choice, counted from its bounds."""

    def answer(handler: Handler) -> None:
        size = len(handler.server.content)
        start, end = handler.start + first, size - 1 + last
        stated = f"bytes {start}-{end}/{size + total}"
        content = handler.server.content[start : end + 1]
        handler.head(206, Content_Range=stated, Content_Length=str(len(content)))
        handler.wfile.write(content)

    return answer


LASTING_FAULTS = (
    LastingFault("flipped byte", flip, "another content: expected SHA-256"),
    LastingFault("content without end", endless, "sends more than the"),
    LastingFault("stall", stall, r"sent (nothing|only)"),
    LastingFault("silence", hang, r"sent (nothing|only)"),
    LastingFault("dripped content", dribble, r"sent (nothing|only)"),
    LastingFault("dripped headers", drip_headers, "sent only"),
    LastingFault("dripped framing", drip_framing, "sent only"),
    LastingFault("dripped headers over TLS", drip_headers, "sent only", secure=True),
    LastingFault("endless hints", _endless_hints, "sent only"),
    LastingFault("shorter length", _shorter, "offers another file"),
    LastingFault("longer length", _longer, "offers another file"),
    LastingFault("lying length", _lie_about_length, "closed connection|ended after"),
    LastingFault("missing length, cut", lambda h: _without_length(h, stop=5000), "ended after"),
    LastingFault("compressed once more", _compressed, "offers another file"),
    LastingFault("nothing at all", status(200), "offers another file"),
    LastingFault("a range nobody asked for", _range(0, 0, 0), "HTTP 206"),
    LastingFault("no answer", drop, "disconnected"),
    LastingFault("no HTTP", _garbage, "illegal|malformed|parse|protocol"),
    LastingFault("half a head", _half_a_head, "disconnected|closed"),
    LastingFault("enormous head", _enormous_head, "header|too (large|long)|Receive buffer"),
    LastingFault("status 403", status(403), "HTTP 403"),
    LastingFault("status 404", status(404), "HTTP 404 Not Found"),
    LastingFault("status 429", status(429, Retry_After="86400"), "HTTP 429"),
    LastingFault("status 500", status(500), "HTTP 500"),
    LastingFault("status 503", status(503), "HTTP 503"),
    LastingFault("redirects without end", _redirect_to("/again"), "at most 5 redirects"),
    LastingFault("redirect to a file", _redirect_to("file:///etc/passwd"), "protocol|scheme"),
    LastingFault("redirect to ftp", _redirect_to("ftp://127.0.0.1/x"), "protocol|scheme"),
    LastingFault(
        "redirect to http", _redirect_to_http, "redirects from https to http", secure=True
    ),
)

PASSING_FAULTS = (
    PassingFault("200 for a range", (cut_at(EARLIER), ignore_range)),
    PassingFault("416", (cut_at(EARLIER), status(416))),
    PassingFault("a file that changes", (_old_version,)),
    PassingFault("range that begins too late", (cut_at(EARLIER), _range(1, 0, 0))),
    PassingFault("range that ends too early", (cut_at(EARLIER), _range(0, -50_000, 0))),
    PassingFault("range of a longer file", (cut_at(EARLIER), _range(0, 0, 1))),
    PassingFault("503 on resuming", (cut_at(EARLIER), status(503))),
    PassingFault("no answer on resuming", (cut_at(EARLIER), drop)),
    PassingFault("missing length", (_without_length,)),
    PassingFault("stall", (stall,)),
)
