"""Other data sets in place of CIFAR, for this process or, as a document, for another one."""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from softmax_cli.data import cifar100
from softmax_cli.data.cifar10 import CIFAR10, FORM, PUBLICATION
from softmax_cli.data.cifar_batches import cifar_dataset
from softmax_cli.data.dataset import Archive, DatasetSpec, Publication, PublishedFile
from softmax_cli.data.datasets import DATASETS


def publication_of(files: Iterable[PublishedFile]) -> Publication:
    """What would be published if CIFAR-10 consisted of these files, and had no mirrors."""
    archive = replace(PUBLICATION.archive, mirrors=())
    return replace(PUBLICATION, archive=archive, files=tuple(files))


def cifar100_publication_of(files: Iterable[PublishedFile]) -> Publication:
    """What would be published if CIFAR-100 consisted of these files, and had no mirrors."""
    published = cifar100.PUBLICATION
    archive = replace(published.archive, mirrors=())
    return replace(published, archive=archive, files=tuple(files))


def downloaded_as(publication: Publication, name: str, size: int, sha256: str) -> Publication:
    """The same in another archive."""
    archive = replace(publication.archive, name=name, size=size, sha256=sha256)
    return replace(publication, archive=archive)


def publication_from(document: Mapping[str, Any]) -> Publication:
    """What `dataclasses.asdict` turned into a document, and JSON perhaps into text and back."""
    archive = document["archive"]
    return Publication(
        **{
            **document,
            "archive": Archive(**{**archive, "mirrors": tuple(archive["mirrors"])}),
            "files": tuple(PublishedFile(**file) for file in document["files"]),
            "other_forms": tuple((pattern, form) for pattern, form in document["other_forms"]),
        }
    )


def spec_of(publication: Publication) -> DatasetSpec:
    """CIFAR-10 if it consisted of these files."""
    return cifar_dataset(CIFAR10.name, publication, FORM, "labels")


def cifar100_specs_of(publication: Publication) -> dict[str, DatasetSpec]:
    """Both data sets of CIFAR-100, by name, if it consisted of these files."""
    keys = {"cifar100": "fine_labels", "cifar100-coarse": "coarse_labels"}
    return {
        name: cifar_dataset(name, publication, cifar100.FORM, key) for name, key in keys.items()
    }


def expect(publication: Publication) -> None:
    """Let this process expect these files."""
    DATASETS[CIFAR10.name] = spec_of(publication)
