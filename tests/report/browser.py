"""Chromium without a window, told what to do over a pair of pipes (the DevTools protocol)."""

import base64
import contextlib
import itertools
import json
import os
import select
import shutil
import signal
import time
from pathlib import Path
from types import TracebackType
from typing import Any, Self

_NAMES = ("chromium", "chromium-browser", "google-chrome", "chrome")
_SWITCHES = (
    "--headless=new",
    "--remote-debugging-pipe",
    "--disable-gpu",
    "--hide-scrollbars",
    "--disable-breakpad",
    "--disable-crash-reporter",
    "--disable-dev-shm-usage",
    "--disable-background-networking",
    "--no-first-run",
    "--host-resolver-rules=MAP * ~NOTFOUND",
)
_PATIENCE_SECONDS = 60.0


def find_browser() -> str | None:
    """The program that ``SOFTMAX_TEST_BROWSER`` names, or else a Chromium on the PATH."""
    named = os.environ.get("SOFTMAX_TEST_BROWSER")
    return named or next(filter(None, map(shutil.which, _NAMES)), None)


class Browser:
    """One page of a browser; as a context manager it ends with its process.

    Attributes:
        complaints: what the page has written into its console, and requests that failed.
    """

    def __init__(self, program: str, home: Path) -> None:
        self.complaints: list[str] = []
        self._ids = itertools.count(1)
        self._left = b""
        self._events: list[dict[str, Any]] = []
        theirs_in, self._out = os.pipe()
        self._in, theirs_out = os.pipe()
        switches = [*_SWITCHES, f"--user-data-dir={home / 'profile'}"]
        if os.geteuid() == 0:
            switches.append("--no-sandbox")
        quiet = [(os.POSIX_SPAWN_OPEN, n, os.devnull, os.O_RDWR, 0) for n in range(3)]
        # The browser reads from descriptor 3 and writes to 4.
        pipes = [(os.POSIX_SPAWN_DUP2, theirs_in, 3), (os.POSIX_SPAWN_DUP2, theirs_out, 4)]
        self._pid = os.posix_spawn(
            program,
            [program, *switches, "about:blank"],
            {**os.environ, "HOME": str(home), "XDG_RUNTIME_DIR": str(home)},
            file_actions=[*quiet, *pipes],
        )
        os.close(theirs_in)
        os.close(theirs_out)
        target = self.call("Target.createTarget", url="about:blank")["targetId"]
        attached = self.call("Target.attachToTarget", targetId=target, flatten=True)
        self._session = attached["sessionId"]
        for domain in ("Page", "Runtime", "Log", "Network"):
            self.call(f"{domain}.enable")

    _session: str | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._session = None
        try:
            self.call("Browser.close")
            with contextlib.suppress(EOFError):
                while True:
                    self._message()
        finally:
            os.kill(self._pid, signal.SIGKILL)
            os.waitpid(self._pid, 0)
            os.close(self._in)
            os.close(self._out)

    def show(self, page: Path, *, width: int, height: int = 900, scheme: str = "light") -> None:
        """Load a page into a window of some width, under a colour scheme."""
        self.call(
            "Emulation.setDeviceMetricsOverride",
            width=width,
            height=height,
            deviceScaleFactor=1,
            mobile=False,
        )
        preference = {"name": "prefers-color-scheme", "value": scheme}
        self.call("Emulation.setEmulatedMedia", features=[preference])
        self._events.clear()
        self.call("Page.navigate", url=page.as_uri())
        while not any(event["method"] == "Page.loadEventFired" for event in self._events):
            self._note(self._message())

    def run(self, script: str) -> Any:
        """The value of an expression in the page; a promise is waited for."""
        answer = self.call(
            "Runtime.evaluate", expression=script, returnByValue=True, awaitPromise=True
        )
        assert "exceptionDetails" not in answer, answer["exceptionDetails"]
        return answer["result"].get("value")

    def screenshot(self, *, below: bool = True) -> bytes:
        """The page as PNG, with what lies below the window."""
        answer = self.call("Page.captureScreenshot", captureBeyondViewport=below)
        return base64.b64decode(answer["data"])

    def call(self, method: str, **parameters: object) -> dict[str, Any]:
        """Call a method of the protocol and return its result."""
        number = next(self._ids)
        message: dict[str, Any] = {"id": number, "method": method, "params": parameters}
        if self._session is not None:
            message["sessionId"] = self._session
        os.write(self._out, json.dumps(message).encode() + b"\0")
        while (answer := self._message()).get("id") != number:
            self._note(answer)
        assert "error" not in answer, answer["error"]
        result: dict[str, Any] = answer["result"]
        return result

    def _note(self, event: dict[str, Any]) -> None:
        """Keep an event, and what it complains about."""
        if "method" not in event:
            return
        self._events.append(event)
        complaint = {
            "Runtime.exceptionThrown": "exceptionDetails",
            "Runtime.consoleAPICalled": "args",
            "Log.entryAdded": "entry",
            "Network.loadingFailed": "errorText",
        }.get(event["method"])
        if complaint:
            self.complaints.append(json.dumps(event["params"][complaint]))

    def _message(self) -> dict[str, Any]:
        end = time.monotonic() + _PATIENCE_SECONDS
        while b"\0" not in self._left:
            ready, _, _ = select.select([self._in], [], [], max(0.0, end - time.monotonic()))
            if not ready:
                raise TimeoutError("the browser does not answer")
            chunk = os.read(self._in, 1 << 16)
            if not chunk:
                raise EOFError("the browser has ended")
            self._left += chunk
        text, self._left = self._left.split(b"\0", 1)
        message: dict[str, Any] = json.loads(text)
        return message
