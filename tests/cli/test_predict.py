import io
import json
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from rich.cells import cell_len

from softmax_cli.data.cifar10 import CLASS_NAMES
from softmax_cli.data.synthetic import make_synthetic
from tests.cli.conftest import QUICK, Run, Start
from tests.data.pictures import encoded, needs, scratched_fax

Pictures = list[Path]


@pytest.fixture
def pictures(tmp_path: Path) -> Pictures:
    """Twelve synthetic test images as PNG files."""
    images = make_synthetic("test", size=12).images.reshape(-1, 3, 32, 32).transpose(0, 2, 3, 1)
    paths = [tmp_path / f"{number:02d}.png" for number in range(len(images))]
    for path, image in zip(paths, images, strict=True):
        Image.fromarray(image).save(path)
    return paths


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
    image = np.asarray(Image.open(pictures[0]))[None]
    np.save(tmp_path / "one.npy", image)
    (tmp_path / "one.npy").rename(tmp_path / "ONE.NPY")
    np.savez(tmp_path / "one.npz", images=image, labels=np.array([3]))
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(pictures[0].read_bytes())))
    sources = (pictures[0], "-", "ONE.NPY", "one.npz")
    document = run("predict", "here", *sources, "--format", "json").json()

    first, *others = [entry["classes"] for entry in document["predictions"]]
    names = [entry["image"] for entry in document["predictions"]]
    assert names[1:] == ["-", "ONE.NPY[0]", "one.npz[0]"]
    assert document["warnings"] == document["failures"] == []
    # The bits may differ: a product of one row is summed in another order than one of two.
    for other in others:
        assert [c["name"] for c in other] == [c["name"] for c in first]
        scores = [c["score"] for c in first]
        assert [c["score"] for c in other] == pytest.approx(scores, rel=1e-4, abs=1e-5)


@pytest.mark.usefixtures("trained")
def test_a_table_has_a_line_for_each_image_with_its_whole_name(
    run: Run, pictures: Pictures
) -> None:
    result = run("predict", "here", *pictures)
    lines = result.out.splitlines()
    assert result.code == 0
    assert all("%" in line for line in lines)
    assert [line.split()[0] for line in lines] == list(map(str, pictures))


@pytest.mark.usefixtures("trained")
def test_on_a_terminal_long_names_lose_their_beginning(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
    for name in ("a.png", 30 * "long" + ".png", 30 * "図" + ".png"):
        Image.new("RGB", (32, 32)).save(tmp_path / name)
        (line,) = run("predict", "here", name).out.splitlines()
        assert 79 <= cell_len(line) <= 80
        shown, _, classes = line.partition("  ")
        assert name.endswith(shown.lstrip("…"))
        assert classes.count(" %") == 3


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


@pytest.fixture
def doubtful(tmp_path: Path, pictures: Pictures) -> list[str]:
    """A fax whose decoder reports an error, a damaged TIFF and an intact picture."""
    noise = np.random.default_rng(0).integers(0, 2, (64, 64), dtype=np.uint8) * 255
    (tmp_path / "fax.tif").write_bytes(scratched_fax(Image.fromarray(noise)))
    damaged = bytearray(encoded(Image.fromarray(noise), "tiff", compression="tiff_adobe_deflate"))
    damaged[10:200] = bytes(190)
    (tmp_path / "damaged.tif").write_bytes(damaged)
    return ["fax.tif", "damaged.tif", pictures[0].name]


@needs("libtiff")
@pytest.mark.usefixtures("trained")
@pytest.mark.parametrize("form", ["table", "json", "jsonl"])
def test_what_a_decoder_prints_is_said_with_the_name_of_the_file(
    start: Start, doubtful: list[str], form: str
) -> None:
    process = start("predict", "here", *doubtful, "--format", form)
    out, err = process.communicate(timeout=60)
    assert process.returncode == 1
    warning, error = err.splitlines()
    assert warning.startswith("Warning: fax.tif: its decoder reported: Fax4Decode: ")
    assert error.startswith("Error: damaged.tif: a damaged TIFF image: ")
    if form == "json":
        document = json.loads(out)
        assert [entry["image"] for entry in document["predictions"]] == [doubtful[0], doubtful[2]]
        assert [entry["image"] for entry in document["warnings"]] == ["fax.tif"]
        assert [entry["image"] for entry in document["failures"]] == ["damaged.tif"]
    else:
        assert len(out.splitlines()) == 2


@needs("libtiff")
@pytest.mark.usefixtures("trained")
def test_quiet_is_quiet_about_pictures_that_have_classes(start: Start, doubtful: list[str]) -> None:
    process = start("predict", "here", doubtful[0], doubtful[2], "-q", "--format", "json")
    out, err = process.communicate(timeout=60)
    assert (process.returncode, err) == (0, "")
    assert len(json.loads(out)["warnings"]) == 1
    process = start("predict", "here", *doubtful, "--quiet")
    out, err = process.communicate(timeout=60)
    assert process.returncode == 1
    assert len(out.splitlines()) == 2
    assert [line.split(":")[1] for line in err.splitlines()] == [" damaged.tif"]


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


@pytest.mark.usefixtures("trained")
def test_a_given_temperature_changes_probabilities_as_it_does_in_an_evaluation(
    run: Run, pictures: Pictures
) -> None:
    plain, own, hot = (
        run("predict", "here", pictures[0], "--top", "10", "--format", "json", *options).json()
        for options in ((), ("--temperature", "1"), ("--temperature", "2"))
    )
    assert own == plain
    assert hot["temperature"] == 2.0
    first, second = (document["predictions"][0]["classes"] for document in (plain, hot))
    scores = np.array([c["score"] for c in first])
    assert [c["score"] for c in second] == scores.tolist()
    shares = np.exp(scores / 2) / np.exp(scores / 2).sum()
    assert [c["probability"] for c in second] == pytest.approx(shares.tolist())
    for wrong in (("0",), ("-1",), ("nan",), ("1e7",), ("2", "--calibrated")):
        refused = run("predict", "here", pictures[0], "--temperature", *wrong)
        assert refused.code == 2
        assert "temperature" in refused.err


def test_a_hinge_model_has_scores_and_no_probabilities_until_calibrated(
    run: Run, pictures: Pictures
) -> None:
    run("train", "-c", "demo", *QUICK, "model.loss=hinge", "--run-dir", "here")
    document = run("predict", "here", pictures[0], "--format", "json").json()
    assert document["temperature"] is None
    assert all(c["probability"] is None for c in document["predictions"][0]["classes"])
    assert "%" not in run("predict", "here", pictures[0]).out
    assert "%" in run("predict", "here", pictures[0], "--temperature", "0.5").out
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
        "heavy = ['matplotlib', 'yaml', 'pydantic', 'scipy', 'httpx', 'numpy.random', 'tempfile',\n"
        "         'zipfile', 'softmax_cli.config', 'softmax_cli.data.dataset',\n"
        "         'softmax_cli.features.feature_maps', 'softmax_cli.cli.train',\n"
        "         'softmax_cli.threads', 'threadpoolctl']\n"
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
