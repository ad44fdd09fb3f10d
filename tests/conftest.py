"""Fixtures that several test rooms share."""

import os
import shutil
import tarfile
from pathlib import Path

import pytest


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
