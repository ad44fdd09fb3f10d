import gzip
import hashlib
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from softmax_cli.data.cifar10 import PUBLICATION
from softmax_cli.data.dataset_files import verify
from softmax_cli.data.download import RetryPolicy, fetch_dataset, mirror_order
from softmax_cli.data.installation import Installation, Received, Step
from softmax_cli.errors import DownloadError
from tests.data.conftest import FOLDER
from tests.data.expectation import downloaded_as
from tests.data.foreign import WEB_PAGE, zip_of
from tests.data.mirror import (
    CHUNK,
    Handler,
    Mirror,
    cut_at,
    dribble,
    drip_framing,
    drip_headers,
    drop,
    endless,
    flip,
    hang,
    ignore_range,
    stall,
    status,
)

if TYPE_CHECKING:
    from tests.data.conftest import SmallDataSet

QUICK = RetryPolicy(
    connect_seconds=10, stall_seconds=10, attempts=3, first_pause=0.01, longest_pause=0.05
)
IMPATIENT = replace(QUICK, stall_seconds=0.4)
"""For servers that stall; a sound one on a busy machine may take longer."""


class Setting:
    """A data directory, an archive, and as many mirrors of it as asked for."""

    def __init__(self, small: "SmallDataSet", data_dir: Path) -> None:
        self.small = small
        self.data_dir = data_dir
        self.content = gzip.compress(small.archive(), compresslevel=1, mtime=0)
        digest = hashlib.sha256(self.content).hexdigest()
        name = "cifar-10-python.tar.gz"
        self.publication = downloaded_as(small.publication, name, len(self.content), digest)
        self.part = data_dir / f"{name}.part"
        self.mirrors: list[Mirror] = []
        self.events: list[Step | Received] = []

    def mirror(self, *faults: Callable[[Handler], None]) -> Mirror:
        server = Mirror(self.content)
        server.faults = list(faults)
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        self.mirrors.append(server)
        return server

    def fetch(self, policy: RetryPolicy = QUICK) -> Installation:
        urls = [mirror.url for mirror in self.mirrors]
        return fetch_dataset(
            self.publication, self.data_dir, urls, policy=policy, report=self.events.append
        )

    def check_installed(self) -> None:
        assert {finding.state for finding in verify(self.data_dir, self.publication)} == {"intact"}
        assert {p.name for p in self.data_dir.iterdir()} == {FOLDER, ".cifar-10.lock"}

    def texts(self, kind: str) -> list[str]:
        return [e.text for e in self.events if isinstance(e, Step) and e.kind == kind]

    def close(self) -> None:
        for mirror in self.mirrors:
            mirror.released.set()
            mirror.shutdown()
            mirror.server_close()


@pytest.fixture
def setting(
    small: "SmallDataSet", tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Setting]:
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.delenv(PUBLICATION.archive.url_variable, raising=False)
    made = Setting(small, tmp_path / "data")
    yield made
    made.close()


def test_download(setting: Setting) -> None:
    mirror = setting.mirror()
    done = setting.fetch()
    assert done == Installation(setting.data_dir / FOLDER, already_there=False)
    setting.check_installed()
    assert mirror.starts == [0]
    received = [event for event in setting.events if isinstance(event, Received)]
    assert received[-1] == Received(len(setting.content), len(setting.content), 0)


def test_second_call_asks_nobody(setting: Setting) -> None:
    mirror = setting.mirror()
    setting.fetch()
    assert setting.fetch().already_there
    assert mirror.starts == [0]


def test_what_a_killed_process_left_is_cleared_away(setting: Setting) -> None:
    mirror = setting.mirror()
    setting.fetch()
    setting.part.write_bytes(setting.content)
    setting.part.with_name(f"{setting.part.name}.json").write_text("{")
    staging = setting.data_dir / f".{FOLDER}.part"
    staging.mkdir()
    (staging / "test_batch").write_bytes(b"half a batch")
    assert setting.fetch().already_there
    setting.check_installed()
    assert mirror.starts == [0]


def test_cuts_are_resumed_where_they_were(setting: Setting) -> None:
    cuts = [CHUNK, 100_001, 170_000]
    mirror = setting.mirror(*(cut_at(at) for at in cuts))
    setting.fetch(RetryPolicy(first_pause=0.01, attempts=5))
    setting.check_installed()
    assert mirror.starts == [0, *cuts]


def test_resume_in_another_run(setting: Setting) -> None:
    mirror = setting.mirror(cut_at(100_000))
    with pytest.raises(DownloadError):
        setting.fetch(RetryPolicy(attempts=1, rounds=1))
    assert setting.part.stat().st_size == 100_000
    assert not (setting.data_dir / FOLDER).exists()
    setting.fetch()
    setting.check_installed()
    assert mirror.starts == [0, 100_000]


def test_file_that_changed_meanwhile_is_fetched_from_its_beginning(setting: Setting) -> None:
    def change(handler: Handler) -> None:
        handler.serve(stop=100_000, content=bytes(len(setting.content)))

    mirror = setting.mirror(change)
    setting.fetch()
    setting.check_installed()
    assert mirror.starts == [0, 100_000, 0]
    assert setting.texts("next_mirror") == []


@pytest.mark.parametrize("fault", [ignore_range, status(416), status(503), status(429), drop])
def test_fault_on_resuming(setting: Setting, fault: Callable[[Handler], None]) -> None:
    setting.mirror(cut_at(100_000), fault)
    setting.fetch()
    setting.check_installed()


def test_wrong_content_range_starts_over(setting: Setting) -> None:
    size = len(setting.content)
    wrong = status(206, Content_Range=f"bytes 0-{size - 1}/{size}")
    mirror = setting.mirror(cut_at(100_000), wrong)
    setting.fetch()
    setting.check_installed()
    assert mirror.starts == [0, 100_000, 0]
    assert "sent another range" in setting.texts("retrying")[1]


def without_length(content: bytes) -> Callable[[Handler], None]:
    """Send another content, and let the end of the connection be its end."""

    def answer(handler: Handler) -> None:
        handler.head(200)
        handler.wfile.write(content)

    return answer


@pytest.mark.parametrize(
    ("fault", "reason"),
    [
        (flip, "another content: expected SHA-256"),
        (endless, "sends more than"),
        (status(404), "HTTP 404"),
        (status(302, Location="ftp://127.0.0.1/x"), "ftp"),
        (lambda handler: handler.serve(content=b"short"), "offers another file"),
        (lambda handler: handler.serve(content=WEB_PAGE), "bytes, got a web page of 39 bytes"),
        (without_length(WEB_PAGE), "sent a web page in place of the archive"),
        (without_length(zip_of(a=b"b")), "sent a ZIP archive in place of the archive"),
    ],
)
def test_wrong_mirror_is_dropped(
    setting: Setting, fault: Callable[[Handler], None], reason: str
) -> None:
    wrong, right = setting.mirror(fault), setting.mirror()
    setting.fetch()
    setting.check_installed()
    assert (wrong.starts, right.starts) == ([0], [0])
    (text,) = setting.texts("next_mirror")
    assert text.startswith(wrong.url)
    assert reason in text


@pytest.mark.parametrize("fault", [stall, hang, dribble, drip_headers, drip_framing])
def test_stalled_mirror_is_left_and_continued_elsewhere(
    setting: Setting, fault: Callable[[Handler], None]
) -> None:
    setting.mirror(fault)
    right = setting.mirror()
    begin = time.monotonic()
    setting.fetch(IMPATIENT)
    assert time.monotonic() - begin < 5
    setting.check_installed()
    assert right.starts[0] == {"stall": CHUNK, "hang": 0}.get(fault.__name__, right.starts[0])
    assert "sent" in setting.texts("next_mirror")[0]


def test_stalled_mirror_gets_a_second_chance(setting: Setting) -> None:
    setting.mirror(stall)
    setting.fetch(IMPATIENT)
    setting.check_installed()


def test_part_that_was_wrong_is_not_the_next_mirrors_fault(setting: Setting) -> None:
    wrong = setting.mirror()
    wrong.always = lambda handler: handler.serve(stop=100_000, content=bytes(len(setting.content)))
    right = setting.mirror()
    setting.fetch()
    setting.check_installed()
    assert right.starts == [100_000, 0]
    assert "wrong SHA-256; starting over" in setting.texts("retrying")[-1]


def test_mirror_that_is_wrong_in_pieces_too_is_asked_for_the_whole_once(setting: Setting) -> None:
    wrong, right = setting.mirror(cut_at(100_000)), setting.mirror()
    wrong.always = flip
    setting.fetch()
    setting.check_installed()
    assert (wrong.starts, right.starts) == ([0, 100_000, 0], [0])
    assert "another content" in setting.texts("next_mirror")[0]


def test_whole_part_of_a_killed_run_needs_no_request(setting: Setting) -> None:
    mirror = setting.mirror()
    setting.data_dir.mkdir()
    setting.part.write_bytes(setting.content)
    setting.fetch()
    setting.check_installed()
    assert mirror.starts == []


@pytest.mark.parametrize("extra", [b"", b"more"])
def test_wrong_part_is_discarded(setting: Setting, extra: bytes) -> None:
    mirror = setting.mirror()
    setting.data_dir.mkdir()
    setting.part.write_bytes(bytes(len(setting.content)) + extra)
    setting.fetch()
    setting.check_installed()
    assert mirror.starts == [0]


def test_every_mirror_fails(setting: Setting) -> None:
    gone, busy = setting.mirror(), setting.mirror()
    gone.always, busy.always = status(404), status(500)
    with pytest.raises(DownloadError) as caught:
        setting.fetch()
    assert f"{gone.url}: HTTP 404 Not Found" in caught.value.message
    assert f"{busy.url}: HTTP 500" in caught.value.message
    assert "softmax download --from FILE" in str(caught.value.hint)
    assert setting.publication.archive.sha256 in str(caught.value.hint)
    assert len(gone.starts) == 1
    assert len(busy.starts) == QUICK.attempts * QUICK.rounds
    assert not setting.data_dir.exists()


@pytest.mark.parametrize("fault", [cut_at(0), without_length(WEB_PAGE), hang])
def test_download_that_brought_nothing_leaves_nothing(
    setting: Setting, fault: Callable[[Handler], None]
) -> None:
    setting.mirror().always = fault
    with pytest.raises(DownloadError):
        setting.fetch(IMPATIENT)
    assert not setting.data_dir.exists()


def test_download_that_brought_something_keeps_it(setting: Setting) -> None:
    setting.mirror().always = cut_at(CHUNK)
    with pytest.raises(DownloadError, match=r"ended|closed") as caught:
        setting.fetch()
    assert "will be resumed" in str(caught.value.hint)
    assert setting.part.read_bytes() == setting.content[:CHUNK]


def test_web_page_kept_as_a_part_is_discarded(setting: Setting) -> None:
    mirror = setting.mirror()
    setting.data_dir.mkdir()
    setting.part.write_bytes(WEB_PAGE)
    setting.fetch()
    setting.check_installed()
    assert mirror.starts == [0]


def test_nobody_listens(setting: Setting) -> None:
    mirror = setting.mirror()
    setting.close()
    setting.mirrors = []
    with pytest.raises(DownloadError, match="refused"):
        fetch_dataset(setting.publication, setting.data_dir, [mirror.url], policy=QUICK)


def test_retry_after_is_bounded(setting: Setting) -> None:
    setting.mirror(status(429, Retry_After="86400"))
    setting.fetch()
    assert "trying again in 0.1 s" in setting.texts("retrying")[0]


def test_interrupt_keeps_the_part(setting: Setting) -> None:
    mirror = setting.mirror()

    def interrupt(event: Step | Received) -> None:
        if isinstance(event, Received):
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fetch_dataset(setting.publication, setting.data_dir, [mirror.url], report=interrupt)
    arrived = setting.part.stat().st_size
    assert arrived > 0
    assert setting.content.startswith(setting.part.read_bytes())
    setting.fetch()
    setting.check_installed()
    assert mirror.starts == [0, arrived]


def test_two_at_once(setting: Setting) -> None:
    def slowly(handler: Handler) -> None:
        time.sleep(0.3)
        handler.serve()

    mirror = setting.mirror(slowly)
    results: list[Installation] = []
    threads = [
        threading.Thread(target=lambda: results.append(setting.fetch(RetryPolicy())))
        for _ in range(2)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    setting.check_installed()
    assert mirror.starts == [0]
    assert sorted(result.already_there for result in results) == [False, True]
    assert len(setting.texts("waiting")) == 1


def test_unusable_proxy_settings(setting: Setting, monkeypatch: pytest.MonkeyPatch) -> None:
    setting.mirror()
    monkeypatch.setenv("HTTP_PROXY", "nonsense://proxy")
    with pytest.raises(DownloadError, match="proxy settings"):
        setting.fetch()


def test_order_of_mirrors() -> None:
    archive = replace(PUBLICATION.archive, mirrors=("https://c.test", "https://d.test"))
    environment = {"SOFTMAX_CIFAR10_URL": "https://b.test"}
    known = list(archive.mirrors)
    assert mirror_order(archive, ["https://a.test"], environment) == [
        "https://a.test", "https://b.test", *known
    ]  # fmt: skip
    assert mirror_order(archive, [known[1]], {}) == [known[1], known[0]]
