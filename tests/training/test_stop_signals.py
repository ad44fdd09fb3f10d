"""Each system stops at those of the signals that it has."""

import importlib
import signal
import sys

import pytest

from softmax_cli.training import stop_signals


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has two of them")
def test_four_signals_ask_a_run_to_stop() -> None:
    expected = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGUSR1)
    assert expected == stop_signals.STOP_SIGNALS


def test_signals_that_a_system_lacks_are_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    class Signals:
        __members__ = ("SIGINT", "SIGTERM", "SIGABRT")

        def __class_getitem__(cls, name: str) -> str:
            return name

    with monkeypatch.context() as patch:
        patch.setattr(signal, "Signals", Signals)
        found = importlib.reload(stop_signals).STOP_SIGNALS
    importlib.reload(stop_signals)
    assert found == ("SIGINT", "SIGTERM")
