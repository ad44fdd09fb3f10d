"""``softmax download``, made to expect a small archive instead of the 163 MB of CIFAR-10.

It is run as a module, reads from the file that its first argument names what to expect, without the
mirrors of the internet, and when to retry, puts that in place of the defaults, and runs the
program's own ``main`` on the other arguments. It can be told to kill itself before one of its
operations on files.
"""

import json
import os
import signal
import sys
from functools import partial
from pathlib import Path
from unittest import mock

from softmax_cli.cli.main import main
from softmax_cli.data import download
from tests.data.expectation import expect, publication_from

KILL_VARIABLE = "DOWNLOAD_PROGRAM_KILL_AT"
_OPERATIONS = ("os.mkdir", "os.remove", "os.rename", "os.rmdir")


def _kill_at(operation: int) -> None:
    """Kill this process before an operation on files, counted from 1; reading counts, too."""
    folder = os.fspath(Path.cwd())
    done = 0

    def hook(event: str, arguments: tuple[object, ...]) -> None:
        nonlocal done
        opens_ours = event == "open" and str(arguments[0]).startswith(folder)
        if opens_ours or event in _OPERATIONS:
            done += 1
            if done == operation:
                os.kill(os.getpid(), signal.SIGKILL)

    sys.addaudithook(hook)


def _run() -> None:
    # What a shell starts in the background, and all that this starts, ignores Ctrl-C.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    expected = json.loads(Path(sys.argv.pop(1)).read_text("utf-8"))
    expect(publication_from(expected["publication"]))
    policy = download.RetryPolicy(**expected["policy"])
    fetch = partial(download.fetch_dataset, policy=policy)
    if operation := int(os.environ.get(KILL_VARIABLE, "0")):
        _kill_at(operation)
    with mock.patch.object(download, "fetch_dataset", fetch):
        main()


if __name__ == "__main__":
    _run()
