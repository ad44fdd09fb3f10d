"""The files of a published data set on disk: where they lie, whether they are intact.

A file of another kind in their place is named, so that it is not taken for damage.
"""

import hashlib
import os
import stat
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Final, Literal

from softmax_cli.data.dataset import Publication, PublishedFile
from softmax_cli.data.file_kinds import (
    PICKLE,
    READABLE,
    START_BYTES,
    FileKind,
    recognise,
    recognise_other_form,
)
from softmax_cli.errors import DataError
from softmax_cli.paths import quoted
from softmax_cli.runs.atomic import errors_naming, write_all

_USUAL_DATA_DIR: Final = Path("data")
_MAX_DEPTH: Final = 2  # folders between the one that is named and the one that holds the data set
_MAX_ENTRIES: Final = 1_000  # looked at on each level
_CHUNK: Final = 256 << 10


@dataclass(frozen=True)
class Finding:
    """What `inspect_file` found out about one file.

    Attributes:
        name: file name.
        state: ``swapped`` is an intact file of the data set under another one's name; ``foreign``
            is a file of another kind; ``unreadable`` covers all that the operating system refuses.
        detail: what was expected and what came, in a few words; empty if intact.
        advice: what to do with a foreign file; empty for any other.
    """

    name: str
    state: Literal["intact", "missing", "truncated", "altered", "swapped", "foreign", "unreadable"]
    detail: str = ""
    advice: str = ""


def find_folder(
    data_dir: Path,
    publication: Publication,
    *,
    option: Literal["--data-dir", "--from"] = "--data-dir",
) -> Path:
    """Find the folder of the files, without looking into them.

    Args:
        data_dir: folder that holds the data set's folder, or that folder itself under any name; it
            may also lie one or two folders deeper.
        publication: what to look for.
        option: with what the user names another place.

    Raises:
        DataError: if there is no such folder, or there are several and no way to choose.
    """
    if data_dir.is_file():
        raise _file_in_place_of_folder(data_dir, publication)
    found = search_folders(data_dir, publication)
    if len(found) == 1:
        return found[0]
    if found:
        raise DataError(
            f"expected {publication.title} once below {data_dir}, "
            f"found it in {', '.join(map(str, found))}",
            hint=f"Name one of these folders with `{option}`.",
        )
    raise _not_found(data_dir, publication, option)


def search_folders(place: Path, publication: Publication) -> list[Path]:
    """The folders with files of the data set nearest to a place: in it, or a few levels below.

    One that several links lead to counts once. An empty folder of the data set's name in the place
    counts where nothing else has a file.
    """
    level = [place]
    for _ in range(_MAX_DEPTH + 1):
        holders = (holder for folder in level for holder in _holders(folder, publication))
        found = {holder.resolve(): holder for holder in holders}
        if found:
            return list(found.values())
        level = _subfolders(level)
    usual = place / publication.folder
    return [usual] if usual.is_dir() else []


def own_folder(data_dir: Path, publication: Publication) -> Path:
    """The folder that is, or will be, the data set of a folder, whatever lies deeper."""
    return next(_holders(data_dir, publication), data_dir / publication.folder)


def _holders(place: Path, publication: Publication) -> Iterator[Path]:
    """The data set's folder in a place, or else the place itself, if its files are in it."""
    for folder, least in ((place / publication.folder, 1), (place, publication.least_files)):
        if sum((folder / file.name).is_file() for file in publication.files) >= least:
            yield folder
            return


def _subfolders(folders: Iterable[Path]) -> list[Path]:
    """The folders in folders, up to a limit; hidden ones may hold what is being unpacked."""
    entries = islice((entry for folder in folders for entry in _entries(folder)), _MAX_ENTRIES)
    shown = (path for path in entries if not path.name.startswith("."))
    return sorted(path for path in shown if path.is_dir() and os.access(path, os.R_OK | os.X_OK))


def _entries(folder: Path) -> Iterator[Path]:
    """What lies in a folder, up to a limit; nothing where it cannot be listed."""
    try:
        yield from islice(folder.iterdir(), _MAX_ENTRIES)
    except OSError:
        return


def _not_found(data_dir: Path, publication: Publication, option: str) -> DataError:
    """The error that tells where the data set was looked for, and what was there instead."""
    expected = f"{publication.title} not found: expected the folder {data_dir / publication.folder}"
    target = data_dir if option == "--data-dir" else _USUAL_DATA_DIR
    entries = sorted(_entries(data_dir))
    stems = (f"{publication.archive.name.partition('.')[0]}.", f"{publication.folder}.")
    archive = next((path for path in entries if path.name.startswith(stems)), None)
    if archive is not None and archive.is_file():
        kind = recognise_foreign(archive, publication)
        found = f"{kind.name}: {archive}" if kind else f"its archive {archive}"
        hint = kind.advice(publication) if kind else _unpack_hint(target, archive, publication)
        return DataError(f"{expected}, found {found}", hint=hint)
    names = [data_dir.absolute().name, *(path.name for path in entries)]
    form = recognise_other_form(names, publication)
    if form is not None:
        return DataError(f"{expected}, found {form.name}", hint=form.advice(publication))
    if option == "--from":
        return DataError(expected, hint=import_hint(publication))
    elsewhere = "If it is in another folder, name that with `--data-dir DIR`."
    return DataError(expected, hint=f"{elsewhere} {download_hint(data_dir, publication)}")


def _file_in_place_of_folder(path: Path, publication: Publication) -> DataError:
    expected = f"expected a folder with {publication.title} in it, got"
    kind = recognise_foreign(path, publication)
    if kind is not None:
        return DataError(f"{expected} {kind.name}: {path}", hint=kind.advice(publication))
    hint = _unpack_hint(_USUAL_DATA_DIR, path, publication)
    return DataError(f"{expected} the file {path}", hint=hint)


def import_hint(publication: Publication) -> str:
    """Where to get what can be installed from this machine."""
    return (
        f"Fetch it with `{publication.command}`, or give the official {publication.archive.name}, "
        "or a folder of its files, to --from."
    )


def download_hint(data_dir: Path, publication: Publication) -> str:
    """How to get an intact data set into a folder."""
    command = _download_command(data_dir, publication)
    return (
        f"Run `{command}` to fetch {publication.title}, or `{command} --from FILE_OR_DIR` if you "
        "have it somewhere. Synthetic images never stand in: data.dataset=synthetic asks for them."
    )


def _unpack_hint(data_dir: Path, archive: Path, publication: Publication) -> str:
    command = _download_command(data_dir, publication)
    return f"Unpack it with `{command} --from {quoted(archive)}`."


def _download_command(data_dir: Path, publication: Publication) -> str:
    where = "" if data_dir == _USUAL_DATA_DIR else f" --data-dir {quoted(data_dir)}"
    return f"{publication.command}{where}"


def recognise_foreign(path: Path, publication: Publication) -> FileKind | None:
    """What a file is that was to be an archive of the data set; None if it may be one.

    Raises:
        OSError: it cannot be read.
    """
    with path.open("rb") as stream:
        kind = recognise(stream.read(START_BYTES))
    if kind is not None and kind is not PICKLE:
        return None if kind in READABLE else kind
    size = path.stat().st_size
    for file in publication.files:
        if size == file.size and inspect_file(path, file, publication).state == "intact":
            return FileKind(
                f"{file.name}, one of the {len(publication.files)} files of {publication.title}",
                lambda _: f"Name the folder that holds all of them: {path.parent}",
            )
    return recognise_other_form([path.name, path.absolute().parent.name], publication) or kind


def verify(data_dir: Path, publication: Publication) -> list[Finding]:
    """Check every file of a data set, byte for byte.

    Args:
        data_dir: as `find_folder` takes it.
        publication: what should be there.

    Returns:
        One finding per file, in the order in which they are published.

    Raises:
        DataError: if there is no such folder.
    """
    folder = find_folder(data_dir, publication)
    return [inspect_file(folder / file.name, file, publication) for file in publication.files]


def inspect_file(path: Path, file: PublishedFile, publication: Publication) -> Finding:
    """Find out whether the file at ``path`` is what it should be, and if not, what is wrong.

    Args:
        path: where the file should lie.
        file: what it should be.
        publication: the whole data set, to recognise one file under another's name.
    """
    try:
        status = path.stat()
        if not stat.S_ISREG(status.st_mode):
            return Finding(file.name, "unreadable", "expected a regular file")
        is_too_large = status.st_size > 2 * file.size + 4096
        with path.open("rb") as stream:
            start = stream.read(START_BYTES)
            stream.seek(0)
            digest = "" if is_too_large else hashlib.file_digest(stream, "sha256").hexdigest()
    except FileNotFoundError:
        return Finding(file.name, "missing", f"expected {file.size:,} bytes, got no file")
    except OSError as error:
        return Finding(file.name, "unreadable", error.strerror or str(error))
    if digest == file.sha256:
        return Finding(file.name, "intact")
    for other in publication.files:
        if digest == other.sha256:
            return Finding(file.name, "swapped", f"expected {file.name}, got {other.name}")
    kind = recognise(start)
    if kind is not None and kind is not PICKLE:
        detail = f"expected a pickle, got {kind.name}"
        return Finding(file.name, "foreign", detail, kind.advice(publication))
    if status.st_size < file.size:
        return Finding(file.name, "truncated", _sizes(file, status.st_size))
    if status.st_size > file.size:
        return Finding(file.name, "altered", _sizes(file, status.st_size))
    return Finding(file.name, "altered", _digests(file, digest))


def not_intact(
    path: Path, finding: Finding, publication: Publication, *, hint: str | None = None
) -> DataError:
    """The error for one damaged or missing file.

    Args:
        path: of the file.
        finding: what is wrong with it.
        publication: the data set that it belongs to.
        hint: how to get an intact one; the default speaks of the folder it lies in.
    """
    folder = path.parent
    data_dir = folder.parent if folder.name == publication.folder else folder
    hint = hint or download_hint(data_dir, publication)
    return DataError(
        f"{path} is {finding.state}: {finding.detail}", hint=f"{finding.advice} {hint}".lstrip()
    )


def write_verified(read: Callable[[int], bytes], path: Path, file: PublishedFile) -> str | None:
    """Write a file of a data set, synced; where its content is wrong, remove it and return how.

    Args:
        read: gives the next bytes of the content, so many at the most; none at its end.
        path: where to; nothing may be there.
        file: what it should be.

    Raises:
        OSError: writing failed. What ``read`` raises passes through.
    """
    content = hashlib.sha256()
    left = file.size
    with path.open("xb", buffering=0) as stream:
        while left and (chunk := read(min(left, _CHUNK))):
            content.update(chunk)
            with errors_naming(path):
                write_all(stream, chunk)
            left -= len(chunk)
        with errors_naming(path):
            os.fsync(stream.fileno())
    digest = content.hexdigest()
    if digest == file.sha256:
        return None
    path.unlink()
    return f"{file.name} is altered: {_digests(file, digest)}"


def _sizes(file: PublishedFile, size: int) -> str:
    return f"expected {file.size:,} bytes, got {size:,}"


def _digests(file: PublishedFile, digest: str) -> str:
    return f"expected SHA-256 {file.sha256[:16]}…, got {digest[:16]}…"
