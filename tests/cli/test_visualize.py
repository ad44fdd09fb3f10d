import json
from pathlib import Path

import pytest
from PIL import Image

from softmax_cli import __version__
from softmax_cli.errors import DataError
from tests.cli.conftest import QUICK, Run

TRAINED = ["weights.png", "curves.png"]
EVALUATED = ["confusion_matrix.png", "reliability.png", "mistakes.png"]


def names(paths: list[str]) -> list[str]:
    return [Path(path).name for path in paths]


def test_a_training_has_templates_and_curves(run: Run, trained: Path) -> None:
    result = run("visualize", "here", "--format", "json")
    assert result.code == 0
    assert result.json()["run_dir"] == "here"
    assert names(result.json()["pictures"]) == TRAINED
    assert "softmax evaluate here" in result.err
    for name in TRAINED:
        with Image.open(trained / name) as picture:
            assert min(picture.size) > 400
    assert run("visualize", "here").out.splitlines() == [f"here/{name}" for name in TRAINED]


@pytest.mark.parametrize("storage", ["bytes", "float32"])
def test_weights_of_oriented_gradients_are_strokes(run: Run, tmp_path: Path, storage: str) -> None:
    trained = run(
        "train", "-c", "demo", *QUICK, "features=hog", f"features.storage={storage}",
        "preprocessing.scale=feature", "augmentation.horizontal_flip=exact", "--run-dir", "here",
    )  # fmt: skip
    assert trained.code == 0, trained.err
    result = run("visualize", "here", "--format", "json")
    assert names(result.json()["pictures"]) == TRAINED
    with Image.open(tmp_path / "here/weights.png") as picture:
        assert picture.height > picture.width
    global_scale = (tmp_path / "here/weights.png").read_bytes()
    assert run("visualize", "here", "--scale", "class").code == 0
    assert (tmp_path / "here/weights.png").read_bytes() != global_scale


def test_a_model_of_patches_shows_its_dictionary(run: Run, tmp_path: Path) -> None:
    trained = run(
        "train", "-c", "demo", *QUICK, "features={kind: patches, filters: 8, stride: 2}",
        "preprocessing.scale=feature", "augmentation.horizontal_flip=exact", "--run-dir", "here",
    )  # fmt: skip
    assert trained.code == 0, trained.err
    result = run("visualize", "here", "--format", "json")
    assert names(result.json()["pictures"]) == ["dictionary.png", "patches.png", "curves.png"]
    global_scale = (tmp_path / "here/patches.png").read_bytes()
    assert run("visualize", "here", "--scale", "class").code == 0
    assert (tmp_path / "here/patches.png").read_bytes() != global_scale


def test_an_evaluated_run_has_three_more(run: Run, trained: Path) -> None:
    run("evaluate", "here")
    assert names(run("visualize", "here", "--format", "json").json()["pictures"]) == [
        *TRAINED,
        *EVALUATED,
    ]
    before = {name: (trained / name).read_bytes() for name in EVALUATED}
    run("evaluate", "here", "--calibrate", "--split", "validation")
    assert run("visualize", "here").code == 0
    for name in EVALUATED:
        assert (trained / name).read_bytes() != before[name], "the other split has other pictures"
        with Image.open(trained / name) as picture:
            picture.load()


def test_an_evaluation_of_other_weights_is_not_drawn(run: Run, trained: Path) -> None:
    run("evaluate", "here")
    run("train", "-c", "demo", *QUICK, "--seed", "5", "--run-dir", "other")
    (trained / "evaluation.json").rename(trained.parent / "other/evaluation.json")
    document = run("visualize", "other", "--format", "json").json()
    assert names(document["pictures"]) == TRAINED


def test_a_hinge_model_has_no_probabilities_to_draw(run: Run) -> None:
    run("train", "-c", "demo", *QUICK, "model.loss=hinge", "--run-dir", "here")
    run("evaluate", "here")
    result = run("visualize", "here", "--format", "json")
    assert names(result.json()["pictures"]) == [*TRAINED, "confusion_matrix.png"]
    assert "--calibrate" in result.err
    run("evaluate", "here", "--calibrate")
    pictures = run("visualize", "here", "--format", "json").json()["pictures"]
    assert names(pictures) == [*TRAINED, *EVALUATED]


def test_missing_images_leave_out_the_pictures_that_need_them(
    run: Run, trained: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def missing(*_: object) -> None:
        raise DataError("CIFAR-10 not found")

    run("evaluate", "here")
    monkeypatch.setattr("softmax_cli.data.datasets.load_split", missing)
    result = run("visualize", "here", "--format", "json")
    assert result.code == 0
    assert names(result.json()["pictures"]) == TRAINED
    assert "CIFAR-10 not found" in result.err


def test_an_altered_evaluation_is_refused(run: Run, trained: Path) -> None:
    run("evaluate", "here")
    kept = trained / "evaluation.json"
    document = json.loads(kept.read_text())
    for change in ({"split": "all"}, {"temperature": -1.0}, {"temperature": "hot"}):
        kept.write_text(json.dumps({**document, **change}))
        assert run("visualize", "here").code == 3
    kept.write_text("{")
    assert run("visualize", "here").code == 3


@pytest.mark.parametrize(
    ("suffix", "start"), [("png", b"\x89PNG"), ("svg", b"<?xml"), ("pdf", b"%PDF")]
)
def test_pictures_go_where_and_become_what_is_asked_for(
    run: Run, trained: Path, tmp_path: Path, suffix: str, start: bytes
) -> None:
    result = run("visualize", "here", "--output", "a/b", "--picture-format", suffix, "-q")
    assert result.code == 0
    assert result.err == ""
    for name in TRAINED:
        path = (tmp_path / "a/b" / name).with_suffix(f".{suffix}")
        assert path.read_bytes().startswith(start)
    assert not (trained / f"weights.{suffix}").exists()


def test_dpi_scales_the_picture(run: Run, trained: Path) -> None:
    sizes = []
    for dpi in (100, 200):
        assert run("visualize", "here", "--dpi", dpi).code == 0
        with Image.open(trained / "weights.png") as picture:
            sizes.append(picture.size)
    assert sizes[1] == (2 * sizes[0][0], 2 * sizes[0][1])


def test_each_template_by_itself_is_another_picture(run: Run, trained: Path) -> None:
    pictures = []
    for scale in ("global", "class"):
        assert run("visualize", "here", "--scale", scale).code == 0
        pictures.append((trained / "weights.png").read_bytes())
    assert pictures[0] != pictures[1]


def test_a_sweep_has_a_heat_map_and_the_pictures_of_its_best(run: Run, tmp_path: Path) -> None:
    swept = run("sweep", "-c", "demo-sweep", *QUICK[:3], "--run-dir", "here")
    assert swept.code == 0, swept.err
    result = run("visualize", "here", "--output", "out", "--format", "json")
    assert names(result.json()["pictures"]) == ["heatmap.png", *TRAINED]
    assert (tmp_path / "out/heatmap.png").read_bytes() == (
        tmp_path / "here/heatmap.png"
    ).read_bytes(), "drawn from the table it is the picture that the sweep drew"
    (tmp_path / "here/results.csv").unlink()
    missing = run("visualize", "here")
    assert missing.code == 3
    assert "--resume here" in missing.err


def test_a_diverged_training_leaves_curves(run: Run) -> None:
    diverging = ("optimizer.learning_rate=1e9", "optimizer.regularization=1")
    often = ("training.iterations=9", "training.validate_every=1")
    run("train", "-c", "demo", *often, *diverging, "--run-dir", "here")
    result = run("visualize", "here", "--format", "json")
    assert result.code == 0
    assert names(result.json()["pictures"]) == ["curves.png"]
    assert "no model" in result.err


def test_a_training_without_a_single_validation_has_nothing_to_draw(run: Run) -> None:
    diverging = ("optimizer.learning_rate=1e9", "optimizer.regularization=1")
    run("train", "-c", "demo", *QUICK, *diverging, "--run-dir", "here")
    result = run("visualize", "here")
    assert result.code == 3
    assert "nothing to draw" in result.err


def test_a_preview_needs_colours(run: Run, trained: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert "terminal" in run("visualize", "here", "--preview").err
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("COLORTERM", "truecolor")
    result = run("visualize", "here", "--preview", "--format", "json")
    assert result.json()["run_dir"] == "here"
    assert "\N{UPPER HALF BLOCK}" in result.err


def test_wrong_usage_and_damaged_runs(run: Run, trained: Path) -> None:
    assert run("visualize", "nowhere").code == 2
    assert run("visualize", "here", "--dpi", "0").code == 2
    assert run("visualize", "here", "--picture-format", "jpg").code == 2
    model = trained / "model.safetensors"
    content = model.read_bytes()
    model.write_bytes(content[:-3])
    assert run("visualize", "here").code == 3
    model.write_bytes(content)
    config = trained / "config.yaml"
    config.write_text(config.read_text().replace("format 1", "format 2", 1))
    newer = run("visualize", "here")
    assert newer.code == 2
    assert f"written by softmax {__version__} (format 2)" in " ".join(newer.err.split())


def test_a_folder_that_may_not_be_written_is_one_clear_message(
    run: Run, trained: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(_path: Path, _data: bytes) -> None:
        raise PermissionError(13, "Permission denied", "here/weights.png")

    monkeypatch.setattr("softmax_cli.runs.pictures.write_bytes", refuse)
    result = run("visualize", "here")
    assert result.code == 1
    assert "Permission denied: here/weights.png" in result.err


@pytest.mark.usefixtures("trained")
@pytest.mark.parametrize("name", ["[/]", "[bold]x[/bold]", ":smile:"])
def test_names_that_look_like_markup_are_shown_as_they_are(run: Run, name: str) -> None:
    result = run("visualize", "here", "--output", name)
    assert result.code == 0
    assert f"{name}/weights.png" in result.out.splitlines()
