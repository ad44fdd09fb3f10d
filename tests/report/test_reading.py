from pathlib import Path

import pytest

from softmax_cli.errors import RunDirectoryError
from softmax_cli.report.reading import read_run


def test_every_kind_of_run_is_known_by_its_files(trained: Path, swept: Path) -> None:
    paths = (trained, swept, trained / "model.safetensors")
    assert [read_run(path).part.kind for path in paths] == ["training", "sweep", "model"]
    with pytest.raises(RunDirectoryError):
        read_run(trained / "checkpoint")
