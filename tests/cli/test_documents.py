"""The commands that README and the documents show are run, in their order, on a small data set.

``SHORTER`` says what is left out or added so that a command takes a moment. ``ELSEWHERE`` lists the
commands that are not run here, each with the reason. What stands between backticks in a sentence is
run with ``--dry-run`` if it trains, and its options must exist.
"""

import io
import re
import shlex
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

import pytest
import typer
from PIL import Image

import softmax_cli
from benchmarks.__main__ import _parser as benchmarks_parser
from softmax_cli.cli import main
from softmax_cli.cli.app import COMMANDS, app, load_command
from softmax_cli.config.presets import preset_kind, preset_names
from softmax_cli.threads import VARIABLES
from softmax_cli.training.stop_signals import STOP_SIGNALS
from tests.cli.conftest import QUICK, TINY, Run
from tests.data.conftest import SmallCifar100, SmallDataSet
from tests.data.mirror import serving

PROJECT = Path(__file__).parents[2]
DOCUMENTS = {
    path.relative_to(PROJECT).as_posix(): path.read_text(encoding="utf-8")
    for path in sorted([*PROJECT.glob("*.md"), *(PROJECT / "docs").glob("*.md")])
}
GROUP = typer.main.get_command(app)

ELSEWHERE = {
    "python3 -m venv": "`.ci/run` makes the environment",
    "pip install": "`.ci/run` installs, which needs a network",
    "python -m pytest": "it runs this",
    "ruff": "`.ci/run` runs it",
    "mypy": "`.ci/run` runs it",
    "python -m campaigns": "takes hours; tests/campaigns has short runs",
    "python docs/measure_presets.py": "takes minutes; tests/test_measure_presets.py runs it",
    "dask scheduler": "tests/cli/test_hints.py starts a cluster",
    "dask worker": "tests/cli/test_hints.py starts a cluster",
    "dask ssh": "needs machines",
    "python -m benchmarks.document": "tests/benchmarks/test_document.py writes one",
    "curl": "needs a network; what it would print goes into the next command",
}
"""The beginnings of commands that are not run here, and why."""

SHORTER = {
    "--scheduler": "tests/cli/test_hints.py sweeps on a cluster; here the same sweep is local",
    "--data-dir": "where the data of the cluster is",
}
"""Options that are left out with their values, and why."""


def blocks(text: str) -> Iterator[tuple[str, str, str]]:
    """Fenced blocks: the file named in the line above, if any; the language; the content."""
    pattern = r"(?:^`([\w.-]+)`:\n\n)?^```(\w+)\n(.*?)^```"
    for match in re.finditer(pattern, text, re.MULTILINE | re.DOTALL):
        yield match[1] or "", match[2], match[3]


def lines_of(text: str) -> Iterator[str]:
    """The lines that a reader would type; tests/cli/test_signals.py runs scripts."""
    for _, language, content in blocks(text):
        if language == "console":
            yield from re.findall(r"^\$ (.*)$", content, re.MULTILINE)
        elif language == "sh" and not content.startswith("#!"):
            yield from content.splitlines()


def commands_of(text: str) -> Iterator[list[str]]:
    """The words of each command, without comments and without the folder of the environment."""
    for line in lines_of(text):
        lexer = shlex.shlex(line, posix=True, punctuation_chars=True)
        lexer.whitespace_split = True
        words: list[str] = []
        for word in [*lexer, "&&"]:
            if word not in ("&&", "&", "|"):
                words.append(word.removeprefix(".venv/bin/"))
            elif words:
                while re.fullmatch(r"[A-Z_0-9]+=\S*", words[0]):
                    words.pop(0)  # variables of the environment
                yield words
                words = []


def phrases_of(text: str) -> Iterator[list[str]]:
    """Commands of this program between backticks, in the sentences and tables of a document."""
    prose = re.sub(r"^```.*?^```", "", text, flags=re.MULTILINE | re.DOTALL)
    for quoted in re.findall(r"`(softmax\s[^`]+)`", prose):
        yield shlex.split(quoted.split(" > ")[0])


def options_of(command: str) -> set[str]:
    return {option for param in load_command(command).params for option in param.opts} | {"--help"}


@pytest.fixture
def stage(
    run: Run,
    tmp_path: Path,
    trained: Path,
    small_cifar10: SmallDataSet,
    small_cifar100: SmallCifar100,
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[Path]:
    """A folder with files that the documents take for granted, and mirrors of small data sets."""
    (tmp_path / "cifar-10-python.tar.gz").write_bytes(small_cifar10.archive())
    (tmp_path / "cifar-100-python.tar.gz").write_bytes(small_cifar100.archive())
    (tmp_path / "scans").mkdir()
    for picture in ("holiday.jpg", "scans/one.png", "scans/two.png"):
        Image.new("RGB", (50, 40), "tan").save(tmp_path / picture)
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(_png())))
    sweep = "train: {data: {dataset: synthetic}}\nparameters: {model.temperature: [1, 2]}\n"
    (tmp_path / "wide.yaml").write_text(sweep, encoding="utf-8")
    (tmp_path / "mine.yaml").write_text(run("presets", "cs231n").out, encoding="utf-8")
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "https_proxy"):
        monkeypatch.delenv(name, raising=False)
    with serving(small_cifar10.archive()) as mirror, serving(small_cifar100.archive()) as other:
        monkeypatch.setenv("SOFTMAX_CIFAR10_URL", mirror.url)
        monkeypatch.setenv("SOFTMAX_CIFAR100_URL", other.url)
        yield tmp_path


def _png() -> bytes:
    content = io.BytesIO()
    Image.new("RGB", (50, 40), "tan").save(content, "png")
    return content.getvalue()


def prepare(run: Run, text: str, trained: Path) -> None:
    """Fetch the data and make the runs that a document uses without doing so itself."""
    if ["softmax", "download"] not in [words[:2] for words in commands_of(text)]:
        assert run("download").code == 0
    runs = Path("runs")
    if "runs/first" in text and "--run-dir runs/first" not in text:
        runs.mkdir()
        trained.rename(runs / "first")
    if "runs/sweep/cs231n-sweep-001" in text:
        arguments = ("sweep", "--config", "cs231n-sweep", *TINY)
        assert run(*arguments, "--run-dir", "runs/sweep/cs231n-sweep-001").code == 0


def shortened(words: list[str]) -> list[str]:
    """The same command for a small data set and few iterations."""
    short: list[str] = []
    for word in words:
        if short and short[-1] in SHORTER:
            short.pop()
        else:
            short.append(word)
    if words[1] not in ("train", "sweep") or {"--dry-run", "--resume"} & set(words):
        return short
    if {"demo", "wide.yaml"} & set(words):
        return with_values(short, QUICK)
    if {"data.dataset=arrays", "probe-sweep.yaml"} & set(words):
        return with_values(short, ("training.iterations=20",))
    return with_values(short, TINY)


def with_values(words: list[str], values: Iterable[str]) -> list[str]:
    """A command with these values of settings in place of its own."""
    keys = {value.partition("=")[0] for value in values}
    return [*(word for word in words if word.partition("=")[0] not in keys), *values]


def execute(run: Run, words: list[str]) -> None:
    """Run a command of this program, or check what can be checked of another."""
    command = " ".join(words)
    if words[:3] == ["python", "-m", "benchmarks"]:
        benchmarks_parser().parse_args(words[3:])
        return
    if words[0] != "softmax":
        assert any(command.startswith(start) for start in ELSEWHERE), f"not run: {command}"
        return
    target = words[words.index(">") + 1] if ">" in words else None
    arguments = [
        str(found)
        for word in shortened(words[: words.index(">")] if target else words)[1:]
        for found in (sorted(Path().glob(word)) if "*" in word else [word])
    ]
    result = run(*arguments)
    assert result.code == 0, (command, result.err)
    if target:
        Path(target).write_text(result.out, encoding="utf-8")


@pytest.mark.parametrize("name", [name for name, text in DOCUMENTS.items() if list(lines_of(text))])
def test_commands_work(run: Run, stage: Path, trained: Path, name: str) -> None:
    text = DOCUMENTS[name]
    prepare(run, text, trained)
    for file, language, content in blocks(text):
        if file and language == "yaml":
            (stage / file).write_text(content, encoding="utf-8")
        if name == "docs/data.md" and language == "python":
            exec(content, {})
    for words in commands_of(text):
        execute(run, words)


@pytest.mark.parametrize("name", list(DOCUMENTS))
@pytest.mark.usefixtures("stage")
def test_commands_in_sentences_exist(run: Run, name: str) -> None:
    run("download")
    run("download", "cifar100")
    for words in phrases_of(DOCUMENTS[name]):
        command, *rest = words[1:]
        if command.startswith("--"):
            assert command in {"--help", "--version", "--install-completion"}, words
        elif command != "COMMAND":
            assert command in COMMANDS, words
            options = {word for word in rest if word.startswith("-") and word != "-"}
            assert options <= options_of(command), words
            if command in ("train", "sweep") and "--config" in rest:
                small = with_values(rest, ("data.validation_size=10", "--dry-run"))
                result = run(command, *small)
                assert result.code == 0, (words, result.err)


def test_what_is_not_run_here_is_still_shown() -> None:
    shown = [" ".join(words) for text in DOCUMENTS.values() for words in commands_of(text)]
    for start in ELSEWHERE:
        assert any(command.startswith(start) for command in shown), f"no longer shown: {start}"
    for option in SHORTER:
        assert any(option in command.split() for command in shown), f"no longer shown: {option}"


def test_the_readme_lists_every_command() -> None:
    listed = re.findall(r"^\| `softmax (\w+)", DOCUMENTS["README.md"], re.MULTILINE)
    assert listed == list(COMMANDS)


def test_the_readme_names_every_preset_of_a_training() -> None:
    trainings = {name for name in preset_names() if preset_kind(name) == "train"}
    assert trainings <= set(re.findall(r"[\w-]+", DOCUMENTS["README.md"]))


def test_the_readme_lists_every_exit_code() -> None:
    codes = {0, 1, *(code for _, code in main._EXIT_CODES), *(128 + stop for stop in STOP_SIGNALS)}
    table = DOCUMENTS["README.md"].partition("| exit code |")[2].partition("\n\n")[0]
    assert codes <= set(map(int, re.findall(r"\b\d+\b", table)))


def test_the_documents_name_every_environment_variable() -> None:
    package = Path(softmax_cli.__file__).parent
    sources = " ".join(path.read_text(encoding="utf-8") for path in package.rglob("*.py"))
    variables = {*re.findall(r"\bSOFTMAX_[A-Z0-9_]+", sources), *VARIABLES}
    table = DOCUMENTS["docs/configuration.md"].partition("## Environment variables")[2]
    assert variables <= set(re.findall(r"`([A-Z0-9_]+)`", table))


@pytest.mark.parametrize(
    ("line", "commands"),
    [
        (
            ".venv/bin/softmax train a=b && softmax x  # why",
            [["softmax", "train", "a=b"], ["softmax", "x"]],
        ),
        ("curl -s URL | softmax predict -", [["curl", "-s", "URL"], ["softmax", "predict", "-"]]),
        ("A=1 python -m pytest &", [["python", "-m", "pytest"]]),
    ],
)
def test_commands_are_found_in_blocks(line: str, commands: list[list[str]]) -> None:
    assert list(commands_of(f"```sh\n{line}\n```\n")) == commands
