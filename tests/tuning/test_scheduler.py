"""A server of another kind than a scheduler is reported within seconds."""

import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from softmax_cli.errors import ConfigurationError
from softmax_cli.tuning import scheduler
from softmax_cli.tuning.cluster import connected

Serve = Callable[[Callable[[socket.socket], None]], int]


@pytest.fixture(autouse=True)
def limits(monkeypatch: pytest.MonkeyPatch) -> None:
    """Shorter than a user's, but long enough for a busy machine to answer."""
    monkeypatch.setattr(scheduler, "_CONNECT_SECONDS", 3.0)
    monkeypatch.setattr(scheduler, "ANSWER_SECONDS", 4.0)


@pytest.fixture
def impatient(limits: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """For what never answers, however long it is waited for."""
    monkeypatch.setattr(scheduler, "_CONNECT_SECONDS", 0.5)
    monkeypatch.setattr(scheduler, "ANSWER_SECONDS", 0.8)


@pytest.fixture
def serve() -> Iterator[Serve]:
    """``serve(answer)`` hands each connection to ``answer``; returns the port."""
    with ExitStack() as listeners:

        def start(answer: Callable[[socket.socket], None]) -> int:
            listener = listeners.enter_context(socket.create_server(("127.0.0.1", 0)))

            def accept() -> None:
                with suppress(OSError):
                    while True:
                        connection, _ = listener.accept()
                        with connection, suppress(OSError):
                            answer(connection)

            threading.Thread(target=accept, daemon=True).start()
            listeners.callback(listener.shutdown, socket.SHUT_RDWR)
            return int(listener.getsockname()[1])

        yield start


def error_at(address: str) -> ConfigurationError:
    with pytest.raises(ConfigurationError) as caught, connected(address):
        pass
    assert caught.value.hint
    return caught.value


def silent(connection: socket.socket) -> None:
    while connection.recv(1024):
        pass


def greeting(*parts: bytes) -> Callable[[socket.socket], None]:
    def greet(connection: socket.socket) -> None:
        connection.sendall(b"".join(parts))
        silent(connection)

    return greet


def hang_up(connection: socket.socket) -> None:
    connection.recv(1)


@pytest.mark.usefixtures("impatient")
def test_a_server_that_never_answers_keeps_nobody_waiting(serve: Serve) -> None:
    start = time.monotonic()
    error = error_at(f"tcp://127.0.0.1:{serve(silent)}")
    assert "expected a Dask scheduler at tcp://127.0.0.1" in error.message
    assert "got no answer within 0.8 s" in error.message
    assert time.monotonic() - start < 10
    assert "`dask scheduler`" in str(error.hint)


def test_the_limits_leave_two_of_fifteen_seconds_to_start(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.undo()
    assert scheduler._CONNECT_SECONDS < scheduler.ANSWER_SECONDS
    assert scheduler.ANSWER_SECONDS + 1 + 2 * scheduler._WEB_SECONDS <= 13


@pytest.mark.parametrize(
    "answer",
    [
        greeting(b"SSH-2.0-OpenSSH_9.2\r\n"),
        greeting(bytes(100)),
        greeting((16).to_bytes(8, "little"), b"x" * 16),
        greeting((2**40).to_bytes(8, "little"), b"x"),
        greeting((2**62).to_bytes(8, "little"), b"x"),
        hang_up,
    ],
)
def test_other_protocols_are_no_scheduler(
    serve: Serve, answer: Callable[[socket.socket], None]
) -> None:
    message = error_at(f"127.0.0.1:{serve(answer)}").message
    assert "got an answer that is not one of Dask" in message or "got no answer" in message
    assert not message.endswith(": ")


class Page(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(200)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def web_port() -> Iterator[int]:
    with ThreadingHTTPServer(("127.0.0.1", 0), Page) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server.server_port
        server.shutdown()


def test_a_web_server_is_named_and_the_dashboard_by_its_port(
    web_port: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    error = error_at(f"tcp://127.0.0.1:{web_port}")
    assert "got a web server" in error.message
    assert "tcp://HOST:8786" in str(error.hint)
    assert "It may be Dask's dashboard" in str(error.hint)
    monkeypatch.setattr(scheduler, "_DASHBOARD_PORT", web_port)
    hint = error_at(f"tcp://127.0.0.1:{web_port}").hint
    assert f"Port {web_port} is the port of Dask's dashboard" in str(hint)
    assert "tcp://HOST:8786" in str(hint)


def test_the_address_of_the_dashboard_in_a_browser_is_recognised() -> None:
    error = error_at("http://127.0.0.1:8787/status")
    assert "such as tcp://host:8786" in error.message
    assert "Port 8787 is the port of Dask's dashboard" in str(error.hint)


@pytest.mark.parametrize(
    "address",
    ["carrier-pigeon://roof", "hostname", "", "tcp://host:port", "tcp://[::1", "inproc://1/2/3"],
)
def test_an_address_that_makes_no_sense_is_refused_at_once(
    address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(scheduler, "_ask_in_thread", pytest.fail)
    error = error_at(address)
    assert "expected the address of a Dask scheduler, such as tcp://host:8786" in error.message
    assert f'"{address}"' in error.message


def test_what_cannot_be_connected_to_is_told_with_the_reason() -> None:
    assert "Connection refused" in error_at("tcp://127.0.0.1:9").message
    assert "TLS" in error_at("tls://127.0.0.1:9").message
    assert "got no answer: " in error_at("tcp://no-such-host.invalid:8786").message


@pytest.mark.usefixtures("impatient")
def test_a_look_up_that_hangs_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    released = threading.Event()
    monkeypatch.setattr("socket.getaddrinfo", lambda *_: released.wait(30))
    monkeypatch.setattr(scheduler, "_is_web_server", lambda *_: False)
    start = time.monotonic()
    assert "got no answer within" in error_at("tcp://somewhere:8786").message
    assert time.monotonic() - start < 10
    released.set()
