"""A server on this machine that has one file and, on request, serves it badly."""

import re
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

CHUNK = 64 << 10


class Mirror(ThreadingHTTPServer):
    """A server of one file that answers the first requests with the faults it is given."""

    daemon_threads = True

    def __init__(self, content: bytes, tls: ssl.SSLContext | None = None) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.scheme = "http"
        if tls is not None:
            self.scheme, self.socket = "https", tls.wrap_socket(self.socket, server_side=True)
        self.content = content
        self.elsewhere = ""  # where a redirect may lead
        self.faults: list[Callable[[Handler], None]] = []
        self.always: Callable[[Handler], None] = Handler.serve
        self.starts: list[int] = []  # first byte asked for, by request
        self.stops: list[int] = []  # byte behind the last one sent, by answer that had content
        self.released = threading.Event()

    def handle_error(self, *_: object) -> None:
        """A client that went away is no news here."""

    @property
    def url(self) -> str:
        """Where the file is."""
        return f"{self.scheme}://127.0.0.1:{self.server_address[1]}/cifar-10-python.tar.gz"


@contextmanager
def serving(content: bytes) -> Iterator[Mirror]:
    """A mirror that serves until the context ends."""
    with Mirror(content) as server:
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        yield server
        server.shutdown()


class Handler(BaseHTTPRequestHandler):
    server: Mirror
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        asked = re.fullmatch(r"bytes=(\d+)-", self.headers.get("Range", ""))
        self.start = int(asked[1]) if asked else 0
        self.server.starts.append(self.start)
        self.close_connection = True
        (self.server.faults.pop(0) if self.server.faults else self.server.always)(self)

    def head(self, status: int, **headers: str) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()

    def serve(self, *, stop: int | None = None, content: bytes | None = None) -> None:
        """Answer as a sound server does, but send no byte from ``stop`` on."""
        content = self.server.content if content is None else content
        size, start = len(content), self.start
        headers = {"Content-Length": str(size - start)}
        if start:
            self.head(206, Content_Range=f"bytes {start}-{size - 1}/{size}", **headers)
        else:
            self.head(200, **headers)
        self.server.stops.append(size if stop is None else min(max(stop, start), size))
        self.wfile.write(content[start:stop])

    def log_request(self, *_: object) -> None:
        pass


def status(code: int, **headers: str) -> Callable[[Handler], None]:
    return lambda handler: handler.head(code, Content_Length="0", **headers)


def cut_at(stop: int) -> Callable[[Handler], None]:
    return lambda handler: handler.serve(stop=stop)


def ignore_range(handler: Handler) -> None:
    handler.start = 0
    handler.serve()


def stall(handler: Handler) -> None:
    handler.serve(stop=max(handler.start, CHUNK))
    handler.wfile.flush()
    handler.server.released.wait(10)


def hang(handler: Handler) -> None:
    handler.server.released.wait(10)


def dribble(handler: Handler) -> None:
    handler.serve(stop=handler.start)
    for at in range(handler.start, handler.start + 200):
        handler.wfile.write(handler.server.content[at : at + 1])
        if handler.server.released.wait(0.02):
            return


def drip_headers(handler: Handler) -> None:
    """Send a head that goes on, byte after byte, and never ends."""
    handler.wfile.write(b"HTTP/1.1 200 OK\r\nX-Padding: ")
    _drip(handler)


def drip_framing(handler: Handler) -> None:
    """Send the size of a first chunk in ever more digits, which is no content."""
    handler.send_response(200)
    handler.send_header("Transfer-Encoding", "chunked")
    handler.end_headers()
    handler.wfile.write(b"1;")
    _drip(handler)


def _drip(handler: Handler) -> None:
    with suppress(OSError):
        while not handler.server.released.wait(0.02):
            handler.wfile.write(b"x")


def flip(handler: Handler) -> None:
    spoilt = bytearray(handler.server.content)
    spoilt[-10] ^= 1
    handler.serve(content=bytes(spoilt))


def endless(handler: Handler) -> None:
    handler.send_response(200)
    handler.send_header("Transfer-Encoding", "chunked")
    handler.end_headers()
    piece = b"8000\r\n" + b"x" * 0x8000 + b"\r\n"
    with suppress(OSError):
        while True:
            handler.wfile.write(piece)


def drop(handler: Handler) -> None:
    """End the connection without an answer."""
