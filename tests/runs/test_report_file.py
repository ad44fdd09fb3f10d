from pathlib import Path

import pytest

from softmax_cli.errors import RunDirectoryError
from softmax_cli.runs.report_file import GENERATOR, write_report

PAGE = f'<!doctype html>{GENERATOR}1.0">\nüber'


def test_a_report_replaces_an_earlier_one_and_makes_its_folder(tmp_path: Path) -> None:
    path = tmp_path / "new" / "report.html"
    assert write_report(path, PAGE) == len(PAGE.encode())
    write_report(path, f"{PAGE} again")
    assert path.read_text(encoding="utf-8") == f"{PAGE} again"
    assert list(path.parent.iterdir()) == [path]


def test_an_empty_file_may_be_filled(tmp_path: Path) -> None:
    path = tmp_path / "made"
    path.touch()
    write_report(path, PAGE)
    assert path.read_text(encoding="utf-8") == PAGE


def test_nothing_else_is_replaced(tmp_path: Path) -> None:
    other = tmp_path / "thesis.html"
    other.write_text("<!doctype html>years of work")
    with pytest.raises(RunDirectoryError, match="not a report"):
        write_report(other, PAGE)
    assert other.read_text() == "<!doctype html>years of work"
    with pytest.raises(RunDirectoryError, match="got a directory") as caught:
        write_report(tmp_path, PAGE)
    assert str(tmp_path / "report.html") in str(caught.value.hint)
