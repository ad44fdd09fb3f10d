"""Stacks on the workers of a Dask cluster.

A worker loads the images from its own disk and verifies them, so none travel. It runs BLAS with
the number of threads it is given, so that a result does not depend on where its stack was trained.
A stack whose worker is lost is given to another; the scheduler does so three times by default.
"""

import json
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, wait
from contextlib import contextmanager
from functools import lru_cache
from typing import TYPE_CHECKING

import threadpoolctl

from softmax_cli import __version__
from softmax_cli.config.loading import train_config_from_values
from softmax_cli.config.schema import TrainConfig
from softmax_cli.config.writing import plain_values
from softmax_cli.errors import ConfigurationError, DataError
from softmax_cli.runs.environment import environment
from softmax_cli.training.assembly import TrainingData, load_training_data
from softmax_cli.tuning.stack_run import StackResult, StackTask, StopRequestedError, run_stack

if TYPE_CHECKING:
    from distributed import Client

_CONNECT_SECONDS = 15
_POLL_SECONDS = 0.5


@contextmanager
def connected(address: str) -> "Iterator[Client]":
    """A client of the scheduler at an address such as ``tcp://host:8786``.

    Raises:
        ConfigurationError: Dask is not installed, or no scheduler answers there.
    """
    try:
        from distributed import Client
    except ImportError as error:
        raise ConfigurationError(
            "expected Dask for --scheduler, but it is not installed",
            hint="Install it with: pip install 'softmax-cli[distributed]'",
        ) from error
    try:
        client = Client(address, timeout=_CONNECT_SECONDS, set_as_default=False)
    except (OSError, ValueError) as error:
        raise ConfigurationError(
            f"expected a Dask scheduler at {address}, got no answer: {error}",
            hint="Start one with `dask scheduler`, and workers with `dask worker ADDRESS`.",
        ) from error
    with client:
        yield client


def run_on_cluster(
    client: "Client",
    tasks: Sequence[StackTask],
    digests: Sequence[str],
    stop_requested: Callable[[], bool],
) -> Iterator[tuple[StackTask, StackResult | Exception]]:
    """Train stacks on the workers; yields each as it is done, with its result or what failed it.

    Args:
        client: of the scheduler.
        tasks: what is to be done.
        digests: of the training images that the workers have to find for each task.
        stop_requested: asked now and then whether to call everything off.

    Raises:
        StopRequestedError: if so.
    """
    threads = int(environment()["blas_threads"])
    with client.get_executor(pure=False) as executor:
        futures = {
            executor.submit(_run_on_worker, task, digest, threads, __version__): task
            for task, digest in zip(tasks, digests, strict=True)
        }
        try:
            while futures:
                done, _ = wait(futures, timeout=_POLL_SECONDS, return_when=FIRST_COMPLETED)
                if stop_requested():
                    raise StopRequestedError
                for future in done:
                    yield futures.pop(future), _result_of(future)
        finally:
            executor.shutdown(wait=False, cancel_futures=True)


def _result_of(future: "Future[StackResult]") -> StackResult | Exception:
    error = future.exception()
    if isinstance(error, Exception):
        return error
    return future.result()


def _run_on_worker(task: StackTask, data_digest: str, threads: int, version: str) -> StackResult:
    if version != __version__:
        raise ConfigurationError(f"expected softmax {version} on the worker, got {__version__}")
    data = _data_of(task.stack.shared)
    if data.train.digest != data_digest:
        raise DataError("expected the same training images on every worker, got others")
    with threadpoolctl.threadpool_limits(threads, user_api="blas"):
        return run_stack(task, data)


def _data_of(config: TrainConfig) -> TrainingData:
    values = plain_values(config)
    used = {section: values[section] for section in ("data", "preprocessing")}
    return _load(json.dumps(used, sort_keys=True))


@lru_cache(maxsize=1)
def _load(settings: str) -> TrainingData:
    """Training data by its settings as JSON, kept for the next stack."""
    return load_training_data(train_config_from_values(json.loads(settings)))
