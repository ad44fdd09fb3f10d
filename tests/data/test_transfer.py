import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path

import httpx
import pytest

from softmax_cli.data.transfer import (
    Origin,
    PartFile,
    RefusedError,
    TransferError,
    TransientError,
    fetch_rest,
)

CONTENT = bytes(range(256)) * 8
SIZE = len(CONTENT)
URL = "https://mirror.test/file"

Answer = Callable[[httpx.Request], httpx.Response]


@pytest.fixture
def part(tmp_path: Path) -> PartFile:
    return PartFile(tmp_path / "file.part")


def arrived(part: PartFile, count: int, validator: str = '"v1"', url: str = URL) -> None:
    """Let the first bytes be there, as an earlier request left them."""
    part.path.write_bytes(CONTENT[:count])
    part.notes.write_text(json.dumps({"url": url, "validator": validator, "joined": False}))


def fetch(part: PartFile, answer: Answer, url: str = URL) -> list[httpx.Request]:
    requests: list[httpx.Request] = []

    def handle(request: httpx.Request) -> httpx.Response:
        requests.append(request)
        return answer(request)

    with httpx.Client(transport=httpx.MockTransport(handle)) as client:
        fetch_rest(client, url, part, SIZE, stall_seconds=5, received=lambda _: None)
    return requests


def ranged(start: int, stop: int = SIZE, **headers: str) -> httpx.Response:
    stated = {"Content-Range": f"bytes {start}-{stop - 1}/{SIZE}"} | headers
    return httpx.Response(206, headers=stated, content=iter([CONTENT[start:stop]]))


def test_whole_file(part: PartFile) -> None:
    (request,) = fetch(
        part, lambda _: httpx.Response(200, content=iter([CONTENT]), headers={"ETag": '"a"'})
    )
    assert part.path.read_bytes() == CONTENT
    assert part.origin == Origin(URL, '"a"', joined=False)
    assert "Range" not in request.headers
    assert request.headers["Accept-Encoding"] == "identity"


def test_resume_asks_for_the_rest_of_the_same_version(part: PartFile) -> None:
    arrived(part, 500)
    (request,) = fetch(part, lambda _: ranged(500, ETag='"v1"'))
    assert part.path.read_bytes() == CONTENT
    assert request.headers["Range"] == "bytes=500-"
    assert request.headers["If-Range"] == '"v1"'
    assert not part.origin.joined


@pytest.mark.parametrize("validator", ["", '"v1"'])
def test_resume_from_elsewhere_is_marked(part: PartFile, validator: str) -> None:
    arrived(part, 500, validator, url=URL if not validator else "https://other.test/file")
    (request,) = fetch(part, lambda _: ranged(500))
    assert part.path.read_bytes() == CONTENT
    assert "If-Range" not in request.headers
    assert part.origin.joined


@pytest.mark.parametrize("note", ["", "{", "[]", '{"url": 1}', '{"x": 1}', "[" * 9999, "\xff"])
def test_unreadable_note_counts_as_unknown_origin(part: PartFile, note: str) -> None:
    arrived(part, 500)
    part.notes.write_text(note, "latin-1")
    (request,) = fetch(part, lambda _: ranged(500))
    assert "If-Range" not in request.headers
    assert part.path.read_bytes() == CONTENT


def test_full_answer_to_a_range_starts_over(part: PartFile) -> None:
    part.path.write_bytes(b"x" * 500)
    fetch(part, lambda _: httpx.Response(200, content=iter([CONTENT])))
    assert part.path.read_bytes() == CONTENT
    assert not part.origin.joined


@pytest.mark.parametrize(
    "stated",
    [
        f"bytes 499-{SIZE - 1}/{SIZE}",
        f"bytes 500-{SIZE - 1}/{SIZE + 1}",
        f"bytes 500-{SIZE}/{SIZE}",
        "bytes 500-499/2048",
        f"bytes */{SIZE}",
        "nonsense",
        "",
    ],
)
def test_another_range_than_asked_for(part: PartFile, stated: str) -> None:
    arrived(part, 500)
    headers = {"Content-Range": stated}
    with pytest.raises(TransientError, match="sent another range"):
        fetch(part, lambda _: httpx.Response(206, headers=headers, content=iter([CONTENT[500:]])))
    assert part.size == 0


def test_shorter_range_is_kept(part: PartFile) -> None:
    arrived(part, 500)
    with pytest.raises(TransientError, match="ended after 700 of 2,048 bytes"):
        fetch(part, lambda _: ranged(500, 700))
    assert part.path.read_bytes() == CONTENT[:700]


def test_more_than_announced(part: PartFile) -> None:
    arrived(part, 500)

    def chunks(_: httpx.Request) -> httpx.Response:
        headers = {"Content-Range": f"bytes 500-{SIZE - 1}/{SIZE}"}
        return httpx.Response(206, headers=headers, content=iter([CONTENT[500:], b"more"]))

    with pytest.raises(RefusedError, match="sends more than the 1,548 bytes"):
        fetch(part, chunks)
    assert part.size == 0


def test_no_such_range_starts_over(part: PartFile) -> None:
    arrived(part, 500)
    with pytest.raises(TransientError, match="416"):
        fetch(part, lambda _: httpx.Response(416))
    assert part.size == 0


@pytest.mark.parametrize("status", [206, 204, 304, 401, 403, 404, 410, 416])
def test_answers_that_end_it(part: PartFile, status: int) -> None:
    with pytest.raises(RefusedError, match=f"HTTP {status}"):
        fetch(part, lambda _: httpx.Response(status))


@pytest.mark.parametrize("status", [408, 429, 500, 502, 503, 504])
def test_answers_that_may_change_keep_the_part(part: PartFile, status: int) -> None:
    arrived(part, 500)
    with pytest.raises(TransientError, match=f"HTTP {status}") as caught:
        fetch(part, lambda _: httpx.Response(status, headers={"Retry-After": "7"}))
    assert caught.value.retry_after == 7
    assert part.size == 500


def test_retry_after_a_date(part: PartFile) -> None:
    moment = format_datetime(datetime.now(UTC) + timedelta(seconds=100), usegmt=True)
    with pytest.raises(TransientError) as caught:
        fetch(part, lambda _: httpx.Response(503, headers={"Retry-After": moment}))
    assert caught.value.retry_after == pytest.approx(100, abs=5)


def test_another_length_is_another_file(part: PartFile) -> None:
    with pytest.raises(RefusedError, match="another file: expected 2,048 bytes, got 3"):
        fetch(part, lambda _: httpx.Response(200, content=b"abc"))


def test_label_of_an_encoding_changes_nothing(part: PartFile) -> None:
    headers = {"Content-Encoding": "x-gzip"}
    fetch(part, lambda _: httpx.Response(200, content=iter([CONTENT]), headers=headers))
    assert part.path.read_bytes() == CONTENT


def redirect_to(location: str) -> Answer:
    def answer(request: httpx.Request) -> httpx.Response:
        if str(request.url) == URL:
            return httpx.Response(302, headers={"Location": location})
        return httpx.Response(200, content=iter([CONTENT]))

    return answer


@pytest.mark.parametrize("location", ["https://elsewhere.test/a", "/moved", "//other.test/b"])
def test_redirect(part: PartFile, location: str) -> None:
    assert len(fetch(part, redirect_to(location))) == 2
    assert part.path.read_bytes() == CONTENT
    assert part.origin.url == URL


@pytest.mark.parametrize("location", ["http://mirror.test/file", "ftp://x.test/f", "file:///etc"])
def test_redirect_away_from_https_is_refused(part: PartFile, location: str) -> None:
    requests: list[httpx.Request] = []
    with pytest.raises(RefusedError, match="redirects from https"):
        requests = fetch(part, redirect_to(location))
    assert requests == []
    assert part.size == 0


@pytest.mark.parametrize("location", ["https://x.test:port/", "\x00"])
def test_redirect_to_no_url(part: PartFile, location: str) -> None:
    with pytest.raises(TransferError):
        fetch(part, redirect_to(location))


def test_endless_redirects(part: PartFile) -> None:
    with pytest.raises(RefusedError, match="at most 5 redirects"):
        fetch(part, lambda _: httpx.Response(301, headers={"Location": URL}))


@pytest.mark.parametrize(
    "url",
    [
        "nonsense",
        "ftp://x.test/",
        "https://x.test:a/",
        "http://a..b/",
        "",
    ],
)
def test_no_url(part: PartFile, url: str) -> None:
    with httpx.Client() as client, pytest.raises(RefusedError):
        fetch_rest(client, url, part, SIZE, stall_seconds=5, received=lambda _: None)


def test_weak_entity_tag_is_no_validator(part: PartFile) -> None:
    headers = {"ETag": 'W/"a"', "Last-Modified": "Thu, 04 Jun 2009 20:00:00 GMT"}
    fetch(part, lambda _: httpx.Response(200, content=iter([CONTENT]), headers=headers))
    assert part.origin.validator == headers["Last-Modified"]


def test_full_disk_names_the_part(part: PartFile, monkeypatch: pytest.MonkeyPatch) -> None:
    def no_space(descriptor: int, data: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("softmax_cli.data.transfer.write_all", no_space)
    with pytest.raises(OSError, match="No space left") as caught:
        fetch(part, lambda _: httpx.Response(200, content=iter([CONTENT])))
    assert caught.value.filename == str(part.path)
