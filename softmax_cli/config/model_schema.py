"""The section ``model``: the classifier, its loss and its temperature."""

from typing import Annotated, Literal, Self, TypeAlias

from pydantic import Discriminator, Field, Tag, model_validator

from softmax_cli.config.settings import NonNegative, Seed, Settings, complaint

Temperature: TypeAlias = Annotated[float, Field(ge=1e-6, le=1e6)]


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
