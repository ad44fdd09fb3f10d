"""The sections ``preprocessing`` and ``augmentation``: what happens to features and images."""

from collections.abc import Collection
from typing import Annotated, Literal

from pydantic import Discriminator, Field, Tag

from softmax_cli.config.settings import Settings


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

    def unwritten(self) -> Collection[str]:
        """A normalization that is not done."""
        return ("normalize",) if self.normalize == "none" else ()


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
