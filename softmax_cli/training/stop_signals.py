"""The signals that ask a run to save and stop."""

import signal

_NAMES = ("SIGINT", "SIGTERM", "SIGHUP", "SIGUSR1")

STOP_SIGNALS = tuple(signal.Signals[name] for name in _NAMES if name in signal.Signals.__members__)
"""Of this system: Ctrl-C, ``kill``, a closed terminal, and a batch system before its time limit."""
