from pathlib import Path

import pytest

from benchmarks import document
from benchmarks.groups import GROUPS
from benchmarks.machine import machine
from benchmarks.report import BEGIN, END
from benchmarks.results import Findings, Results, save


def test_groups_measured_one_at_a_time_make_one_document(tmp_path: Path) -> None:
    written, image = tmp_path / "benchmarks.md", tmp_path / "benchmarks.png"
    written.write_text(f"By hand.\n{BEGIN}\nold\n{END}\nAfter.\n")
    for group, date in (("sweep", "2026-01-03"), ("single", "2026-01-02")):
        facts = {**machine(), "load_average": 0.5, "cpu": f"processor of {group}"}
        save(Results(group, date, facts, {"quick": False}, Findings()), tmp_path)
    options = [str(tmp_path), "--document", str(written), "--picture", str(image)]
    assert document.main(options) == 0
    text = written.read_text("utf-8")
    assert text.startswith(f"By hand.\n{BEGIN}\n\nsingle: measured on 2026-01-02 on processor of")
    assert text.index("single: measured") < text.index("sweep: measured on 2026-01-03")
    assert text.endswith(f"{END}\nAfter.\n")
    assert not image.exists()  # there is nothing to draw


def test_a_folder_without_results_is_an_error(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    assert document.main([str(tmp_path)]) == 2
    assert "expected results such as single.json" in capsys.readouterr().err


def test_every_group_is_a_method_with_a_sentence() -> None:
    assert all(group.measure.__doc__ for group in GROUPS.values())


@pytest.mark.parametrize("text", ["", "# Nothing\n"])
def test_a_document_without_markers_is_an_error(
    text: str, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    written = tmp_path / "benchmarks.md"
    written.write_text(text)
    save(Results("step", "2026-01-02", machine(), {}, Findings()), tmp_path)
    assert document.main([str(tmp_path), "--document", str(written)]) == 2
    assert "expected a line <!-- measured: begin" in capsys.readouterr().err
