"""Pictures are an extra of `train` and `sweep`, and the purpose of `visualize`."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from matplotlib.figure import Figure

from tests.cli.conftest import QUICK, Run

DIVERGING = (
    "training.iterations=9",
    "training.validate_every=1",
    "optimizer.learning_rate=1e9",
    "optimizer.regularization=1",
)
AXIS = "parameters.optimizer.regularization=[0.001]"


@pytest.fixture(
    params=[RuntimeError("no ink"), OSError(28, "No space left on device", "x.png")],
    ids=["drawing", "saving"],
)
def broken(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every picture fails, and says on stdout when."""

    def draw(*_: object) -> bytes:
        sys.stdout.write("drawing\n")
        raise request.param

    monkeypatch.setattr("softmax_cli.plots.style.render", draw)


@pytest.mark.usefixtures("broken")
@pytest.mark.parametrize("form", ["json", "table"])
@pytest.mark.parametrize(
    ("arguments", "pictures"),
    [
        (("train", "-c", "demo", *QUICK), ["here/curves.png"]),
        (("sweep", "-c", "demo-sweep", *QUICK, AXIS), ["here/heatmap.png", "here/best/curves.png"]),
    ],
    ids=["train", "sweep"],
)
def test_one_that_fails_is_a_warning_after_the_result(
    run: Run, tmp_path: Path, arguments: tuple[str, ...], pictures: list[str], form: str
) -> None:
    first = run(*arguments, "--run-dir", "here", "--format", form, "-q")
    again = run(arguments[0], "--resume", "here", "--format", form, "-q")
    for result in (first, again):
        assert result.code == 0
        parts = result.out.split("drawing\n")
        assert parts[1:] == [""] * len(pictures), "the result comes first, and whole"
        if form == "json":
            assert json.loads(parts[0])["run_dir"] == "here"
        else:
            assert "validation" in parts[0]
        assert result.err.count(" was not drawn: ") == len(pictures)
        for picture in pictures:
            assert f"{Path(picture).name} was not drawn: " in result.err
            assert f"softmax visualize {Path(picture).parent}\n" in result.err
            assert not (tmp_path / picture).exists()


def test_the_command_that_a_warning_names_draws_it(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patched:
        patched.setattr("softmax_cli.plots.style.render", lambda *_: 1 / 0)
        result = run("train", "-c", "demo", *QUICK, "--run-dir", "a b")
    assert "ZeroDivisionError" in result.err
    assert "softmax visualize 'a b'" in result.err
    assert run("visualize", "a b").code == 0
    assert (tmp_path / "a b/curves.png").stat().st_size > 0


def test_a_training_ends_well_where_matplotlib_cannot_be_imported(tmp_path: Path) -> None:
    script = (
        "import sys; sys.modules['matplotlib'] = None; "
        "from softmax_cli.cli.main import main; main()"
    )
    command = [sys.executable, "-c", script, "train", "-c", "demo", *QUICK, "--format", "json"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0
    assert json.loads(done.stdout)["run_dir"] == "runs/train/demo-001"
    assert "curves.png was not drawn: ModuleNotFoundError" in done.stderr


@pytest.mark.usefixtures("broken")
def test_one_that_fails_leaves_the_exit_code_of_the_run(run: Run) -> None:
    diverged = run("train", "-c", "demo", *DIVERGING, "--run-dir", "here")
    assert diverged.code == 4
    assert diverged.err.index("Warning: curves.png") < diverged.err.index("Error: ")
    axis = "parameters.optimizer.learning_rate=[1e9,1e10]"
    swept = run("sweep", "-c", "demo-sweep", *DIVERGING[:2], axis, "--run-dir", "there")
    assert swept.code == 4
    assert swept.err.index("Warning: heatmap.png") < swept.err.index("Error: ")


@pytest.mark.usefixtures("broken", "trained")
def test_one_that_fails_is_an_error_of_the_command_that_draws(run: Run) -> None:
    result = run("visualize", "here")
    assert result.code == 1
    assert result.err.startswith("Error: ")


@pytest.fixture
def figures(monkeypatch: pytest.MonkeyPatch) -> list[Figure]:
    """The figures that would have become files."""
    found: list[Figure] = []

    def render(figure: Figure, *_: object) -> bytes:
        found.append(figure)
        return b""

    monkeypatch.setattr("softmax_cli.plots.style.render", render)
    return found


def axis_labels(figure: Figure) -> tuple[list[str], list[str]]:
    """Ticks across and upwards."""
    axes = figure.axes[0]
    across, upwards = axes.get_xticklabels(), axes.get_yticklabels()
    return [text.get_text() for text in across], [text.get_text() for text in upwards]


def test_a_heat_map_has_the_axes_of_the_settings_whatever_the_results(
    run: Run, tmp_path: Path, figures: list[Figure]
) -> None:
    (tmp_path / "mixed.yaml").write_text(
        "base: demo\n"
        "parameters:\n"
        "  data.train_size: [400, null, 300]\n"
        "  model.temperature: [{start: 4, end: 1, decay: linear}, 2, 0.5, 1]\n"
    )
    for seed in range(3):
        run("sweep", "-c", "mixed.yaml", *QUICK, "--seed", seed, "--run-dir", f"seed{seed}")
    heat_maps = figures[::2]
    assert len(heat_maps) == 3
    for figure in heat_maps:
        assert axis_labels(figure) == (
            ["start 4, end 1, decay linear", "0.5", "1", "2"],
            ["300", "400", "null"],
        )


def test_a_heat_map_is_drawn_without_settings_that_can_be_read(
    run: Run, tmp_path: Path, figures: list[Figure]
) -> None:
    run("sweep", "-c", "demo-sweep", *QUICK, AXIS, "--run-dir", "here")
    file = tmp_path / "here/sweep.yaml"
    marker = file.read_text().splitlines()[0]
    figures.clear()
    for settings in ("parameters: 1", "parameters: [", "parameters: {x: [1]}", ""):
        file.write_text(f"{marker}\n{settings}\n")
        assert run("visualize", "here").code == 0
        assert figures.pop(0).axes[0].get_xlabel() == "optimizer.learning_rate"
        figures.clear()
