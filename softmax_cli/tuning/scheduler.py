"""Whether a Dask scheduler is at an address, and if not, what is there instead.

Dask's own client waits for ever for the answer of a server that is no scheduler, and raises
exceptions of any class on other protocols. So the server is first asked for its identity, within a
limit that covers the look-up of the name, the connection, the handshake and the answer.
"""

import asyncio
import logging
import socket
import threading
from collections.abc import Iterator, Mapping
from concurrent.futures import Future
from contextlib import contextmanager, suppress
from typing import Any

from softmax_cli.config.problems import shown
from softmax_cli.errors import ConfigurationError

ANSWER_SECONDS = 8.0
_CONNECT_SECONDS = 6.0
_WEB_SECONDS = 2.0
_DASHBOARD_PORT = 8787
_LOGGERS = ("distributed", "distributed.client")
_START_HINT = "Start one with `dask scheduler`, and workers with `dask worker ADDRESS`."
_ADDRESS_HINT = (
    "`dask scheduler` prints the scheduler's address as it starts: tcp://HOST:8786, unless another "
    "port was asked for."
)


@contextmanager
def silent_logging() -> Iterator[None]:
    """Keep Dask's client from logging within this context: what it logs is also raised."""
    loggers = [logging.getLogger(name) for name in _LOGGERS]
    levels = [logger.level for logger in loggers]
    for logger in loggers:
        logger.setLevel(logging.CRITICAL)
    try:
        yield
    finally:
        for logger, level in zip(loggers, levels, strict=True):
            logger.setLevel(level)


def no_scheduler(address: str, found: str, hint: str = _START_HINT) -> ConfigurationError:
    """The error that says what is at an address instead of a scheduler."""
    return ConfigurationError(f"expected a Dask scheduler at {address}, got {found}", hint=hint)


def check_scheduler(address: str) -> None:
    """Make sure that a scheduler answers at an address such as ``tcp://host:8786``.

    Raises:
        ConfigurationError: none does, within ``ANSWER_SECONDS`` and some two seconds more, in which
            a web server is given the chance to be recognised.
    """
    from distributed.comm.addressing import get_address_host_port

    try:
        host, port = get_address_host_port(address)
    except ValueError as error:
        port = _DASHBOARD_PORT if f":{_DASHBOARD_PORT}" in address else 0
        raise ConfigurationError(
            "expected the address of a Dask scheduler, such as tcp://host:8786, "
            f"got {shown(address)}: {error}",
            hint=_dashboard_note(port) + _ADDRESS_HINT,
        ) from error
    try:
        identity = _ask_in_thread(address, host, port)
    except Exception as error:
        if _is_web_server(host, port):
            note = _dashboard_note(port) or "It may be Dask's dashboard. "
            raise no_scheduler(address, "a web server", note + _ADDRESS_HINT) from error
        hint = _dashboard_note(port) + _START_HINT
        raise no_scheduler(address, _description(error), hint) from error
    if "workers" not in identity:
        found = f"a Dask {str(identity.get('type', 'server')).lower()}"
        other = identity.get("scheduler")
        hint = f"Its scheduler is at {other}." if other else _ADDRESS_HINT
        raise no_scheduler(address, found, hint)


def _dashboard_note(port: int) -> str:
    """A hint for users who give the dashboard's address in place of the scheduler's."""
    return f"Port {port} is the port of Dask's dashboard. " if port == _DASHBOARD_PORT else ""


def _ask_in_thread(address: str, host: str, port: int) -> Mapping[str, Any]:
    """The identity that the server at an address reports.

    Raises:
        TimeoutError: it does not answer in time.
        OSError: there is no connection.
        Exception: its answer is not one of Dask.
    """
    answer: Future[Mapping[str, Any]] = Future()

    def ask() -> None:
        try:
            # Nothing interrupts the look-up of a name, so it is done in this thread, which may be
            # left behind. The interpreter would wait for a thread of an event loop.
            with suppress(OSError):
                socket.getaddrinfo(host, port)
            answer.set_result(asyncio.run(_ask(address)))
        except BaseException as error:  # noqa: BLE001 - it is raised where the answer is awaited
            answer.set_exception(error)

    threading.Thread(target=ask, daemon=True).start()
    return answer.result(ANSWER_SECONDS + 1)


async def _ask(address: str) -> Mapping[str, Any]:
    from distributed import rpc
    from distributed.security import Security

    tls = Security().get_connection_args("client")
    async with (
        asyncio.timeout(ANSWER_SECONDS),
        rpc(address, timeout=_CONNECT_SECONDS, connection_args=tls) as server,
    ):
        return dict(await server.identity())


def _description(error: Exception) -> str:
    """What came instead of a scheduler's answer."""
    if isinstance(error, TimeoutError):
        return f"no answer within {ANSWER_SECONDS:g} s"
    if isinstance(error, OSError | TypeError):
        return f"no answer: {_root_cause(error)}"
    return "an answer that is not one of Dask"


def _root_cause(error: BaseException) -> str:
    """What the first error says that led to this one, of those that say anything."""
    cause = "" if error.__cause__ is None else _root_cause(error.__cause__)
    return cause or getattr(error, "strerror", None) or str(error)


def _is_web_server(host: str, port: int) -> bool:
    """Whether a server answers a request of HTTP."""
    try:
        with socket.create_connection((host, port), timeout=_WEB_SECONDS) as connection:
            connection.sendall(b"GET / HTTP/1.0\r\n\r\n")
            return connection.recv(5) == b"HTTP/"
    except (OSError, OverflowError):
        return False
