"""Random command lines: what is given, and which exit codes follow from it.

What several wrong values lead to is any of their codes: which is met first is left open.
"""

import random
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from campaigns.commands.argument_values import (
    CONFIGS,
    DATA_DIRS,
    DRAWN,
    ENVIRONMENT,
    FINE,
    IMAGES,
    LONG,
    MODELS,
    NEW,
    NO_PLACE,
    OVERRIDES,
    RESUMED,
    SEEDS,
    SOURCES,
    SWEEPS,
    TEMPERATURES,
    TRAININGS,
    USAGE,
    Codes,
    Values,
    table,
)
from campaigns.commands.playground import AXES, QUICK
from campaigns.processes.program import python_starts_in

_SHARES = (3, 2, 2, 2, 3, 2, 1, 1)


@dataclass
class Invocation:
    """A command line and what is to be expected of it.

    Attributes:
        arguments: after the name of the program.
        codes: exit codes that may follow.
        words: what is wrong, each as a message may quote it.
        folder: the run or folder whose files may be replaced.
        broken_images: how many of the images to predict are none.
        images: the others, each as the results quote it.
        wants_json: whether stdout has to be one JSON document if all goes well.
        prints_findings: whether something goes to stdout even if that is an error.
    """

    arguments: list[str]
    codes: set[int] = field(default_factory=set)
    words: list[str] = field(default_factory=list)
    folder: str | None = None
    broken_images: int = 0
    images: list[str] = field(default_factory=list)
    wants_json: bool = False
    prints_findings: bool = False

    def expect(self, value: str, codes: Codes) -> None:
        """Note what a value leads to."""
        if codes != FINE:
            self.codes.update(codes)
            self.words.append(quotable(value))


def quotable(value: str) -> str:
    """The part of a value that any message about it has to quote."""
    name = value.partition("=")[0] if "=" in value else value
    return max(re.findall(r"[\w.-]+", name.replace("\udcff", " "), re.ASCII), key=len, default="")[
        :20
    ]


class Mix:
    """Puts one command line together.

    Args:
        rng: decides everything.
    """

    def __init__(self, rng: random.Random) -> None:
        self.rng = rng
        # Mostly one wrong value: a second one would hide what comes of the first.
        self.most_wrong = rng.choice((0, 1, 1, 1, 9))

    def invocation(self) -> Invocation:
        """A command with its arguments."""
        commands: dict[str, Callable[[Invocation], None]] = {
            "train": self._train, "sweep": self._sweep, "evaluate": self._evaluate,
            "visualize": self._visualize, "predict": self._predict, "download": self._download,
            "benchmark": self._benchmark, "presets": self._presets,
        }  # fmt: skip
        name = self.rng.choices(list(commands), _SHARES)[0]
        made = Invocation([name])
        commands[name](made)
        self._common(made, name)
        if self._chance(0.02):
            self._spoil(made)
        return made

    def environment(self) -> dict[str, str]:
        """Some of the variables that the program knows, set to something odd."""
        names = [name for name in ENVIRONMENT if self._chance(0.1)]
        values = {name: self.rng.choice(ENVIRONMENT[name]) for name in names}
        if "LC_ALL" in values and not python_starts_in(values["LC_ALL"]):
            del values["LC_ALL"]
        return values

    def _chance(self, share: float) -> bool:
        return self.rng.random() < share

    def _goes_wrong(self) -> bool:
        """Whether the next value is to be a wrong one."""
        wrong = self.most_wrong > 0 and self._chance(0.3)
        self.most_wrong -= wrong
        return wrong

    def _pick(self, made: Invocation, values: Values) -> str:
        """A value of a table, more often than not a good one, with its codes noted."""
        wrong = self._goes_wrong()
        fitting = [value for value, codes in values.items() if (codes != FINE) == wrong]
        value = self.rng.choice(fitting or list(values))
        made.expect(value, values[value])
        return value

    def _option(self, made: Invocation, name: str, values: Values) -> None:
        """Give an option, in one of its two spellings."""
        value = self._pick(made, values)
        if value.startswith("-") or self._chance(0.5):
            made.arguments.append(f"{name}={value}")
        else:
            made.arguments += [name, value]
        if made.codes:
            made.words.append(name)

    def _train(self, made: Invocation) -> None:
        self._training(made, "train", TRAININGS, QUICK)

    def _sweep(self, made: Invocation) -> None:
        self._training(made, "sweep", SWEEPS, (*QUICK, *AXES))
        if "--dry-run" not in made.arguments and self._chance(0.02):
            self._option(made, "--scheduler", {"": USAGE, "no address": USAGE, "tcp://": USAGE})

    def _training(
        self, made: Invocation, kind: str, runs: Sequence[str], quick: Sequence[str]
    ) -> None:
        if self._chance(0.2):
            self._resume(made, kind)
            return
        self._option(made, "--config", CONFIGS[kind])
        made.arguments += quick
        for _ in range(self.rng.choice((0, 0, 1, 2))):
            override = self._pick(made, OVERRIDES)
            if override.partition("=")[0] in {given.partition("=")[0] for given in made.arguments}:
                made.expect(override, USAGE)
            made.arguments.append(override)
        if self._chance(0.3):
            self._option(made, "--seed", SEEDS)
        if self._chance(0.2):
            made.arguments.append("--dry-run")
        elif self._chance(0.7):
            self._run_directory(made, kind, runs)

    def _run_directory(self, made: Invocation, kind: str, runs: Sequence[str]) -> None:
        others = SWEEPS if kind == "train" else TRAININGS
        places = {**table((FINE, NEW), (USAGE, others)), **NO_PLACE}
        overwrite = self._chance(0.4)
        earlier = {**dict.fromkeys(runs, FINE if overwrite else USAGE), "folder": USAGE}
        self._option(made, "--run-dir", earlier if self._chance(0.3) else {**places, **earlier})
        if overwrite:
            made.arguments.append("--overwrite")
            given = made.arguments[-2].removeprefix("--run-dir=")
            made.folder = given if given in runs else None

    def _resume(self, made: Invocation, kind: str) -> None:
        self._option(made, "--resume", RESUMED[kind])
        made.words.append("config.yaml")
        made.folder = made.arguments[-1].removeprefix("--resume=")
        if self._goes_wrong():
            extra = (
                "--run-dir=other" if kind == "sweep" else self.rng.choice(("seed=3", "--seed=3"))
            )
            made.arguments.append(extra)
            made.expect("resume", USAGE)
            made.words += ["--run-dir", "leave out"]

    def _evaluate(self, made: Invocation) -> None:
        made.folder = self._pick(made, MODELS)
        made.words.append("the model's settings")
        if made.folder == "no-loss":
            made.words.append("CIFAR-10 not found")  # what settings of defaults alone ask for
        self._positional(made, made.folder)
        if self._chance(0.3):
            splits = table((FINE, ("train", "validation", "test")), (USAGE, ("all", "", "Test")))
            self._option(made, "--split", splits)
        if self._chance(0.3):
            self._option(made, "--temperature", TEMPERATURES)
        elif self._chance(0.3):
            made.arguments.append("--calibrate")

    def _visualize(self, made: Invocation) -> None:
        made.folder = self._pick(made, DRAWN)
        self._positional(made, made.folder)
        if self._chance(0.5):
            no_place = {k: v for k, v in NO_PLACE.items() if k in ("cat.png", "loop", "dangling")}
            no_place |= {"read-only/run": (1,), "cat.png/run": (1, 2), LONG: (1, 2)}
            no_place = dict.fromkeys(no_place, (1, 2))
            self._option(made, "--output", {**table((FINE, NEW)), **no_place})
        if self._chance(0.3):
            self._option(made, "--dpi", table((FINE, ("30", "72")), (USAGE, ("0", "x", "1201"))))
        if self._chance(0.3):
            kinds = table((FINE, ("png", "svg", "pdf")), (USAGE, ("jpg", "", "PNG")))
            self._option(made, "--picture-format", kinds)
        if self._chance(0.3):
            self._option(made, "--scale", table((FINE, ("global", "class")), (USAGE, ("x",))))
        if self._chance(0.2):
            made.arguments.append("--preview")

    def _predict(self, made: Invocation) -> None:
        self._positional(made, self._pick(made, MODELS))
        made.words.append("the model's settings")
        for _ in range(self.rng.choice((1, 1, 2, 3))):
            image = self._pick(made, IMAGES)
            made.arguments.append(image)
            made.broken_images += IMAGES[image] == (1,)
            made.images += [quotable(image)] if IMAGES[image] == FINE else []
            if image == "-lead.png":
                made.words.append("No such option")
        if self._chance(0.3):
            self._option(made, "--top", table((FINE, ("1", "10")), (USAGE, ("0", "-1", "x", ""))))
        if self._chance(0.1):
            made.arguments.append("--calibrated")
            made.expect("calibration", (0, 3))
        elif self._chance(0.2):
            self._option(made, "--temperature", TEMPERATURES)

    def _positional(self, made: Invocation, value: str) -> None:
        """Give an argument that may look like an option."""
        if value.startswith("-"):
            value = f"./{value}"
        made.arguments.append(value)

    def _download(self, made: Invocation) -> None:
        """Only what needs no network."""
        if self._chance(0.3):
            made.arguments.append("--verify")
            made.prints_findings = True
            self._option(made, "--data-dir", dict.fromkeys(DATA_DIRS, (3,)))
            if self._chance(0.2):
                made.arguments += ["--url", "http://127.0.0.1:1/"]
                made.expect("verify", USAGE)
            return
        self._option(made, "--from", SOURCES)
        places = {**table((FINE, (*NEW, "folder"))), "cat.png": (1, 2, 3), "read-only/x": (1, 3)}
        self._option(made, "--data-dir", places)

    def _benchmark(self, made: Invocation) -> None:
        if self._chance(0.02):
            made.arguments += ["--dataset", "synthetic", "--samples", "2"]
            return
        self.most_wrong = 9
        self._option(made, "--dataset", table((FINE, ("synthetic",)), (USAGE, ("x", "", "3"))))
        numbers = ("0", "-1", "x", "", "1e3", "9" * 30, "60000")
        self._option(made, "--samples", table((USAGE, numbers)))

    def _presets(self, made: Invocation) -> None:
        if self._chance(0.6):
            names = (
                "nope",
                "",
                "demo.yaml",
                "../demo",
                "no text \udcff",
                LONG,
                "DEMO",
                "new\nline",
            )
            values = table((FINE, ("demo", "cs231n", "linear-sweep")), (USAGE, names))
            made.arguments.append(self._pick(made, values))

    def _common(self, made: Invocation, name: str) -> None:
        if self._chance(0.4):
            forms = table((FINE, ("json", "table")), (USAGE, ("xml", "", "JSON")))
            self._option(made, "--format", forms)
            made.wants_json = made.arguments[-1].endswith("json")
        if name not in ("presets",):
            made.arguments += [flag for flag in ("--quiet", "-v") if self._chance(0.1)]
        if name in ("train", "evaluate", "visualize") and self._chance(0.1):
            self._option(made, "--data-dir", dict.fromkeys(DATA_DIRS, FINE))

    def _spoil(self, made: Invocation) -> None:
        """Something that is wrong in any command line."""
        kind = self.rng.choice(("option", "command", "last", "nothing"))
        made.expect("", USAGE)
        if kind == "option":
            made.arguments.insert(1, "--no-such-option")
        elif kind == "command":
            made.arguments[0] = self.rng.choice(("trian", "", "TRAIN", "größer", "--no-such"))
        elif kind == "last":
            made.arguments.append("--format")
        else:
            made.arguments.clear()
