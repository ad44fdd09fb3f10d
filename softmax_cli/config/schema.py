"""The settings of a training: names, types, bounds and defaults.

A field's dotted name (``optimizer.learning_rate``) is its key in the YAML file, on the command
line, as an axis of a sweep and as a column of the results. Types are strict: ``"0.1"`` and ``true``
are no numbers, 200.0 is no whole number, but 1 may stand where 1.0 is expected.

Arithmetic is done in float32, so numbers beyond 1e30 are refused here instead of overflowing there.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any, Literal, Self, TypeAlias

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Discriminator,
    Field,
    ModelWrapValidatorHandler,
    SerializerFunctionWrapHandler,
    Tag,
    model_serializer,
    model_validator,
)
from pydantic_core import PydanticCustomError

from softmax_cli.config.problems import shown
from softmax_cli.errors import ConfigurationError, DataError
from softmax_cli.paths import expand_home

DEFAULT_ITERATIONS = 3000
TRAINING_IMAGES = {"cifar10": 50_000, "cifar100": 50_000, "cifar100-coarse": 50_000}
"""Length of the training split of each data set that is published."""
MAX_BATCH_SIZE = 50_000
IMAGE_SIDE = 32
MOST_ITERATIONS = 100_000_000
DEFAULT_TOLERANCE = 1e-5
DEFAULT_MAX_ITERATIONS = 200
LARGEST_NUMBER = 1e30


def _without_negative_zero(number: float) -> float:
    """Make -0.0 the 0.0 it equals, so that equal settings are written and digested alike."""
    return number + 0.0


_PLAIN_ZERO = AfterValidator(_without_negative_zero)

NonNegative: TypeAlias = Annotated[float, Field(ge=0, le=LARGEST_NUMBER), _PLAIN_ZERO]
Fraction: TypeAlias = Annotated[float, Field(ge=0, le=1), _PLAIN_ZERO]
PositiveFraction: TypeAlias = Annotated[float, Field(gt=0, le=1)]
Temperature: TypeAlias = Annotated[float, Field(ge=1e-6, le=1e6)]
Iterations: TypeAlias = Annotated[int, Field(ge=1, le=MOST_ITERATIONS)]
Seed: TypeAlias = Annotated[int, Field(ge=0, le=2**63 - 1)]


def complaint(text: str, *path: str) -> PydanticCustomError:
    """An error to raise from a validator, in this project's own words.

    Args:
        text: what was expected and what came.
        path: from a validator of a whole model, the field that is to blame.
    """
    blamed = {"path": path} if path else {}
    return PydanticCustomError("complaint", "{text}", {"text": text, **blamed})


def _refuse_null(value: object) -> object:
    if value is None:
        raise complaint("expected text, got null: a plain ~ means null in YAML, and ~/ is the home")
    return value


PathText: TypeAlias = Annotated[str, Field(min_length=1), BeforeValidator(_refuse_null)]


def named_kind(of: str) -> Callable[[object], object]:
    """A validator that writes a shorthand such as ``cosine`` out as ``{kind: cosine}``.

    Args:
        of: what the name is a name of, for the message about what is neither.
    """

    def mapping(value: object) -> object:
        if isinstance(value, str):
            return {"kind": value}
        if not isinstance(value, dict | Settings):
            raise complaint(f"expected the name of {of} or {{kind: ..., ...}}, got {shown(value)}")
        return value

    return mapping


class Settings(BaseModel):
    """What all sections share: they are frozen, strict, and know no keys but their own."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, allow_inf_nan=False)


class ArrayFiles(Settings):
    """Where features and their labels are."""

    features: PathText = Field(description="A .npz, .safetensors or .npy file.")
    labels: PathText | None = Field(
        default=None, description="A .npy file; null: they are in the same file as the features."
    )

    @model_serializer(mode="wrap")
    def _without_absent_labels(self, serialize: SerializerFunctionWrapHandler) -> dict[str, Any]:
        values: dict[str, Any] = serialize(self)
        return {key: value for key, value in values.items() if value is not None}


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
        description="Validation images, taken from the end of the training split, unless "
        "validation names a file.",
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

    @model_serializer(mode="wrap")
    def _without_absent_arrays(self, serialize: SerializerFunctionWrapHandler) -> dict[str, Any]:
        """Leave out what is not there, so that other settings keep the digests they had before."""
        values: dict[str, Any] = serialize(self)
        absent = {key for key in _OF_ARRAYS if values[key] is None}
        if self.validation is not None:
            absent.add("validation_size")
        return {key: value for key, value in values.items() if key not in absent}

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


class PixelFeatures(Settings):
    """The pixels themselves, 0 to 255."""

    kind: Literal["pixels"] = "pixels"


class StoredFeatures(Settings):
    """What the features have in common that are computed once and kept."""

    storage: Literal["bytes", "float32"] = Field(
        default="bytes",
        description="bytes: in steps of 1/16 of a feature's deviation, within 8 of its mean; "
        "float32: as computed.",
    )


def _divides_the_image(size: int) -> int:
    if IMAGE_SIDE % size:
        raise complaint(f"expected one of 2, 4, 8, 16 and 32, which divide the image, got {size}")
    return size


CellSize: TypeAlias = Annotated[
    int,
    Field(ge=2, le=IMAGE_SIDE, json_schema_extra={"enum": [2, 4, 8, 16, 32]}),
    AfterValidator(_divides_the_image),
]
HueBins: TypeAlias = Annotated[int, Field(ge=0, le=100)]


def _none_or_from_four(bins: int) -> int:
    if bins == 2:
        raise complaint("expected 0 or an even number from 4, got 2")
    return bins


EvenHueBins: TypeAlias = Annotated[
    HueBins, Field(multiple_of=2), AfterValidator(_none_or_from_four)
]


class HogFeatures(StoredFeatures):
    """Histograms of oriented gradients, and of colours; the defaults are those of CS231n."""

    kind: Literal["hog"]
    cell_size: CellSize = Field(
        default=8, description="Side of a cell in pixels; each cell has its own histogram."
    )
    orientations: int = Field(
        default=9, ge=2, le=36, description="Bins of orientation over 180 degrees."
    )
    signed: bool = Field(
        default=False,
        description="true: twice the bins over 360 degrees, so that an edge from dark to light "
        "differs from one from light to dark.",
    )
    gradient: Literal["gray", "strongest"] = Field(
        default="gray",
        description="gray: of the gray image; strongest: at each pixel that of the colour channel "
        "in which it is longest.",
    )
    overlap: bool = Field(
        default=False,
        description="true: a pixel also counts for the neighbouring cells, the less the farther "
        "their centre.",
    )
    normalization: Literal["none", "blocks"] = Field(
        default="none",
        description="none; blocks: divide a cell's histogram by the length of those of each block "
        "of 2 x 2 cells around it, and average.",
    )
    clip: PositiveFraction = Field(
        default=1.0,
        description="Largest value that a histogram normalized by a block keeps; 1 keeps all, 0.2 "
        "is that of Dalal and Triggs.",
    )
    square_root: bool = Field(
        default=False, description="Take the square root of each number in a cell's histograms."
    )
    cell_colors: bool = Field(
        default=False,
        description="Mean and standard deviation of each colour channel in each cell.",
    )
    cell_hue_bins: EvenHueBins = Field(
        default=0,
        description="Bins of a hue histogram of each cell, in which vivid colours count more: 0, "
        "or an even number from 4.",
    )
    hue_bins: HueBins = Field(
        default=10, description="Bins of the hue histogram of the whole image."
    )

    @model_validator(mode="after")
    def _clip_needs_blocks(self) -> Self:
        if self.clip != 1.0 and self.normalization != "blocks":
            raise complaint(
                f"expected 1.0 with normalization: {self.normalization}, got {self.clip:g}: only "
                "what is normalized by blocks is clipped",
                "clip",
            )
        return self


PATCH_CHANNELS = 3


class PatchFeatures(StoredFeatures):
    """How much the patches of each region of an image look like each filter of a dictionary."""

    kind: Literal["patches"]
    patch_size: int = Field(default=6, ge=2, le=16, description="Side of a patch in pixels.")
    stride: int = Field(
        default=1,
        ge=1,
        le=16,
        description="Pixels between two patches; patches have to end where the image ends.",
    )
    filters: int = Field(
        default=400,
        ge=2,
        le=20_000,
        multiple_of=2,
        description="Filters of the dictionary, an even number: half of them are the mirror images "
        "of the others.",
    )
    dictionary: Literal["random", "kmeans"] = Field(
        default="random",
        description="random: filters are patches of training images; kmeans: what spherical "
        "k-means makes of them.",
    )
    rank: int = Field(
        default=48,
        ge=1,
        description="Dimensions that patches are whitened to, fewer than the numbers in a patch.",
    )
    whitening_epsilon: Annotated[float, Field(ge=1e-6, le=1e6)] = Field(
        default=1.0e-3,
        description="Added to the variances that whitening divides by; contrast-normalised pixels "
        "have one near 1.",
    )
    activation: Literal["threshold", "triangle"] = Field(
        default="threshold",
        description="threshold: by how much a response is above the threshold, and by how much "
        "below its negative; triangle: by how much a filter is nearer than the average filter.",
    )
    threshold: NonNegative = Field(
        default=0.5, description="In standard deviations of a response, of activation threshold."
    )
    regions: int = Field(
        default=3,
        ge=1,
        le=16,
        description="Regions along each side of the image that features are averaged over.",
    )

    @model_validator(mode="after")
    def _fit_the_image(self) -> Self:
        rest = IMAGE_SIDE - self.patch_size
        if rest % self.stride:
            raise complaint(
                f"expected a divisor of {rest}, so that patches of {self.patch_size} pixels end "
                f"where the image of {IMAGE_SIDE} ends, got {self.stride}",
                "stride",
            )
        positions = rest // self.stride + 1
        if self.regions > positions:
            raise complaint(
                f"expected at most {positions}, the patches along a side, got {self.regions}",
                "regions",
            )
        numbers = PATCH_CHANNELS * self.patch_size**2
        if self.rank >= numbers:
            raise complaint(
                f"expected fewer than {numbers}, the numbers in a patch of {self.patch_size} x "
                f"{self.patch_size} pixels, got {self.rank}",
                "rank",
            )
        return self

    @model_validator(mode="after")
    def _triangle_has_no_threshold(self) -> Self:
        default = type(self).model_fields["threshold"].default
        if self.activation == "triangle" and self.threshold != default:
            raise complaint(
                f"expected {default} with activation: triangle, which has no threshold, got "
                f"{self.threshold:g}",
                "threshold",
            )
        return self


FeatureSettings: TypeAlias = PixelFeatures | HogFeatures | PatchFeatures
FeatureKind: TypeAlias = Literal["pixels", "hog", "patches"]


class PreprocessingSettings(Settings):
    """What happens to the features before they are multiplied with the weights."""

    center: bool = Field(
        default=True, description="Subtract the mean of each feature over the training images."
    )
    scale: Literal["none", "unit", "feature", "pixel"] = Field(
        default="none",
        description="none; unit: divide by 255; feature: divide by each feature's standard "
        "deviation; pixel: the older name of feature.",
    )
    normalize: Literal["none", "l2"] = Field(
        default="none",
        description="l2: first of all divide the features of each image by their Euclidean norm.",
    )

    @model_serializer(mode="wrap")
    def _without_default_norm(self, serialize: SerializerFunctionWrapHandler) -> dict[str, Any]:
        """Leave out what is not done, so that settings keep the digests they had before."""
        values: dict[str, Any] = serialize(self)
        if self.normalize == "none":
            del values["normalize"]
        return values


def _flip_form(value: object) -> str | None:
    if isinstance(value, bool):
        return "switch"
    return "exact" if value == "exact" else None


class AugmentationSettings(Settings):
    """How training images are varied as they are drawn."""

    horizontal_flip: Annotated[
        Annotated[bool, Tag("switch")] | Annotated[Literal["exact"], Tag("exact")],
        Discriminator(
            _flip_form,
            custom_error_type="complaint",
            custom_error_message="expected true, false or exact",
        ),
    ] = Field(
        default=False,
        description="true: mirror each drawn training image with probability one half; exact: "
        "train on what that amounts to, with flip-symmetric weights, at half the arithmetic.",
    )


class Annealing(Settings):
    """A temperature that goes from one value to another over the iterations."""

    start: Temperature = Field(description="Temperature at the first iteration.")
    end: Temperature = Field(description="Temperature at the last iteration; used afterwards, too.")
    decay: Literal["linear", "cosine", "exponential"] = Field(
        default="linear", description="Shape of the way from start to end."
    )


def _temperature_form(value: object) -> str | None:
    if isinstance(value, dict | Annealing):
        return "annealing"
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return "number" if is_number else None


class ModelSettings(Settings):
    """The classifier and its loss."""

    loss: Literal["softmax", "hinge"] = Field(
        default="softmax",
        description="softmax: cross-entropy; hinge: multiclass hinge loss (Weston-Watkins).",
    )
    temperature: Annotated[
        Annotated[Temperature, Tag("number")] | Annotated[Annealing, Tag("annealing")],
        Discriminator(
            _temperature_form,
            custom_error_type="complaint",
            custom_error_message="expected a number or {start: ..., end: ..., decay: ...}",
        ),
    ] = Field(
        default=1.0,
        description="Scores are divided by it before the softmax: a number, or an annealing.",
    )
    weight_scale: NonNegative = Field(
        default=1.0e-3,
        description="Standard deviation of the normally distributed initial weights.",
    )
    weight_seed: Seed | None = Field(
        default=None, description="Seed of the initial weights alone; null: they follow seed."
    )

    @model_validator(mode="after")
    def _hinge_has_no_temperature(self) -> Self:
        if self.loss == "hinge" and self.temperature != 1.0:
            raise complaint(
                "expected 1.0 with the hinge loss, which has no temperature, got another one",
                "temperature",
            )
        return self


Warmup: TypeAlias = Annotated[
    int,
    Field(
        ge=0,
        le=MOST_ITERATIONS,
        description="First iterations, over which the learning rate grows linearly from 0.",
    ),
]


class ConstantSchedule(Settings):
    """The learning rate stays what it is."""

    kind: Literal["constant"]
    warmup: Warmup = 0


class CosineSchedule(Settings):
    """The learning rate falls along half a cosine until the last iteration."""

    kind: Literal["cosine"]
    warmup: Warmup = 0
    final: Fraction = Field(
        default=0.0, description="Fraction of the learning rate left at the end."
    )


class LinearSchedule(Settings):
    """The learning rate falls along a straight line until the last iteration."""

    kind: Literal["linear"]
    warmup: Warmup = 0
    final: Fraction = Field(
        default=0.0, description="Fraction of the learning rate left at the end."
    )


class StepSchedule(Settings):
    """The learning rate is multiplied by a factor at regular intervals."""

    kind: Literal["step"]
    warmup: Warmup = 0
    every: Iterations = Field(default=1000, description="Iterations between two steps.")
    factor: PositiveFraction = Field(
        default=0.1, description="What each step multiplies the rate by."
    )


class ExponentialSchedule(Settings):
    """The learning rate shrinks by the same factor at every iteration until the last one."""

    kind: Literal["exponential"]
    warmup: Warmup = 0
    final: PositiveFraction = Field(
        default=0.01, description="Fraction of the learning rate left at the end."
    )


Schedule: TypeAlias = (
    ConstantSchedule | CosineSchedule | LinearSchedule | StepSchedule | ExponentialSchedule
)
ScheduleKind: TypeAlias = Literal["constant", "cosine", "linear", "step", "exponential"]


METHOD_KEYS: dict[str, dict[str, tuple[str, ...]]] = {
    "sgd": {
        "optimizer": ("learning_rate", "schedule", "momentum", "nesterov"),
        "model": ("weight_scale", "weight_seed"),
        "training": (
            "batch_size",
            "iterations",
            "epochs",
            "sampling",
            "validate_every",
            "early_stopping",
        ),
    },
    "lbfgs": {"optimizer": ("tolerance", "max_iterations")},
}
"""Keys of each section that mean something to one method alone."""


class OptimizerSettings(Settings):
    """How the weights are found: by stochastic gradient descent, or by full-batch L-BFGS."""

    method: Literal["sgd", "lbfgs"] = Field(
        default="sgd",
        description="sgd: gradient descent on minibatches; lbfgs: all images at each iteration, "
        "until the gradient is so small that the optimum is found.",
    )
    learning_rate: NonNegative = Field(
        default=1.5e-7, description="Length of a step along the negative gradient."
    )
    schedule: Annotated[
        Schedule,
        Field(discriminator="kind"),
        BeforeValidator(named_kind("a schedule"), json_schema_input_type=ScheduleKind | Schedule),
    ] = Field(
        default=ConstantSchedule(kind="constant"),
        description="How the learning rate changes: a name, or {kind: name, ...} with its keys.",
    )
    momentum: Annotated[float, Field(ge=0, lt=1), _PLAIN_ZERO] = Field(
        default=0.0, description="Fraction of the previous step's velocity that is kept."
    )
    nesterov: bool = Field(
        default=False, description="Nesterov's momentum instead of the classical one."
    )
    regularization: NonNegative = Field(
        default=8.0e3,
        description="Lambda: half of it times the squared norm of weights and bias is loss.",
    )
    tolerance: Annotated[float, Field(gt=0, le=LARGEST_NUMBER)] = Field(
        default=DEFAULT_TOLERANCE,
        description="lbfgs ends when no component of the gradient is greater.",
    )
    max_iterations: Iterations = Field(
        default=DEFAULT_MAX_ITERATIONS, description="lbfgs ends after so many iterations anyway."
    )

    @model_serializer(mode="wrap")
    def _keys_of_the_method(self, serialize: SerializerFunctionWrapHandler) -> dict[str, Any]:
        """Leave out what means nothing; sgd is not named, so that digests are what they were."""
        values: dict[str, Any] = serialize(self)
        if self.method == "sgd":
            del values["method"]
        return _without(values, _foreign_keys(self.method).get("optimizer", ()))

    @model_validator(mode="after")
    def _nesterov_needs_momentum(self) -> Self:
        if self.nesterov and self.momentum == 0:
            raise complaint(
                "expected nesterov only with a momentum above 0, got momentum 0",
                "nesterov",
            )
        return self


class EarlyStopping(Settings):
    """When to give up on further improvement; counted in validations, not in iterations."""

    patience: int = Field(
        ge=1, le=MOST_ITERATIONS, description="Validations without improvement before the stop."
    )
    min_delta: NonNegative = Field(
        default=0.0,
        description="What the validation accuracy has to gain to count as an improvement.",
    )


class TrainingSettings(Settings):
    """How long is trained, on what minibatches, and what happens in between."""

    batch_size: int = Field(
        default=200, ge=1, le=MAX_BATCH_SIZE, description="Images per minibatch."
    )
    iterations: Iterations | None = Field(
        default=None,
        description=f"Minibatches to train on; {DEFAULT_ITERATIONS} if epochs is not given either.",
    )
    epochs: Annotated[float, Field(gt=0, le=1e6)] | None = Field(
        default=None, description="Passes over the training images, instead of iterations."
    )
    sampling: Literal["replacement", "epoch"] = Field(
        default="replacement",
        description="Draw each minibatch anew, or shuffle once per epoch and cut into minibatches.",
    )
    validate_every: Iterations = Field(
        default=100, description="Iterations between two validations."
    )
    early_stopping: EarlyStopping | None = Field(
        default=None, description="null, or {patience: ..., min_delta: ...}."
    )
    checkpoint_every: Iterations = Field(
        default=500, description="Iterations between two checkpoints."
    )
    certificate: bool = Field(
        default=False,
        description="Report at the end how far the objective is above its minimum at most: one "
        "more pass over the training images. lbfgs always does.",
    )

    @model_validator(mode="before")
    @classmethod
    def _default_length(cls, values: Any) -> Any:
        if not isinstance(values, dict):
            return values
        if values.get("iterations") is None and values.get("epochs") is None:
            return values | {"iterations": DEFAULT_ITERATIONS}
        return values

    @model_serializer(mode="wrap")
    def _without_absent_length(self, serialize: SerializerFunctionWrapHandler) -> dict[str, Any]:
        values: dict[str, Any] = serialize(self)
        del values["iterations" if self.iterations is None else "epochs"]
        if not self.certificate:
            del values["certificate"]
        return values

    @model_validator(mode="wrap")
    @classmethod
    def _remember_absent_length(
        cls, values: Any, validate: ModelWrapValidatorHandler[Self]
    ) -> Self:
        """Let ``model_fields_set`` tell a number of iterations that was given from the default."""
        settings = validate(values)
        if isinstance(values, dict) and values.get("iterations") is None:
            settings.model_fields_set.discard("iterations")
        return settings

    @model_validator(mode="after")
    def _one_length(self) -> Self:
        if self.iterations is not None and self.epochs is not None:
            raise complaint(
                "expected exactly one of iterations and epochs, "
                f"got iterations {self.iterations} and epochs {self.epochs}",
                "epochs",
            )
        return self


class TrainConfig(Settings):
    """Everything that determines one training."""

    data: DataSettings = Field(default=DataSettings(), description="Images to train on.")
    features: Annotated[
        FeatureSettings,
        Field(discriminator="kind"),
        BeforeValidator(
            named_kind("features"), json_schema_input_type=FeatureKind | FeatureSettings
        ),
    ] = Field(
        default=PixelFeatures(),
        description="From images to features: a name, or {kind: name, ...} with its keys.",
    )
    preprocessing: PreprocessingSettings = Field(
        default=PreprocessingSettings(), description="Centring and scaling of the features."
    )
    augmentation: AugmentationSettings = Field(
        default=AugmentationSettings(), description="Random variation of the training images."
    )
    model: ModelSettings = Field(default=ModelSettings(), description="Classifier and loss.")
    optimizer: OptimizerSettings = Field(
        default=OptimizerSettings(), description="How the weights are found."
    )
    training: TrainingSettings = Field(default=TrainingSettings(), description="Length and rhythm.")
    seed: Seed = Field(
        default=0, description="Source of initial weights, sampling and augmentation."
    )

    @model_validator(mode="after")
    def _arrays_are_no_pictures(self) -> Self:
        if self.data.dataset == "arrays":
            if self.features != PixelFeatures():
                raise complaint(
                    "expected none with data.dataset arrays, which are features already, got "
                    f"{self.features.kind}",
                    "features",
                    "kind",
                )
            if self.augmentation.horizontal_flip:
                raise complaint(
                    "expected false with data.dataset arrays, which cannot be mirrored, got "
                    f"{shown(self.augmentation.horizontal_flip)}",
                    "augmentation",
                    "horizontal_flip",
                )
        return self

    @model_validator(mode="after")
    def _keys_suit_the_method(self) -> Self:
        method = self.optimizer.method
        foreign = [
            f"{section}.{key}"
            for section, keys in _foreign_keys(method).items()
            for key in keys
            if key in getattr(self, section).model_fields_set
        ]
        if foreign:
            raise complaint(
                f"expected no key that means nothing to the method {method}, "
                f"got {', '.join(foreign)}",
                *foreign[0].split("."),
            )
        return self

    @model_validator(mode="after")
    def _loss_suits_the_method(self) -> Self:
        if self.optimizer.method == "sgd":
            return self
        if self.model.loss == "hinge":
            raise complaint(
                "expected a smooth loss with the method lbfgs, got hinge, which has edges: "
                "use the loss softmax, or the method sgd",
                *("model", "loss"),
            )
        if isinstance(self.model.temperature, Annealing):
            raise complaint(
                "expected one temperature with the method lbfgs, got one that changes: "
                "the optimum would change with it",
                *("model", "temperature"),
            )
        return self

    @model_serializer(mode="wrap")
    def _without_what_means_nothing(
        self, serialize: SerializerFunctionWrapHandler
    ) -> dict[str, Any]:
        """Leave out features that are pixels, and keys that mean nothing to the method.

        So settings keep the digests that they had before there were other features and methods.
        """
        values: dict[str, Any] = serialize(self)
        if self.features == PixelFeatures():
            del values["features"]
        for section, keys in _foreign_keys(self.optimizer.method).items():
            values[section] = _without(values[section], keys)
        return values


def _foreign_keys(method: str) -> dict[str, tuple[str, ...]]:
    """The keys of each section that mean something to another method alone."""
    (other,) = METHOD_KEYS.keys() - {method}
    return METHOD_KEYS[other]


def _without(values: dict[str, Any], keys: tuple[str, ...]) -> dict[str, Any]:
    return {key: value for key, value in values.items() if key not in keys}
