"""Hostile pickles as batches of CIFAR-10.

Every file of the corpus, and random edits of them beyond its size, is a batch of an otherwise sound
data set, has the size and digest that the program expects, and so reaches the unpickler. An audit
hook compares what ``softmax train`` does with what it does on sound and on merely wrong files.
"""

import shutil
from collections.abc import Iterator

from campaigns.campaign import Campaign, Trial
from campaigns.hostile.pickles import corpus, mutated
from campaigns.hostile.stand_in import Ended, Event, StandIn, run_unchanged
from softmax_cli.data.dataset import Publication
from tests.data.conftest import FOLDER, IMAGES, SmallDataSet

_MEMORY = 256 << 20
_UNCHANGED_EVERY = 60
_VICTIM = "data_batch_1"
_TRAIN = (
    *("train", "--data-dir", "data", "--run-dir", "run", "--quiet"),
    *("data.validation_size=10", "training.iterations=1", "training.batch_size=5"),
)


class _Attack:
    """A sound data set in a folder of its own, and the program to be let at hostile ones."""

    def __init__(self, trial: Trial, stand_in: StandIn) -> None:
        self.trial = trial
        self.stand_in = stand_in
        self.small = SmallDataSet()
        self.place = trial.folder / "place"
        self.small.write(self.place / "data")
        self.usual: set[Event] = set()

    def learn_usual_events(self) -> None:
        """What happens with sound files, and with one that is wrong or altered."""
        sound = self.small.contents[_VICTIM]
        parts = self.small.batch_parts(_VICTIM)
        parts[b"labels"] = self.small.list_of([self.small.integer(77)] * IMAGES)
        wrong = self.small.dict_of(parts)
        pixels = self.small.pixels[_VICTIM]
        altered = sound.replace(pixels, pixels[::-1])  # only its digest tells
        for title, ended, code in (
            ("sound files", self.train(sound, self.small.publication), 0),
            ("a wrong file", self.train(wrong, self.described(wrong)), 3),
            ("a file without pixels", self.train(b"?", self.described(b"?")), 3),
            ("an altered file", self.train(altered, self.small.publication), 3),
        ):
            self.usual |= ended.events
            self.record(title, ended, {code})

    def described(self, content: bytes) -> Publication:
        """The data set as its publisher would describe it if the hostile file were right."""
        return self.small.describe({**self.small.contents, _VICTIM: content})

    def train(self, content: bytes, publication: Publication) -> Ended:
        (self.place / "data" / FOLDER / _VICTIM).write_bytes(content)
        return self.stand_in.softmax(_TRAIN, self.place, publication, memory=_MEMORY)

    def attack(self, title: str, content: bytes, allowed: set[int]) -> None:
        self.record(title, self.train(content, self.described(content)), allowed)

    def attack_unchanged(self, title: str, content: bytes) -> None:
        """The same bytes as each of the files, for a program that expects CIFAR-10 itself."""
        folder = self.place / "hostile" / FOLDER
        folder.mkdir(parents=True)
        for name in self.small.contents:
            (folder / name).write_bytes(content)
        ended = run_unchanged([*_TRAIN, "data.dir=hostile"], self.place)
        shutil.rmtree(self.place / "hostile")
        self.record(f"{title}, unchanged program", ended, {3})

    def record(self, title: str, ended: Ended, allowed: set[int]) -> None:
        faults = [*ended.error_faults(*allowed), *self.traces()]
        unusual = sorted(map(str, ended.events - self.usual))
        if unusual and not faults:
            faults.append(f"audit events that no sound or wrong file causes: {unusual}")
        self.trial.judge(title, "refused" if ended.code else "sound", faults)

    def traces(self) -> Iterator[str]:
        """What a case left that is neither data nor a run; all of it is removed."""
        shutil.rmtree(self.place / "run", ignore_errors=True)
        left = [path for path in self.place.iterdir() if path.name != "data"]
        for path in left:
            path.unlink()
            yield f"it left {path}"


def run(trial: Trial) -> None:
    """Let the program at the corpus, then at random edits of it."""
    with StandIn(trial.folder / "output") as stand_in:
        attack = _Attack(trial, stand_in)
        attack.learn_usual_events()
        files = corpus(attack.small)
        for number, (title, content) in enumerate(files.items()):
            attack.attack(title, content, {3})
            if number % _UNCHANGED_EVERY == 0:
                attack.attack_unchanged(title, content)
        bases = [*files.values(), *[attack.small.contents["test_batch"]] * len(files)]
        pixels = attack.small.pixels["test_batch"]
        for number in range(len(files), trial.count):
            content = mutated(trial.rng, bases, pixels)
            attack.attack(f"case {number}", content, {0, 3})


CAMPAIGN = Campaign(
    promise="Data cannot run code",
    run=run,
    short=150,
    long=1_000,
)
