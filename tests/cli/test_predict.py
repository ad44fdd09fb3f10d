import io
import json
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from softmax_cli.data.cifar10 import CLASS_NAMES
from softmax_cli.data.synthetic import make_synthetic
from tests.cli.conftest import QUICK, Run

Pictures = list[Path]


@pytest.fixture
def pictures(tmp_path: Path) -> Pictures:
    """Twelve synthetic test images as PNG files."""
    images = make_synthetic("test", size=12).images.reshape(-1, 3, 32, 32).transpose(0, 2, 3, 1)
    paths = [tmp_path / f"{number:02d}.png" for number in range(len(images))]
    for path, image in zip(paths, images, strict=True):
        Image.fromarray(image).save(path)
    return paths


def png(image: Image.Image) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, "png")
    return buffer.getvalue()


@pytest.mark.usefixtures("trained")
def test_names_the_classes_that_evaluate_counts(run: Run, tmp_path: Path) -> None:
    test = make_synthetic("test")
    images = test.images.reshape(-1, 3, 32, 32).transpose(0, 2, 3, 1)
    np.save(tmp_path / "all.npy", images)
    document = run("predict", "here", "all.npy", "--top", "10", "--format", "json").json()
    evaluated = run("evaluate", "here", "--format", "json").json()

    named = [entry["classes"][0]["name"] for entry in document["predictions"]]
    right = np.array([CLASS_NAMES.index(name) for name in named]) == test.labels
    assert right.mean() == evaluated["accuracy"]
    assert document["predictions"][7]["image"] == "all.npy[7]"
    assert document["failures"] == []
    for entry in document["predictions"][:20]:
        shares = [c["probability"] for c in entry["classes"]]
        assert sum(shares) == pytest.approx(1)
        assert shares == sorted(shares, reverse=True)


@pytest.mark.usefixtures("trained")
def test_files_standard_input_and_arrays_get_the_same_answer(
    run: Run, tmp_path: Path, pictures: Pictures, monkeypatch: pytest.MonkeyPatch
) -> None:
    np.save(tmp_path / "one.npy", np.asarray(Image.open(pictures[0]))[None])
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(pictures[0].read_bytes())))
    document = run("predict", "here", pictures[0], "-", "one.npy", "--format", "json").json()

    first, *others = [entry["classes"] for entry in document["predictions"]]
    assert [entry["image"] for entry in document["predictions"]][1:] == ["-", "one.npy[0]"]
    # The bits may differ: a product of one row is summed in another order than one of two.
    for other in others:
        assert [c["name"] for c in other] == [c["name"] for c in first]
        scores = [c["score"] for c in first]
        assert [c["score"] for c in other] == pytest.approx(scores, rel=1e-4, abs=1e-5)


@pytest.mark.usefixtures("trained")
def test_a_table_has_a_line_for_each_image_and_fits_a_terminal(
    run: Run, pictures: Pictures
) -> None:
    result = run("predict", "here", *pictures)
    lines = result.out.splitlines()
    assert result.code == 0
    assert len(lines) == len(pictures)
    assert all(len(line) <= 80 and "%" in line for line in lines)
    assert [line.split()[0][-6:] for line in lines] == [path.name for path in pictures]


@pytest.mark.usefixtures("trained")
def test_json_lines_are_one_document_each(run: Run, pictures: Pictures) -> None:
    result = run("predict", "here", *pictures, "--format", "jsonl", "-k", "2")
    documents = [json.loads(line) for line in result.out.splitlines()]
    assert [document["image"] for document in documents] == list(map(str, pictures))
    assert all(len(document["classes"]) == 2 for document in documents)


@pytest.mark.usefixtures("trained")
@pytest.mark.parametrize("form", ["table", "json", "jsonl"])
def test_what_is_no_image_is_reported_and_the_rest_go_on(
    run: Run, tmp_path: Path, pictures: Pictures, form: str
) -> None:
    (tmp_path / "notes.txt").write_text("no image")
    (tmp_path / "cut.png").write_bytes(pictures[0].read_bytes()[:600])
    (tmp_path / "folder").mkdir()
    (tmp_path / "bad.npy").write_bytes(b"\x93NUMPY\x01\x00\xff\xff{")
    broken = ["notes.txt", "cut.png", "folder", "nowhere.jpg", "bad.npy"]
    result = run("predict", "here", pictures[0], *broken, pictures[1], "--format", form)

    assert result.code == 1
    assert [line.split(":")[1].strip() for line in result.err.splitlines()] == broken
    if form == "json":
        document = result.json()
        assert [entry["image"] for entry in document["failures"]] == broken
        assert len(document["predictions"]) == 2
    else:
        assert len(result.out.splitlines()) == 2


@pytest.mark.usefixtures("trained")
def test_names_that_are_no_text_are_shown_all_the_same(
    run: Run, tmp_path: Path, pictures: Pictures
) -> None:
    for name in (b"\xff.png", b"\x1b[31m.png", b"a\nb.png", "größer 図.png".encode()):
        path = tmp_path / name.decode("utf-8", "surrogateescape")
        path.write_bytes(pictures[0].read_bytes())
    names = sorted(str(path) for path in tmp_path.glob("*.png"))
    result = run("predict", "here", *names)
    assert result.code == 0
    assert len(result.out.splitlines()) == len(names)
    assert "\x1b" not in result.out
    assert run("predict", "here", *names, "--format", "json").code == 0


@pytest.mark.usefixtures("trained")
def test_a_calibrated_temperature_changes_probabilities_and_no_prediction(
    run: Run, tmp_path: Path, pictures: Pictures
) -> None:
    missing = run("predict", "here", pictures[0], "--calibrated")
    assert missing.code == 3
    assert "evaluate here --calibrate" in missing.err
    calibration = run("evaluate", "here", "--calibrate", "--format", "json").json()["calibration"]
    plain, fitted = (
        run("predict", "here", *pictures, "--format", "json", *options).json()
        for options in ((), ("--calibrated",))
    )
    assert plain["temperature"] == 1.0
    assert fitted["temperature"] == calibration["temperature"]
    for a, b in zip(plain["predictions"], fitted["predictions"], strict=True):
        assert [c["name"] for c in a["classes"]] == [c["name"] for c in b["classes"]]
        assert [c["score"] for c in a["classes"]] == [c["score"] for c in b["classes"]]
        assert a["classes"][0]["probability"] != b["classes"][0]["probability"]

    (tmp_path / "here/best.safetensors").replace(tmp_path / "here/model.safetensors")
    run("train", "-c", "demo", *QUICK, "--seed", 9, "--run-dir", "there")
    (tmp_path / "here/calibration.json").replace(tmp_path / "there/calibration.json")
    other = run("predict", "there", pictures[0], "--calibrated")
    assert other.code == 3
    assert "another model" in other.err


def test_a_hinge_model_has_scores_and_no_probabilities_until_calibrated(
    run: Run, pictures: Pictures
) -> None:
    run("train", "-c", "demo", *QUICK, "model.loss=hinge", "--run-dir", "here")
    document = run("predict", "here", pictures[0], "--format", "json").json()
    assert document["temperature"] is None
    assert all(c["probability"] is None for c in document["predictions"][0]["classes"])
    assert "%" not in run("predict", "here", pictures[0]).out
    assert run("evaluate", "here", "--calibrate").code == 0
    assert "%" in run("predict", "here", pictures[0], "--calibrated").out


@pytest.mark.parametrize("run_dir", ["nowhere", "empty"])
def test_what_is_no_run_exits_with_2(run: Run, tmp_path: Path, run_dir: str) -> None:
    (tmp_path / "empty").mkdir()
    assert run("predict", run_dir, "x.png").code == 2


@pytest.mark.usefixtures("trained")
def test_wrong_usage_and_damaged_models(run: Run, tmp_path: Path) -> None:
    assert run("predict", "here").code == 2
    assert run("predict", "here", "-", "-").code == 2
    assert run("predict", "here", "x.png", "--top", "0").code == 2
    config = tmp_path / "here/config.yaml"
    config.write_text(config.read_text().replace("format 1", "format 2", 1))
    assert run("predict", "here", "x.png").code == 2
    model = tmp_path / "here/model.safetensors"
    model.write_bytes(model.read_bytes()[:-1])
    assert run("predict", "here/model.safetensors", "x.png").code == 3


@pytest.mark.usefixtures("trained")
def test_one_file_is_classified_without_importing_what_it_does_not_need(
    tmp_path: Path, pictures: Pictures
) -> None:
    code = (
        "import sys; sys.argv = ['softmax', 'predict', 'here', sys.argv[1]]\n"
        "from softmax_cli.cli.app import app\n"
        "try: app()\n"
        "except SystemExit: pass\n"
        "heavy = ['matplotlib', 'yaml', 'scipy', 'httpx', 'softmax_cli.config', 'numpy.random']\n"
        "found = [name for name in heavy if name in sys.modules]\n"
        "sys.exit(f'imported {found}' if found else 0)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(pictures[0])],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "%" in done.stdout


@pytest.mark.usefixtures("trained")
def test_many_files_are_classified_at_batch_speed(
    run: Run, tmp_path: Path, pictures: Pictures
) -> None:
    files = pictures * 100
    start = time.perf_counter()
    result = run("predict", "here", *files, "--format", "jsonl")
    seconds = time.perf_counter() - start
    assert len(result.out.splitlines()) == len(files)
    # 2,000 a second and more on a quiet machine; a hundred even on a crowded one.
    assert len(files) / seconds > 100
