import json
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from softmax_cli.runs.model_file import load_model, save_model
from tests.cli.conftest import QUICK, Run
from tests.report.document import Document


def test_the_report_of_a_run_is_put_into_it(run: Run, trained: Path) -> None:
    result = run("report", "here", "--format", "json")
    assert result.code == 0
    document = result.json()
    page = trained / "report.html"
    assert document["report"] == "here/report.html"
    assert document["bytes"] == page.stat().st_size < 1e6
    assert document["comparison"] is None
    (part,) = document["runs"]
    assert part["run_dir"] == "here"
    assert part["status"] == "finished"
    assert part["pictures"] == ["curves"]
    assert part["templates"] == 10
    assert "softmax evaluate here" in result.err
    assert run("report", "here", "-q").err == ""
    shown = Document.of(page.read_text(encoding="utf-8"))
    assert (trained / "config.yaml").read_text().splitlines()[2] in shown.words
    run("train", "-c", "demo", *QUICK, "--run-dir", "here", "--overwrite")
    assert not page.exists()


def test_the_report_of_several_runs_is_put_here_and_compares_them(
    run: Run, trained: Path, tmp_path: Path
) -> None:
    shutil.copytree(trained, tmp_path / "there")
    result = run("report", "here", "there", "here/best.safetensors", "--format", "json")
    assert result.code == 0
    assert result.json()["report"] == "report.html"
    assert result.json()["comparison"]["split"] == "test"
    words = Document.of((tmp_path / "report.html").read_text(encoding="utf-8")).words
    assert "Report of 3 runs" in words
    assert "Comparison" in words
    again = (tmp_path / "report.html").read_bytes()
    run("report", "here", "there", "here/best.safetensors")
    assert (tmp_path / "report.html").read_bytes() == again


def test_a_sweep_is_reported_with_its_best_run(run: Run) -> None:
    assert run("sweep", "-c", "demo-sweep", *QUICK, "--run-dir", "a sweep").code == 0
    result = run("report", "a sweep", "--output", "out/page.html", "--format", "json")
    assert result.code == 0
    (part,) = result.json()["runs"]
    assert part["trials"] > 1
    assert part["pictures"] == ["heatmap"]
    assert part["best"]["run_dir"] == "a sweep/best"
    assert result.json()["report"] == "out/page.html"
    assert "softmax evaluate 'a sweep/best'" in result.err


def test_hostile_names_are_shown_as_text(run: Run, tmp_path: Path, trained: Path) -> None:
    plain = Document.of(_reported(run, trained))
    hostile = trained.rename(tmp_path / "\"'><img src=x onerror=alert(1)>{{ 7*7 }}")
    model = load_model(hostile / "model.safetensors")
    settings = json.loads(json.dumps(model.settings))
    settings["data"]["dir"] = "</pre><script>alert(2)</script>"
    names = ("<script>alert(3)</script>", "&lt;", *model.class_names[2:])
    save_model(hostile / "model.safetensors", replace(model, class_names=names, settings=settings))
    config = hostile / "config.yaml"
    config.write_text(config.read_text() + "# </pre><script>alert(4)</script>\n")
    shown = Document.of(_reported(run, hostile))
    assert shown.tags == plain.tags
    assert [set(found) for found in shown.attributes] == [set(f) for f in plain.attributes]
    for text in (hostile.name, names[0], "# </pre><script>alert(4)</script>"):
        assert text in shown.words


def _reported(run: Run, directory: Path) -> str:
    assert run("report", directory.name).code == 0
    return (directory / "report.html").read_text(encoding="utf-8")


def test_a_hundred_classes_make_a_small_report(run: Run, trained: Path) -> None:
    model = load_model(trained / "model.safetensors")
    hundred = replace(
        model,
        weights=np.tile(model.weights, (1, 10)),
        bias=np.tile(model.bias, 10),
        class_names=tuple(f"class {n}" for n in range(100)),
    )
    save_model(trained / "model.safetensors", hundred)
    result = run("report", "here", "--format", "json")
    assert result.code == 0
    assert result.json()["runs"][0]["templates"] == 100
    assert result.json()["bytes"] < 3e6


def test_wrong_usage_and_damaged_runs(run: Run, trained: Path, tmp_path: Path) -> None:
    assert run("report").code == 2
    assert run("report", "nowhere").code == 2
    assert run("report", "here", "--output", "here").code == 2
    model = trained / "model.safetensors"
    before = model.read_bytes()
    refused = run("report", "here", "--output", "here/model.safetensors")
    assert refused.code == 2
    assert "not a report" in refused.err
    assert model.read_bytes() == before
    model.write_bytes(before[:-1])
    assert run("report", "here").code == 3
    assert not (trained / "report.html").exists()
    config = trained / "config.yaml"
    config.write_text(config.read_text().replace("format 1", "format 2", 1))
    assert run("report", "here").code == 2


def test_a_report_that_cannot_be_written_leaves_the_earlier_one(
    run: Run, trained: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(path: Path, _content: bytes) -> None:
        raise OSError(28, "No space left on device", str(path))

    run("report", "here")
    before = (trained / "report.html").read_bytes()
    monkeypatch.setattr("softmax_cli.runs.report_file.write_bytes", refuse)
    result = run("report", "here")
    assert result.code == 1
    assert "No space left on device: here/report.html" in result.err
    assert (trained / "report.html").read_bytes() == before


@pytest.mark.cifar10
def test_a_sweep_on_the_real_data_makes_a_report_that_can_be_mailed(
    run: Run, cifar10_dir: Path
) -> None:
    short = ("training.iterations=20", "training.validate_every=10")
    data = ("--data-dir", cifar10_dir)
    assert run("sweep", "-c", "cs231n-sweep", *short, *data, "--run-dir", "here").code == 0
    assert run("evaluate", "here/best", *data).code == 0
    result = run("report", "here", *data, "--format", "json")
    assert result.code == 0
    assert result.err == ""
    (part,) = result.json()["runs"]
    assert part["trials"] == 24
    assert part["best"]["mistakes"] == 15
    assert result.json()["bytes"] < 3e6
