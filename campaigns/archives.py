"""Hostile archives, given to ``softmax download`` from a file and from a server.

The program expects a small data set, and of a server the very archive that it sends, so that every
archive of the corpus, and random edits of sound ones beyond its size, gets as far as being
unpacked. Where it is to go there is nothing, a part of the data set, a damaged one, or all of it.
"""

import contextlib
import gzip
import hashlib
import os
import shutil
import stat
import threading
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from campaigns.campaign import Campaign, Trial
from campaigns.hostile.archives import Hostile, corpus, mutated
from campaigns.hostile.stand_in import Ended, StandIn, run_unchanged
from softmax_cli.data.dataset import Publication
from tests.data.conftest import FOLDER, SmallDataSet
from tests.data.expectation import downloaded_as

_MEMORY = 256 << 20
_ARCHIVE = "archive"
_STATES = ("nothing", "a part", "a damaged file", "all")
_UNCHANGED_EVERY = 40
_SERVED_EVERY = 5
_COMPLETE_EVERY = 12
_LEFT_BY_RIGHT = {".cifar-10.lock", f"{_ARCHIVE}.part"}
_WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT
_MAKING = {"os.mkdir", "os.rename", "os.link", "os.symlink", "os.chmod", "os.chown", "os.truncate"}

Tree = dict[str, tuple[int, int, str]]


class _Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *_: object) -> None:
        """Progress is not shown."""


@contextlib.contextmanager
def _served(folder: Path) -> Iterator[str]:
    """The address of a server of a folder's files."""
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(_Quiet, directory=folder)) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}/{_ARCHIVE}"
        finally:
            server.shutdown()
            thread.join()


class _Attack:
    """A place with something precious outside the target, and the program to be let at archives."""

    def __init__(self, trial: Trial, stand_in: StandIn, url: str, source: Path) -> None:
        self.trial = trial
        self.stand_in = stand_in
        self.url = url
        self.source = source
        self.small = SmallDataSet()
        self.place = trial.folder / "place"
        self.outside = self.place / "outside"
        self.target = self.place / "work" / "data"
        self.outside.mkdir(parents=True)
        (self.outside / "precious").write_text("precious")
        self.target.parent.mkdir()

    def prepare(self, state: str) -> None:
        """Bring the target into one of the states that `_STATES` names."""
        shutil.rmtree(self.target, ignore_errors=True)
        if state == "nothing":
            return
        folder = self.small.write(self.target)
        if state == "a part":
            (folder / "data_batch_3").unlink()
        elif state == "a damaged file":
            (folder / "data_batch_2").write_bytes(b"damaged")

    def attack(self, title: str, state: str, hostile: Hostile, allowed: set[int]) -> None:
        """Download one archive, from its file."""
        self.source.write_bytes(hostile.content)
        self.judge(title, state, ["--from", self.source], allowed, self.small.publication)

    def attack_served(self, title: str, state: str, hostile: Hostile, allowed: set[int]) -> None:
        """Download one archive from a server, with its digest on its side."""
        self.source.write_bytes(hostile.content)
        digest = hashlib.sha256(hostile.content).hexdigest()
        archive = (_ARCHIVE, len(hostile.content), digest)
        served = downloaded_as(self.small.publication, *archive)
        self.judge(f"{title}, served", state, ["--url", self.url], allowed, served)

    def judge(
        self,
        title: str,
        state: str,
        origin: list[object],
        allowed: set[int],
        publication: Publication,
    ) -> None:
        self.prepare(state)
        before = tree(self.place)
        ended = self.stand_in.softmax(
            ["download", "--data-dir", "data", "--quiet", *origin],
            self.target.parent,
            publication,
            memory=_MEMORY,
        )
        self.record(f"{title}, {state} there", state, before, ended, allowed)

    def attack_unchanged(self, title: str, content: bytes) -> None:
        """The same for a program that expects CIFAR-10 itself."""
        self.prepare("nothing")
        self.source.write_bytes(content)
        before = tree(self.place)
        arguments = ["download", "--data-dir", "data", "--from", self.source]
        ended = run_unchanged(arguments, self.target.parent)
        self.record(f"{title}, unchanged program", "nothing", before, ended, {3})

    def record(self, title: str, state: str, before: Tree, ended: Ended, allowed: set[int]) -> None:
        faults = [
            *ended.error_faults(*allowed),
            *self.writing_elsewhere(ended),
            *self.changes(state, before, complete=ended.code == 0),
        ]
        outcome = "refused" if ended.code else "installed, or already there"
        self.trial.judge(title, outcome, faults)

    def writing_elsewhere(self, ended: Ended) -> Iterator[str]:
        """What was opened for writing or made outside of the target."""
        for event, *arguments in ended.events:
            if event == "open":
                path, flags = arguments[0], arguments[2]
                paths = [path] if isinstance(flags, int) and flags & _WRITING else []
            else:
                paths = arguments if event in _MAKING else []
            for path in paths:
                if isinstance(path, str) and not self.is_inside(path):
                    yield f"{event} of {path}"

    def is_inside(self, path: str) -> bool:
        whole = (self.target.parent / path).resolve()
        return whole == self.target or self.target in whole.parents or path == os.devnull

    def changes(self, state: str, before: Tree, *, complete: bool) -> Iterator[str]:
        """What is not as it should be in the whole place."""
        after = tree(self.place)
        for name, entry in before.items():
            is_replaced = complete and state == "a damaged file" and name.endswith("data_batch_2")
            if after.get(name) != entry and not is_replaced:
                yield f"{name} was changed"
        allowed = {f"work/data/{name}" for name in _LEFT_BY_RIGHT} | {"work/data"}
        if complete:
            expected = {f"work/data/{FOLDER}/{name}" for name in self.small.contents}
            aside = f"work/data/{FOLDER}/data_batch_2.damaged-1"
            allowed |= expected | {aside, f"work/data/{FOLDER}"}
            for name, content in self.small.contents.items():
                found = after.get(f"work/data/{FOLDER}/{name}")
                if found is None or found[2] != _digest(content) or found[0] != stat.S_IFREG:
                    yield f"{name} is not what it should be"
        surplus = after.keys() - before.keys() - allowed
        if surplus:
            yield f"it left {sorted(surplus)}"


def tree(place: Path) -> Tree:
    """Kind, mode and content of everything below a place; a link's content is its target."""
    found = {}
    for path in place.rglob("*"):
        status = path.lstat()
        kind = stat.S_IFMT(status.st_mode)
        content = ""
        if kind == stat.S_IFREG:
            content = _digest(path.read_bytes())
        elif kind == stat.S_IFLNK:
            content = str(path.readlink())
        found[str(path.relative_to(place))] = (kind, stat.S_IMODE(status.st_mode), content)
    return found


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def run(trial: Trial) -> None:
    """Let the program at the corpus, then at random edits of sound archives."""
    served = trial.folder / "served"
    served.mkdir()
    with StandIn(trial.folder / "output") as stand_in, _served(served) as url:
        attack = _Attack(trial, stand_in, url, served / _ARCHIVE)
        sound = attack.small.archive()
        for state in _STATES:
            attack.attack("a sound archive", state, Hostile(sound, complete=True), {0})
        archives = corpus(attack.small, str(attack.outside))
        for number, (title, hostile) in enumerate(archives.items()):
            offer = attack.attack_served if number % _SERVED_EVERY == 0 else attack.attack
            offer(title, _STATES[number % 3], hostile, {0} if hostile.complete else {3})
            if number % _COMPLETE_EVERY == 0:
                offer(title, "all", hostile, {0})
            if number % _UNCHANGED_EVERY == 0:
                attack.attack_unchanged(title, hostile.content)
        bases = [sound, sound, gzip.compress(sound, 1)]
        for number in range(len(archives), trial.count):
            hostile = Hostile(mutated(trial.rng, bases), complete=False)
            attack.attack(f"case {number}", trial.rng.choice(_STATES[:3]), hostile, {0, 3})


CAMPAIGN = Campaign(
    promise="An archive writes nothing unexpected",
    run=run,
    short=145,
    long=1_000,
)
