"""Fixtures that several test rooms share."""

import os
import shutil
import sys
import tarfile
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.leftovers import Leftovers


@pytest.fixture(scope="session", autouse=True)
def leftovers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Leftovers]:
    """Give this run temporary files of its own; fail it at its end if anything was left behind."""
    temporary = tmp_path_factory.mktemp("temporary")
    left = Leftovers(temporary, Path.cwd())
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TMPDIR", str(temporary))
        patch.setattr(tempfile, "tempdir", None)
        # Its processes are killed, and what they leave goes with the folders of the tests.
        patch.setenv("DASK_TEMPORARY_DIRECTORY", str(tmp_path_factory.mktemp("dask")))
        yield left
    if found := left.found():
        pytest.fail("\n".join(["these tests left something behind:", *found]), pytrace=False)


@pytest.fixture(autouse=True)
def _nothing_left_behind(request: pytest.FixtureRequest, leftovers: Leftovers) -> Iterator[None]:
    yield
    leftovers.note(request.node.nodeid)


def pytest_runtest_setup(item: pytest.Item) -> None:
    """Skip tests that are marked ``linux`` or ``posix`` where these are not, and say why."""
    lacking = {"linux": sys.platform != "linux", "posix": sys.platform == "win32"}
    for name in (name for name, is_lacking in lacking.items() if is_lacking):
        for mark in item.iter_markers(name):
            pytest.skip(f"needs {mark.args[0]}, which {sys.platform} lacks")


@pytest.fixture(scope="session")
def cifar10_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder of the real ``cifar-10-batches-py/``, from what ``SOFTMAX_TEST_CIFAR10`` names.

    The variable names an archive of the seven files or a folder that contains them.
    """
    source = os.environ.get("SOFTMAX_TEST_CIFAR10")
    if not source:
        pytest.skip("SOFTMAX_TEST_CIFAR10 is not set: name an archive or folder of CIFAR-10")
    target = tmp_path_factory.mktemp("cifar10")
    unpack_cifar10(Path(source), target)
    return target


def unpack_cifar10(source: Path, target: Path) -> None:
    """Put ``cifar-10-batches-py/`` of an archive, or of a folder, into the folder ``target``."""
    source = source.expanduser()
    if source.is_dir():
        named = source.name == "cifar-10-batches-py"
        folder = source if named else source / "cifar-10-batches-py"
        shutil.copytree(folder, target / "cifar-10-batches-py")
    else:
        with tarfile.open(source) as archive:
            archive.extractall(target, filter="data")
