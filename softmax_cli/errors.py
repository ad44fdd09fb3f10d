"""The errors this package raises on purpose.

::

    SoftmaxError                  anything below
    ├── ConfigurationError        a setting, an option or an argument is wrong
    │   ├── RunDirectoryError     a run directory exists already, is in use, or is no run
    │   ├── ArgumentError         an argument of the Python API is wrong
    │   └── NotFittedError        an estimator is asked before it was fitted
    ├── IntegrityError            a file is missing or is not what it should be
    │   ├── DataError             ... images and labels
    │   ├── ModelError            ... a model file
    │   └── CheckpointError       ... a checkpoint
    ├── DownloadError             no mirror could deliver the archive
    ├── LostProcessError          a process that took part in a training has ended
    ├── DivergedError             training ended in numbers that are not finite
    ├── FailedTrialsError         a sweep finished, but some of its trials did not
    └── InterruptedRunError       a run was asked to stop and saved its state first

A message says what was expected and what came; ``hint`` says what to do next. The library raises,
and only the command line turns an error into text and an exit code. In a traceback the hint is a
note below the message.

The last two of the first branch are also the built-in errors that callers from Python expect there:
both are a `ValueError`, and `NotFittedError` is an `AttributeError`.
"""


class SoftmaxError(Exception):
    """Base of every error this package raises on purpose.

    Args:
        message: what was expected and what came instead; one line or several.
        hint: what the user can do next, as one or more sentences or commands.
    """

    def __init__(self, message: str, *, hint: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint
        if hint:
            self.add_note(hint)


class ConfigurationError(SoftmaxError):
    """A setting, an option or an argument is wrong."""


class RunDirectoryError(ConfigurationError):
    """A run directory exists already, is in use by another process, or is no run."""


class ArgumentError(ConfigurationError, ValueError):
    """An argument of the Python API is wrong."""


class NotFittedError(ConfigurationError, ValueError, AttributeError):
    """An estimator is asked for what it has only once it is fitted."""


class IntegrityError(SoftmaxError):
    """A file that is needed is missing or is not what it should be."""


class DataError(IntegrityError):
    """Images or labels are missing or not intact."""


class ModelError(IntegrityError):
    """A model file is missing, of another format version, or not intact."""


class CheckpointError(IntegrityError):
    """A checkpoint is missing, belongs to other settings or data, or is not intact."""


class DownloadError(SoftmaxError):
    """No mirror could deliver the archive."""


class LostProcessError(SoftmaxError):
    """A process that took part in a training has ended, and with it the training."""


class DivergedError(SoftmaxError):
    """Training ended in numbers that are not finite."""


class FailedTrialsError(SoftmaxError):
    """A sweep finished, but some of its trials did not."""


class InterruptedRunError(SoftmaxError):
    """A run was asked to stop and saved its state first."""
