"""Every command that a message or a help text names is run, as its reader would paste it.

The commands are found in the sources. A test says with ``covers`` which of them it runs, and the
last but one fails for a command that no test runs.
"""

import ast
import pickle
import re
import shlex
import shutil
import signal
import subprocess
import sys
import tomllib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TypeVar

import pytest
import typer
from PIL import Image

import softmax_cli
from softmax_cli.api.runs import load_run
from softmax_cli.cli import signals
from softmax_cli.cli.app import COMMANDS, app, load_command
from softmax_cli.config.presets import preset_directory
from softmax_cli.data.synthetic import make_synthetic
from softmax_cli.errors import ArgumentError, ModelError, SoftmaxError
from softmax_cli.report.reading import read_run
from softmax_cli.runs.model_file import load_model, save_model
from softmax_cli.tuning import stack_run
from tests.cli.conftest import QUICK, TINY, Result, Run
from tests.data.conftest import SmallCifar100, SmallDataSet
from tests.data.foreign import zip_of
from tests.data.mirror import Mirror, serving, status

PACKAGE = Path(softmax_cli.__file__).parent
PROJECT = Path(__file__).parents[2]

_Test = TypeVar("_Test", bound=Callable[..., None])
_covered: set[str] = set()


def covers(*named: str) -> Callable[[_Test], _Test]:
    """Say which commands a test runs: ``"<file> <function or constant>: <command>"``."""
    _covered.update(named)
    return lambda test: test


# What the sources name.

_WORD = "|".join(sorted(COMMANDS))
_NAMED = re.compile(
    rf"`(?P<short>(?:{_WORD})(?: --[a-z-]+)*)`"
    rf"|\bsoftmax (?P<long>(?:(?:{_WORD})\b|{{}}(?= --))"
    r"(?: (?:--[a-z][a-z-]*|[A-Z][A-Z_.]*|{}))*)"
    r"|(?P<other>\bdask \w+|\bpip install\b)"
)


def phrases(text: str) -> Iterator[str]:
    """The commands in a text with their options, without what else is given to them."""
    for match in _NAMED.finditer(text):
        words = (match["short"] or match["long"] or "").split()
        options = [word for word in words[1:] if word.startswith("--")]
        yield match["other"] or " ".join(["softmax", words[0], *options])


class Texts(ast.NodeVisitor):
    """The texts of a module, each with the function, class or constant that it stands in.

    Docstrings count where they are the help of a command. Of an f-string, ``{}`` stands for what
    is put in.
    """

    def __init__(self, module: Path) -> None:
        self.place: list[str] = []
        self.found: list[tuple[str, str]] = []
        self.is_command = module.parent.name == "cli" and module.stem in COMMANDS
        self.visit(ast.parse(module.read_text(encoding="utf-8")))

    def _inside(self, node: ast.FunctionDef | ast.ClassDef) -> None:
        self.place.append(node.name)
        documented = ast.get_docstring(node, clean=False) is not None
        if documented and self.is_command and node.name in COMMANDS:
            self._add(str(ast.get_docstring(node)))
        for part in node.body[1:] if documented else node.body:
            self.visit(part)
        if isinstance(node, ast.FunctionDef):
            self.visit(node.args)
        self.place.pop()

    visit_FunctionDef = _inside  # noqa: N815 - the names are those of ast
    visit_ClassDef = _inside  # noqa: N815

    def visit_Module(self, node: ast.Module) -> None:
        for part in node.body[1:]:
            self.visit(part)

    def _assigned(self, node: ast.Assign | ast.AnnAssign) -> None:
        target = node.target if isinstance(node, ast.AnnAssign) else node.targets[0]
        self.place.append(ast.unparse(target))
        if node.value is not None:
            self.visit(node.value)
        if isinstance(node, ast.AnnAssign):
            self.visit(node.annotation)
        self.place.pop()

    def visit_Assign(self, node: ast.Assign) -> None:
        if self.place:
            self.generic_visit(node)
        else:
            self._assigned(node)

    def visit_AnnAssign(self, node: ast.AnnAssign) -> None:
        if self.place:
            self.generic_visit(node)
        else:
            self._assigned(node)

    def visit_Constant(self, node: ast.Constant) -> None:
        if isinstance(node.value, str):
            self._add(node.value)

    def visit_JoinedStr(self, node: ast.JoinedStr) -> None:
        self._add("".join(map(_part, node.values)))
        for part in node.values:
            if isinstance(part, ast.FormattedValue):
                self.visit(part.value)

    def visit_Call(self, node: ast.Call) -> None:
        if isinstance(node.func, ast.Name) and node.func.id == "resume_command":
            self._add(f"softmax {ast.literal_eval(node.args[0])} --resume")
        self.generic_visit(node)

    def _add(self, text: str) -> None:
        self.found.append((".".join(self.place), text))


def _part(part: ast.expr) -> str:
    """A part of an f-string; what is put in is ``{}``, or the command that fetches a data set."""
    if isinstance(part, ast.FormattedValue):
        return "softmax download" if ast.unparse(part.value).endswith("command") else "{}"
    return str(ast.literal_eval(part))


def texts() -> Iterator[tuple[str, str]]:
    """Where each text of the package and of its presets stands, and the text."""
    for module in sorted(PACKAGE.rglob("*.py")):
        name = module.relative_to(PACKAGE).as_posix()
        yield from ((f"{name} {place}", text) for place, text in Texts(module).found)
    for preset in sorted(preset_directory().glob("*.yaml")):
        yield "configs/ presets", preset.read_text(encoding="utf-8")


# What a user does with it.


def pasted(text: str) -> list[list[str]]:
    """The commands in what was printed, between backticks or up to the end of a line."""
    found = re.findall(r"`(softmax [^`]+)`|(?:: |^)(softmax .+)$", text, re.MULTILINE)
    return [shlex.split(quoted or plain) for quoted, plain in found]


def paste(run: Run, words: list[str], *more: object, **placeholders: object) -> Result:
    """Run a command that was named, with something in place of the words in capitals."""
    words = [str(placeholders.get(word.removesuffix("..."), word)) for word in words]
    assert words[0] == "softmax"
    return run(*words[1:], *more)


def succeeded(result: Result) -> Result:
    """A result that must be one of a command that is done."""
    assert result.code == 0, result.err
    return result


@pytest.fixture
def stop_at_once(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[], None]]:
    """Let a run be asked to stop after its first step, until the returned function is called."""
    with monkeypatch.context() as patch:
        patch.setattr(signals, "_received", [signal.SIGINT])
        yield patch.undo


@pytest.fixture
def mirror(
    run: Run, small_cifar10: SmallDataSet, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Mirror]:
    """A server of the small data set that ``softmax download`` asks first."""
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "https_proxy"):
        monkeypatch.delenv(name, raising=False)
    with serving(small_cifar10.archive()) as server:
        monkeypatch.setenv("SOFTMAX_CIFAR10_URL", server.url)
        yield server


@pytest.fixture
def picture(tmp_path: Path) -> Path:
    path = tmp_path / "my cat.png"
    Image.new("RGB", (50, 40), "tan").save(path)
    return path


# Data.


@covers("data/cifar100.py PUBLICATION: softmax download")
def test_missing_images_of_a_hundred_classes_can_be_imported(
    run: Run, tmp_path: Path, small_cifar100: SmallCifar100
) -> None:
    small_cifar100.write(tmp_path / "elsewhere")
    training = ("train", *TINY, "data.dataset=cifar100", "--run-dir", "here", "--overwrite")
    fetch, take = pasted(run(*training).err)
    assert fetch[1:] == ["download", "cifar100"]
    succeeded(paste(run, take, FILE_OR_DIR="elsewhere"))
    succeeded(run(*training))


@covers(
    "data/cifar10.py PUBLICATION: softmax download",
    "data/dataset_files.py _download_command: softmax download",
    "data/dataset_files.py download_hint: softmax download",
    "data/dataset_files.py download_hint: softmax download --from",
    "configs/ presets: softmax download",
)
@pytest.mark.usefixtures("mirror")
def test_missing_data_can_be_downloaded_or_imported(
    run: Run, tmp_path: Path, small_cifar10: SmallDataSet
) -> None:
    training = ("train", *TINY, "--run-dir", "here", "--overwrite")
    small_cifar10.write(tmp_path / "elsewhere")
    hint = pasted(run(*training).err)
    assert [words[1:] for words in hint] == [
        ["download"],
        ["download", "--from", "FILE_OR_DIR"],
    ]
    for words in hint:
        succeeded(paste(run, words, FILE_OR_DIR="elsewhere"))
        succeeded(run(*training))
        (tmp_path / "data").rename(tmp_path / f"data of {len(words)}")


@covers("data/dataset_files.py _unpack_hint: softmax download --from")
def test_an_archive_in_place_of_a_folder_can_be_unpacked(
    run: Run, tmp_path: Path, small_cifar10: SmallDataSet
) -> None:
    (tmp_path / "the archive.tar").write_bytes(small_cifar10.archive())
    (words,) = pasted(run("train", *TINY, "--data-dir", "the archive.tar").err)
    succeeded(paste(run, words))
    succeeded(run("train", *TINY))


@covers("data/dataset_files.py import_hint: softmax download")
@pytest.mark.usefixtures("mirror")
def test_what_cannot_be_imported_can_be_downloaded(run: Run) -> None:
    (words,) = pasted(run("download", "--from", "nowhere.tar.gz").err)
    succeeded(paste(run, words))
    succeeded(run("train", *TINY))


@covers("data/download.py _Download.failure: softmax download --from")
def test_what_cannot_be_downloaded_can_be_imported(
    run: Run,
    tmp_path: Path,
    small_cifar10: SmallDataSet,
    mirror: Mirror,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    mirror.always = status(404)
    monkeypatch.setattr("softmax_cli.data.download.mirror_order", lambda *_: [mirror.url])
    (words,) = pasted(run("download").err)
    (tmp_path / "small.tar").write_bytes(small_cifar10.archive())
    succeeded(paste(run, words, FILE="small.tar"))
    succeeded(run("train", *TINY))


@covers(
    "data/file_kinds.py _unpack: softmax download --from",
    "data/archive.py extract_archive: softmax download --from",
)
def test_what_cannot_be_unpacked_can_be_imported_unpacked(
    run: Run, tmp_path: Path, small_cifar10: SmallDataSet
) -> None:
    small_cifar10.write(tmp_path / "unpacked")
    (tmp_path / "data set.zip").write_bytes(zip_of(**small_cifar10.contents))
    with (tmp_path / "data set.tar").open("wb") as stream:
        stream.write(small_cifar10.archive()[:10_000])
        stream.truncate(1 << 30)  # larger than the data set could be
    for archive in ("data set.zip", "data set.tar"):
        (words,) = pasted(run("download", "--from", archive).err)
        succeeded(paste(run, words, FOLDER="unpacked"))
        succeeded(run("train", *TINY, "--run-dir", "here", "--overwrite"))
        shutil.rmtree(tmp_path / "data")


@covers(
    "data/file_kinds.py _get_this_form: softmax download",
    "data/file_kinds.py _get_this_form: softmax download --from",
    "data/file_kinds.py _get_all_files: softmax download",
)
@pytest.mark.usefixtures("mirror")
def test_another_form_of_the_data_can_be_replaced(
    run: Run, tmp_path: Path, small_cifar10: SmallDataSet
) -> None:
    (tmp_path / "a table.parquet").write_bytes(b"PAR1" + bytes(100))
    (tmp_path / "a pickle").write_bytes(pickle.dumps({"a": 1}, protocol=2))
    (tmp_path / "small.tar").write_bytes(small_cifar10.archive())
    for source, more in (("a table.parquet", ["small.tar"]), ("a pickle", [])):
        for words in pasted(run("download", "--from", source).err):
            succeeded(paste(run, words, *(more if words[-1] == "--from" else ())))
            succeeded(run("train", *TINY, "--run-dir", "here", "--overwrite"))
            shutil.rmtree(tmp_path / "data")


# Runs and models.


@covers("cli/run_pictures.py extra_picture: softmax visualize")
def test_a_picture_that_failed_can_be_drawn_later(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise MemoryError

    with monkeypatch.context() as patch:
        patch.setattr("softmax_cli.plots.curves.curves_figure", fail)
        told = succeeded(run("train", "-c", "demo", *QUICK, "--run-dir", "my run")).err
    (words,) = pasted(told)
    assert not (tmp_path / "my run/curves.png").exists()
    succeeded(paste(run, words))
    assert (tmp_path / "my run/curves.png").exists()


@covers(
    "runs/directory.py _RUNS_HINT: softmax train",
    "runs/directory.py _RUNS_HINT: softmax sweep --config",
)
def test_what_is_no_run_can_be_made(run: Run, tmp_path: Path, small_cifar10: SmallDataSet) -> None:
    small_cifar10.write(tmp_path / "data")
    train, sweep = pasted(run("evaluate", "nowhere").err)
    succeeded(paste(run, train, *TINY))
    succeeded(run("evaluate", "runs/train/train-001"))
    succeeded(paste(run, sweep, *QUICK, FILE_OR_PRESET="demo-sweep"))
    succeeded(run("evaluate", "runs/sweep/demo-sweep-001/best"))


@covers("config/loading.py load_train_config: softmax sweep --config")
def test_a_sweep_given_to_train_can_be_swept(run: Run, tmp_path: Path) -> None:
    succeeded(run("presets", "demo-sweep"))
    (tmp_path / "my sweep.yaml").write_text("base: demo\nparameters: {seed: [1, 2]}\n")
    for source in ("demo-sweep", "my sweep.yaml"):
        (words,) = pasted(run("train", "--config", source).err)
        succeeded(paste(run, words, *QUICK))


@covers("config/sweep_loading.py _refuse_training: softmax train --config")
def test_a_training_given_to_sweep_can_be_trained(run: Run, tmp_path: Path) -> None:
    (tmp_path / "my training.yaml").write_text("data: {dataset: synthetic}\n")
    for source in ("demo", "my training.yaml"):
        (words,) = pasted(run("sweep", "--config", source).err)
        succeeded(paste(run, words, *QUICK))


@covers("runs/model_file.py HINT: softmax train")
def test_a_model_that_cannot_be_used_can_be_trained(
    run: Run, tmp_path: Path, trained: Path, small_cifar10: SmallDataSet, picture: Path
) -> None:
    small_cifar10.write(tmp_path / "data")
    model = load_model(trained / "model.safetensors")
    model.settings.pop("model")
    save_model(tmp_path / "odd.safetensors", model)
    (tmp_path / "cut.safetensors").write_bytes(b"x" * 1000)
    for name in ("odd.safetensors", "cut.safetensors"):
        (words,) = pasted(run("predict", name, picture).err)
        succeeded(paste(run, words, *TINY, "--run-dir", f"{name}.again"))
        succeeded(run("predict", f"{name}.again/model.safetensors", picture))


@covers(
    "evaluation/predictor.py fitted_temperature: softmax evaluate --calibrate",
    "cli/evaluate.py _keep: softmax predict --calibrated",
    "cli/evaluate.py evaluate: softmax predict --calibrated",
    "cli/predict.py predict: softmax evaluate --calibrate",
)
@pytest.mark.parametrize(
    "model", ["my run", "my run/model.safetensors", "my run/best.safetensors", "a copy.safetensors"]
)
def test_what_is_not_calibrated_can_be(
    run: Run, tmp_path: Path, trained: Path, picture: Path, model: str
) -> None:
    directory = trained.rename(tmp_path / "my run")
    (tmp_path / "a copy.safetensors").write_bytes((directory / "best.safetensors").read_bytes())
    predicting = ("predict", model, picture, "--calibrated", "--format", "json")
    missing = run(*predicting)
    assert missing.code == 3
    (words,) = pasted(missing.err)
    (next_words,) = pasted(succeeded(paste(run, words)).err)
    predicted = succeeded(run(*predicting)).json()
    again = succeeded(paste(run, next_words, "--format", "json", IMAGE=picture)).json()
    assert again["temperature"] == predicted["temperature"] != 1.0


@covers("cli/evaluate.py _keep: softmax predict --temperature")
def test_a_calibration_that_cannot_be_kept_can_be_given(
    run: Run, trained: Path, picture: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(path: Path, _document: object) -> None:
        raise PermissionError(13, "Permission denied", str(path))

    with monkeypatch.context() as patch:
        patch.setattr("softmax_cli.runs.tables.write_json", refuse)
        result = succeeded(run("evaluate", "here", "--calibrate", "--format", "json"))
    assert not (trained / "calibration.json").exists()
    (words,) = pasted(result.err)
    predicted = succeeded(paste(run, words, "--format", "json", IMAGE=picture)).json()
    assert predicted["temperature"] == result.json()["calibration"]["temperature"]


@covers(
    "cli/visualize.py _draw_evaluation: softmax evaluate",
    "cli/visualize.py _draw_evaluation: softmax evaluate --calibrate",
    "cli/evaluate.py evaluate: softmax visualize",
)
def test_an_evaluation_brings_more_pictures(run: Run, tmp_path: Path) -> None:
    hinge = (*QUICK, "model.loss=hinge")
    succeeded(run("train", "-c", "demo", *hinge, "--run-dir", "the run"))
    for picture in ("confusion_matrix.png", "reliability.png"):
        assert not (tmp_path / "the run" / picture).exists()
        (words,) = pasted(succeeded(run("visualize", "the run", "--dpi", "30")).err)
        succeeded(paste(run, words))
        succeeded(run("visualize", "the run", "--dpi", "30"))
        assert (tmp_path / "the run" / picture).is_file()


@covers(
    "report/evaluation_part.py evaluation_part: softmax evaluate",
    "report/evaluation_part.py evaluation_part: softmax evaluate --calibrate",
)
def test_an_evaluation_completes_the_report(run: Run) -> None:
    hinge = (*QUICK, "model.loss=hinge")
    succeeded(run("train", "-c", "demo", *hinge, "--run-dir", "the run"))
    for mistakes in (0, 0, 15):
        told = succeeded(run("report", "the run", "--format", "json"))
        assert told.json()["runs"][0]["mistakes"] == mistakes
        for words in pasted(told.err):
            succeeded(paste(run, words))


@covers(
    "report/reproduction.py training_again: softmax train --config",
    "report/reproduction.py sweep_again: softmax sweep --config",
    "report/reproduction.py _evaluate: softmax evaluate --split",
)
def test_what_a_report_tells_can_be_run_again(run: Run, tmp_path: Path) -> None:
    for kind, preset in (("train", "demo"), ("sweep", "demo-sweep")):
        succeeded(run(kind, "-c", preset, *QUICK, "--run-dir", kind))
        model = kind if kind == "train" else "sweep/best"
        succeeded(run("evaluate", model, "--split", "validation"))
        again = read_run(tmp_path / kind).part.reproduction
        assert again is not None
        (tmp_path / again.file).write_text(again.settings, encoding="utf-8")
        for command in again.commands:
            succeeded(run(*shlex.split(command)[1:]))
        shutil.rmtree(tmp_path / "rerun")


@covers(
    "api/runs.py TrainedRun.evaluation: softmax evaluate",
    "api/runs.py TrainedRun._temperature: softmax evaluate --calibrate",
)
def test_an_evaluation_completes_what_python_loads(run: Run) -> None:
    succeeded(run("train", "-c", "demo", *QUICK, "model.loss=hinge", "--run-dir", "the run"))
    loaded = load_run("the run")
    images = make_synthetic("test", size=3).images
    asked: list[tuple[type[SoftmaxError], Callable[[], object]]] = [
        (ModelError, lambda: loaded.evaluation),
        (ArgumentError, lambda: loaded.predict_proba(images)),
    ]
    for error, ask in asked:
        with pytest.raises(error) as caught:
            ask()
        (words,) = pasted(str(caught.value.hint))
        succeeded(paste(run, words))
    assert loaded.evaluation["split"] == "test"
    assert loaded.predict_proba(images, calibrated=True).shape == (3, 10)


# Going on.


@covers(
    "training/single_run.py train_in_directory: softmax train --resume",
    "runs/model_file.py load_model: softmax train --resume",
    "cli/visualize.py visualize: softmax train --resume",
    "report/training_part.py _status: softmax train --resume",
    "runs/directory.py resume_command: softmax {} --resume",
)
@pytest.mark.parametrize("told_by", ["train", "evaluate", "visualize", "report"])
def test_an_interrupted_training_goes_on(
    run: Run, tmp_path: Path, stop_at_once: Callable[[], None], told_by: str
) -> None:
    stopped = run("train", "-c", "demo", *QUICK, "--run-dir", "the run")
    assert stopped.code == 130
    stop_at_once()
    if told_by == "visualize":
        (tmp_path / "the run/metrics.csv").unlink()
    (words,) = pasted(stopped.err if told_by == "train" else run(told_by, "the run").err)
    succeeded(paste(run, words))
    succeeded(run("evaluate", "the run"))


@covers(
    "tuning/sweep.py _Sweep.run: softmax sweep --resume",
    "runs/tables.py read_results: softmax sweep --resume",
    "report/sweep_part.py sweep_part: softmax sweep --resume",
)
@pytest.mark.parametrize("told_by", ["sweep", "visualize", "report"])
def test_an_interrupted_sweep_goes_on(
    run: Run, stop_at_once: Callable[[], None], told_by: str
) -> None:
    stopped = run("sweep", "-c", "demo-sweep", *QUICK, "--run-dir", "the sweep")
    assert stopped.code == 130
    stop_at_once()
    (words,) = pasted(stopped.err if told_by == "sweep" else run(told_by, "the sweep").err)
    succeeded(paste(run, words))
    succeeded(run("visualize", "the sweep"))


@covers("runs/model_file.py load_model: softmax train --resume")
def test_a_best_run_that_a_crash_left_without_a_model_goes_on(run: Run, tmp_path: Path) -> None:
    succeeded(run("sweep", "-c", "demo-sweep", *QUICK, "--run-dir", "the sweep"))
    for path in (tmp_path / "the sweep/best").iterdir():
        if path.name != "config.yaml":
            path.unlink()
    (words,) = pasted(run("evaluate", "the sweep/best").err)
    succeeded(paste(run, words))
    succeeded(run("evaluate", "the sweep/best"))


@covers("cli/sweep.py _report: softmax sweep --resume")
def test_failed_trials_are_tried_again(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> stack_run.StackResult:
        raise MemoryError

    with monkeypatch.context() as patch:
        patch.setattr("softmax_cli.tuning.local.run_stack", fail)
        failed = run("sweep", "-c", "demo-sweep", *QUICK, "--run-dir", "the sweep")
    assert failed.code == 5
    (words,) = pasted(failed.err)
    succeeded(paste(run, words))


# Beside the program itself.


def dask_words(text: str) -> dict[str, list[str]]:
    """The commands of Dask in a text, by their first argument."""
    return {words[1]: words for words in map(shlex.split, re.findall(r"`(dask [^`]+)`", text))}


@covers(
    "tuning/scheduler.py _START_HINT: dask scheduler",
    "tuning/scheduler.py _START_HINT: dask worker",
    "tuning/scheduler.py _ADDRESS_HINT: dask scheduler",
)
def test_a_scheduler_and_workers_can_be_started(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("softmax_cli.tuning.scheduler._CONNECT_SECONDS", 0.5)
    sweep = ("sweep", "-c", "demo-sweep", *QUICK, "--run-dir", "here", "--scheduler")
    hint = dask_words(run(*sweep, "tcp://127.0.0.1:9").err)
    assert dask_words(run(*sweep, "nonsense").err) == {"scheduler": hint["scheduler"]}

    def start(words: list[str], *more: str) -> "subprocess.Popen[str]":
        # Of this environment, on a free port, without the web page.
        return subprocess.Popen(
            [sys.executable, "-m", *words, *more, "--no-dashboard"],
            cwd=tmp_path,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
        )

    scheduler = start(hint["scheduler"], "--host", "127.0.0.1", "--port", "0")
    assert scheduler.stderr is not None
    lines = iter(scheduler.stderr.readline, "")
    address = next(found[0] for line in lines if (found := re.search(r"tcp://\S+", line)))
    words = [address if word == "ADDRESS" else word for word in hint["worker"]]
    worker = start(words, "--no-nanny", "--nthreads", "1")
    try:
        succeeded(run(*sweep, address))
    finally:
        for process in (worker, scheduler):
            process.kill()
            process.communicate()


@covers("tuning/cluster.py connected: pip install")
def test_dask_is_installed_by_an_extra_that_exists(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Installing needs a network, and the extra's name is what may be wrong."""
    monkeypatch.setitem(sys.modules, "distributed", None)
    told = run("sweep", "-c", "demo-sweep", "--scheduler", "tcp://127.0.0.1:9").err
    (extra,) = re.findall(r"\[(\w+)\]'$", told, re.MULTILINE)
    project = tomllib.loads((PROJECT / "pyproject.toml").read_text(encoding="utf-8"))
    needed = project["project"]["optional-dependencies"][extra]
    assert any(requirement.startswith("distributed") for requirement in needed)


@covers("cli/presets.py presets: softmax presets")
def test_a_preset_can_be_saved_and_trained(run: Run, tmp_path: Path) -> None:
    _usage, words = pasted(run("presets", "--help").out)
    *command, redirection, file = words
    assert redirection == ">"
    (tmp_path / file).write_text(succeeded(paste(run, command)).out, encoding="utf-8")
    succeeded(run("train", "--config", file, "--dry-run"))


@pytest.mark.parametrize("arguments", [("train", "--nonsense"), ("nonsense",), ("predict", "x")])
def test_wrong_usage_names_a_help_that_exists(run: Run, arguments: tuple[str, ...]) -> None:
    (command,) = re.findall(r"Try '(softmax .*?)' for help", run(*arguments).err)
    succeeded(paste(run, shlex.split(command)))


# All of them.


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("Run `softmax train --config X --seed 1`.", ["softmax train --config --seed"]),
        ("first: softmax evaluate {} --calibrate", ["softmax evaluate --calibrate"]),
        ("softmax {} --resume {}", ["softmax {} --resume"]),
        ("see `predict --calibrated`", ["softmax predict --calibrated"]),
        ("`dask scheduler` and `softmax sweep`", ["dask scheduler", "softmax sweep"]),
        ("the softmax trains; softmax {}; a softmax of scores; `curves`", []),
    ],
)
def test_commands_are_found_in_texts(text: str, named: list[str]) -> None:
    assert list(phrases(text)) == named


def test_every_command_that_is_named_is_run_by_a_test() -> None:
    named = {f"{place}: {phrase}" for place, text in texts() for phrase in phrases(text)}
    assert len(named) > 20
    assert named - _covered == set(), "name them in `covers` of a test that runs them"
    assert _covered - named == set(), "they are no longer named: mend the tests"


def options_of(command: str) -> set[str]:
    return {option for param in load_command(command).params for option in param.opts}


def test_every_option_that_is_named_exists() -> None:
    known = {command: options_of(command) for command in COMMANDS}
    own = {option for param in typer.main.get_command(app).params for option in param.opts}
    anywhere = set().union(*known.values(), own, {"--help"})
    for place, text in texts():
        for option in re.findall(r"(?<![\w-])--[a-z][a-z-]*", text):
            assert option in anywhere, f"{place}: {option}"
        for phrase in phrases(text):
            program, command, *options = phrase.split()
            if program == "softmax" and command != "{}":
                assert set(options) <= known[command], f"{place}: {phrase}"
