"""The section ``features``: from images to rows of numbers."""

from typing import Annotated, Literal, Self, TypeAlias

from pydantic import AfterValidator, Field, model_validator

from softmax_cli.config.settings import NonNegative, PositiveFraction, Settings, complaint

IMAGE_SIDE = 32
PATCH_CHANNELS = 3


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
