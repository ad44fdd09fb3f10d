from pathlib import Path

import pytest

from softmax_cli.runs.directory import create_run_directory
from softmax_cli.runs.pictures import PICTURE_FORMATS, PICTURES, write_picture


def test_overwriting_a_run_removes_every_picture_that_can_be_written(tmp_path: Path) -> None:
    run = tmp_path / "run"
    create_run_directory(run, kind="train", settings="seed: 1\n").close()
    (run / "holiday.png").write_bytes(b"mine")
    for name in PICTURES:
        for suffix in PICTURE_FORMATS:
            write_picture(run, name, suffix, b"drawn")
    create_run_directory(run, kind="train", settings="seed: 2\n", overwrite=True).close()
    assert {path.name for path in run.iterdir()} == {"config.yaml", "holiday.png"}


def test_a_picture_that_is_not_registered_is_not_written(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"got holiday\.png"):
        write_picture(tmp_path, "holiday", "png", b"")
    assert not list(tmp_path.iterdir())
