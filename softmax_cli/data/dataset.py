"""What a data set is: one record for each, found by name in ``datasets``.

A data set is loaded split by split. Where it is published as files, download, verification and all
messages about them follow from a record of what is published. Of arrays that the user has made
nothing is known beforehand: the settings name their files, and ``arrays`` reads them.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, Protocol, TypeAlias

from softmax_cli.data.images import ImageSet

Split: TypeAlias = Literal["train", "test"]
Part: TypeAlias = Literal["train", "validation", "test"]
"""Which examples: the training split without its validation examples, these, or the test split."""


class DataSource(Protocol):
    """What settings say of the data.

    Attributes:
        dataset: name of the data set.
        directory: folder that holds the data set's folder, or that folder itself, or one up to two
            levels above; not looked at for a data set that is made in memory.
        files: where the arrays are of each part that the user has made, in one file or in two, of
            features and of labels; empty for other data sets.
        class_names: of these arrays, in label order, if the user names them.
        train_size: how many training images to take, from the start; None takes all.
        validation_size: how many images at the end of the training split are for validation, where
            these have no files of their own.
    """

    @property
    def dataset(self) -> str: ...  # noqa: D102 - see the class
    @property
    def directory(self) -> Path: ...  # noqa: D102
    @property
    def files(self) -> Mapping[Part, tuple[Path, ...]]: ...  # noqa: D102
    @property
    def class_names(self) -> Sequence[str] | None: ...  # noqa: D102
    @property
    def train_size(self) -> int | None: ...  # noqa: D102
    @property
    def validation_size(self) -> int: ...  # noqa: D102


@dataclass(frozen=True)
class DataFolder:
    """A data set in a folder, without settings; attributes as of `DataSource`."""

    dataset: str
    directory: Path
    files: Mapping[Part, tuple[Path, ...]] = field(default_factory=dict)
    class_names: tuple[str, ...] | None = None
    train_size: int | None = None
    validation_size: int = 0


@dataclass(frozen=True)
class PublishedFile:
    """One file of a published data set.

    Attributes:
        name: file name.
        size: length in bytes.
        md5: hex digest of the content, as published.
        sha256: hex digest of the content.
        examples: how many labelled images it holds; 0 for a file that describes the others.
    """

    name: str
    size: int
    md5: str
    sha256: str
    examples: int


@dataclass(frozen=True)
class Archive:
    """The one file that is downloaded.

    Attributes:
        name: file name.
        size: length in bytes.
        sha256: hex digest of the content.
        mirrors: URLs where it is found, in the order in which they are tried.
        url_variable: environment variable that names another one.
    """

    name: str
    size: int
    sha256: str
    mirrors: tuple[str, ...]
    url_variable: str


@dataclass(frozen=True)
class Publication:
    """What is published as files. Data sets that read the same files differently share it.

    Attributes:
        title: what messages call it.
        command: what fetches it, as typed in a shell.
        folder: name of the folder that holds the files.
        archive: what they are downloaded as.
        files: what the folder holds.
        other_forms: what is not read, but is easily taken for it: a regular expression for names
            of files and folders that nothing else has, and what they are.
        least_files: how many of these files a folder of another name has to hold to be taken for
            theirs; more than one where their names are common.
    """

    title: str
    command: str
    folder: str
    archive: Archive
    files: tuple[PublishedFile, ...]
    other_forms: tuple[tuple[str, str], ...]
    least_files: int = 1

    @property
    def lock_name(self) -> str:
        """The file that is locked while something is put into its directory."""
        return f".{self.title.lower()}.lock"

    @property
    def staging_name(self) -> str:
        """The folder that the files are gathered in."""
        return f".{self.folder}.part"


@dataclass(frozen=True)
class DatasetSpec:
    """One data set.

    Attributes:
        name: what ``data.dataset`` calls it.
        title: what messages call it.
        class_names: in label order; None where only the user's files tell.
        training_images: length of the training split; None where only the user's files tell.
        load: ``load(data_dir, split)`` gives one split, of the same images and digest at each call.
            It raises a `DataError` where files in ``data_dir`` are missing or not intact.
        publication: the files it is read from, if they are published.
    """

    name: str
    title: str
    class_names: tuple[str, ...] | None
    training_images: int | None
    load: Callable[[Path, Split], ImageSet]
    publication: Publication | None = None
