from collections.abc import Callable
from pathlib import Path

import httpx
import pytest

from softmax_cli.data.transfer import (
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


def arrived(part: PartFile, count: int) -> None:
    """Let the first bytes be there, as an earlier request left them."""
    part.path.write_bytes(CONTENT[:count])


def fetch(part: PartFile, answer: Answer, *, earlier: int = 0) -> list[httpx.Request]:
    """The requests that it takes, which have to complete a part that had so many bytes before."""
    requests: list[httpx.Request] = []

    def handle(request: httpx.Request) -> httpx.Response:
        requests.append(request)
        return answer(request)

    with httpx.Client(transport=httpx.MockTransport(handle)) as client:
        done = fetch_rest(client, URL, part, SIZE, stall_seconds=5, received=lambda _: None)
    assert done == earlier
    return requests


def ranged(start: int, stop: int = SIZE, **headers: str) -> httpx.Response:
    stated = {"Content-Range": f"bytes {start}-{stop - 1}/{SIZE}"} | headers
    return httpx.Response(206, headers=stated, content=iter([CONTENT[start:stop]]))


def test_whole_file(part: PartFile) -> None:
    (request,) = fetch(part, lambda _: httpx.Response(200, content=iter([CONTENT])))
    assert part.path.read_bytes() == CONTENT
    assert "Range" not in request.headers
    assert request.headers["Accept-Encoding"] == "identity"


def test_resume_asks_for_the_rest(part: PartFile) -> None:
    arrived(part, 500)
    (request,) = fetch(part, lambda _: ranged(500), earlier=500)
    assert part.path.read_bytes() == CONTENT
    assert request.headers["Range"] == "bytes=500-"


def test_full_answer_to_a_range_starts_over(part: PartFile) -> None:
    part.path.write_bytes(b"x" * 500)
    fetch(part, lambda _: httpx.Response(200, content=iter([CONTENT])))
    assert part.path.read_bytes() == CONTENT


def test_note_of_an_earlier_version_goes_with_the_part(part: PartFile) -> None:
    arrived(part, 500)
    part.path.with_name("file.part.json").write_text("{}")
    part.discard()
    assert not list(part.path.parent.iterdir())
    part.discard()


@pytest.mark.parametrize(
    "stated",
    [
        f"bytes 499-{SIZE - 1}/{SIZE}",
        f"bytes 5000-{SIZE - 1}/{SIZE}",
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


def test_retry_after_that_is_no_number(part: PartFile) -> None:
    headers = {"Retry-After": "Thu, 04 Jun 2009 20:00:00 GMT"}
    with pytest.raises(TransientError) as caught:
        fetch(part, lambda _: httpx.Response(503, headers=headers))
    assert caught.value.retry_after is None


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


def test_full_disk_names_the_part(part: PartFile, monkeypatch: pytest.MonkeyPatch) -> None:
    def no_space(stream: object, data: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("softmax_cli.data.transfer.write_all", no_space)
    with pytest.raises(OSError, match="No space left") as caught:
        fetch(part, lambda _: httpx.Response(200, content=iter([CONTENT])))
    assert caught.value.filename == str(part.path)
