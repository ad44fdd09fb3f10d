"""The section ``data``: which images, or arrays of the user's own, are trained on."""

from collections.abc import Collection
from pathlib import Path
from typing import Annotated, Literal, Self, TypeAlias

from pydantic import (
    BeforeValidator,
    Field,
    model_validator,
)

from softmax_cli.config.problems import shown
from softmax_cli.config.settings import Settings, complaint
from softmax_cli.errors import ConfigurationError, DataError
from softmax_cli.paths import expand_home

TRAINING_IMAGES = {"cifar10": 50_000, "cifar100": 50_000, "cifar100-coarse": 50_000}
"""Length of the training split of each data set that is published."""


def _refuse_null(value: object) -> object:
    if value is None:
        raise complaint("expected text, got null: a plain ~ means null in YAML, and ~/ is the home")
    return value


PathText: TypeAlias = Annotated[str, Field(min_length=1), BeforeValidator(_refuse_null)]


class ArrayFiles(Settings):
    """Where features and their labels are."""

    features: PathText = Field(description="A .npz, .safetensors or .npy file.")
    labels: PathText | None = Field(
        default=None, description="A .npy file; null: they are in the same file as the features."
    )

    def unwritten(self) -> Collection[str]:
        """Labels that are in the file of the features."""
        return () if self.labels else ("labels",)


def _files_mapping(value: object) -> object:
    """Write the shorthand of one file out as ``{features: file}``."""
    if isinstance(value, str):
        return {"features": value}
    if value is not None and not isinstance(value, dict | Settings):
        raise complaint(f"expected a file or {{features: ..., labels: ...}}, got {shown(value)}")
    return value


Files: TypeAlias = Annotated[
    ArrayFiles | None,
    BeforeValidator(_files_mapping, json_schema_input_type=str | ArrayFiles | None),
]
ArrayPart: TypeAlias = Literal["train", "validation", "test"]
ClassNames: TypeAlias = Annotated[
    tuple[Annotated[str, Field(min_length=1, max_length=200)], ...],
    BeforeValidator(lambda names: tuple(names) if isinstance(names, list) else names),
]


class DataSettings(Settings):
    """Which images are trained on, and which are kept for validation."""

    dataset: Literal["cifar10", "cifar100", "cifar100-coarse", "synthetic", "arrays"] = Field(
        default="cifar10",
        description="cifar10; cifar100 with its 100 classes, or cifar100-coarse with its 20; "
        "synthetic: images of the same shape made from a seed in memory; arrays: your own "
        "features, which train, validation and test name.",
    )
    dir: PathText = Field(
        default="data",
        description="Folder that contains cifar-10-batches-py/ or cifar-100-python/; ~/ is the "
        "home of who runs it.",
    )
    train_size: Annotated[int, Field(ge=1)] | None = Field(
        default=None,
        description="Train on the first n training images; null: all but the validation images.",
    )
    validation_size: int = Field(
        default=1000,
        ge=1,
        description="Validation images, taken from the end of the training split; not together "
        "with validation.",
    )
    train: Files = Field(
        default=None,
        description="arrays: a file of features and labels, or {features: FILE, labels: FILE}.",
    )
    validation: Files = Field(
        default=None, description="arrays: the same, in place of the end of the training split."
    )
    test: Files = Field(default=None, description="arrays: the same, to evaluate on.")
    class_names: ClassNames | None = Field(
        default=None,
        description="arrays: names of the classes in label order; null: those of the labels.",
    )

    @property
    def files(self) -> dict[ArrayPart, tuple[Path, ...]]:
        """The files of each part of ``arrays`` that is named: one, or of features and of labels.

        Where there is no such file, one of that name in ``dir`` takes its place.

        Raises:
            DataError: the home is not known here.
        """
        parts: dict[ArrayPart, ArrayFiles | None] = {
            "train": self.train,
            "validation": self.validation,
            "test": self.test,
        }
        return {
            part: tuple(
                self._array_file(part, path)
                for path in (named.features, named.labels)
                if path is not None
            )
            for part, named in parts.items()
            if named is not None
        }

    def _array_file(self, part: ArrayPart, path: str) -> Path:
        file = _expanded(path, f"data.{part}")
        moved = self.directory / file.name
        return moved if moved.is_file() and not file.exists() else file

    @property
    def directory(self) -> Path:
        """``dir`` with a ``~`` at its start replaced by the home on this machine.

        Settings keep what was written, so that a run works on for another user elsewhere.

        Raises:
            DataError: the home is not known here.
        """
        return _expanded(self.dir, "data.dir")

    def unwritten(self) -> Collection[str]:
        """Arrays that are not there, and a size that they make meaningless."""
        absent = [key for key in _OF_ARRAYS if getattr(self, key) is None]
        return absent if self.validation is None else [*absent, "validation_size"]

    @model_validator(mode="after")
    def _arrays_have_files(self) -> Self:
        if self.dataset == "arrays":
            if self.train is None:
                raise complaint("expected the file of the training arrays, got none", "train")
        else:
            for key in _OF_ARRAYS:
                if getattr(self, key) is not None:
                    raise complaint(
                        f"expected this only with data.dataset arrays, got {self.dataset}", key
                    )
        if self.validation is not None and "validation_size" in self.model_fields_set:
            raise complaint(
                "expected no size beside data.validation, which is validated on as a whole, got "
                f"{self.validation_size}",
                "validation_size",
            )
        names = self.class_names
        if names is None:
            return self
        if len(names) < 2:
            raise complaint(f"expected two names or more, got {shown(names)}", "class_names")
        if len(set(names)) < len(names):
            twice = next(name for name in names if names.count(name) > 1)
            raise complaint(f"expected names that differ, got {shown(twice)} twice", "class_names")
        return self

    @model_validator(mode="after")
    def _leave_training_images(self) -> Self:
        images = TRAINING_IMAGES.get(self.dataset)
        if images is not None and self.validation_size > images - (self.train_size or 1):
            wanted = f"{self.validation_size} + {self.train_size or 'at least 1'}"
            raise complaint(
                f"expected validation and training images to fit into the {images} there are, "
                f"got {wanted}",
                "validation_size",
            )
        return self


_OF_ARRAYS = ("train", "validation", "test", "class_names")


def _expanded(path: str, key: str) -> Path:
    try:
        return Path(expand_home(path))
    except ConfigurationError as error:
        raise DataError(f"{key}: {error.message}", hint=error.hint) from error
