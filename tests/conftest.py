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
    path = Path(source)
    target = tmp_path_factory.mktemp("cifar10")
    if path.is_dir():
        folder = path if path.name == "cifar-10-batches-py" else path / "cifar-10-batches-py"
        shutil.copytree(folder, target / "cifar-10-batches-py")
    else:
        with tarfile.open(path) as archive:
            archive.extractall(target, filter="data")
    return target
