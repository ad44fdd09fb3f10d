"""Entry point: runs the Typer app, and turns errors into messages and exit codes."""

import errno
import os
import sys
from typing import NoReturn

from softmax_cli.cli import signals, streams
from softmax_cli.cli.app import app
from softmax_cli.cli.invocation import program_name
from softmax_cli.cli.output import describe, print_error
from softmax_cli.errors import (
    ConfigurationError,
    DivergedError,
    FailedTrialsError,
    IntegrityError,
    InterruptedRunError,
    SoftmaxError,
)

_EXIT_CODES: tuple[tuple[type[SoftmaxError], int], ...] = (
    (ConfigurationError, 2),
    (IntegrityError, 3),
    (DivergedError, 4),
    (FailedTrialsError, 5),
    (SoftmaxError, 1),
)


def main() -> NoReturn:
    """Run the command line; never returns.

    Exit codes: 0 done; 1 failed while running; 2 wrong usage or configuration; 3 data, model or
    checkpoint missing or not intact; 4 training diverged; 5 some trials of a sweep failed; 130
    after Ctrl-C, 143 after SIGTERM, 129 after SIGHUP and 138 (158 on macOS) after SIGUSR1.
    """
    streams.make_usable()
    try:
        try:
            app(prog_name=program_name())
        finally:
            # Here, so that a failure to write the results is reported.
            sys.stdout.flush()
    except (Exception, KeyboardInterrupt) as error:
        if os.environ.get("SOFTMAX_DEBUG") == "1":
            raise
        sys.exit(_report(error))
    finally:
        streams.abandon_unwritable()
    sys.exit(0)


def _report(error: Exception | KeyboardInterrupt) -> int:
    """Print an error and its hint; return the exit code."""
    if isinstance(error, KeyboardInterrupt):
        print_error("interrupted")
        return signals.exit_code()
    if isinstance(error, InterruptedRunError):
        print_error(error.message, error.hint)
        return signals.exit_code()
    if isinstance(error, SoftmaxError):
        print_error(error.message, error.hint)
        return next(code for kind, code in _EXIT_CODES if isinstance(error, kind))
    if isinstance(error, OSError) and _is_closed_pipe(error):
        return 1
    if isinstance(error, OSError):
        print_error(describe(error), _advice(error))
        return 1
    if isinstance(error, MemoryError):
        print_error("out of memory", "Lower training.batch_size, or use fewer images or models.")
        return 1
    print_error(
        f"a defect in softmax: {describe(error)}",
        "Set SOFTMAX_DEBUG=1 to see where it happened, and please report it.",
    )
    return 1


def _is_closed_pipe(error: OSError) -> bool:
    """Whether stdout was closed by its reader; Windows reports an invalid argument of no file."""
    is_nameless = error.errno == errno.EINVAL and error.filename is None
    return isinstance(error, BrokenPipeError) or (sys.platform == "win32" and is_nameless)


def _advice(error: OSError) -> str | None:
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return "Free some space and run the command again; files written earlier are intact."
    if error.errno in (errno.EACCES, errno.EPERM, errno.EROFS):
        advice = "Choose a place that you may write to, or change its permissions."
        if sys.platform == "win32":
            advice = f"Close the file if another program has it open. {advice}"
        return advice
    return None
