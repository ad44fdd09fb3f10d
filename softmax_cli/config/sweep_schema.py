"""The settings of a sweep: a training to start from, and what is varied in it."""

from collections.abc import Collection
from typing import Annotated, Any, Literal, Self, TypeAlias

from pydantic import (
    ConfigDict,
    Discriminator,
    Field,
    Tag,
    model_validator,
)

from softmax_cli.config.schema import TrainConfig
from softmax_cli.config.settings import LARGEST_NUMBER, Seed, Settings, complaint

MAX_TRIALS = 100_000
MAX_PARAMETERS = 100
MAX_VALUES = 1000
MAX_VALUES_IN_ALL = 5000
MAX_FOLDS = 100


class Range(Settings):
    """Numbers between two bounds, both included."""

    low: float = Field(le=LARGEST_NUMBER, description="Smallest value.")
    high: float = Field(le=LARGEST_NUMBER, description="Largest value.")
    num: Annotated[int, Field(ge=2, le=MAX_VALUES)] | None = Field(
        default=None,
        description="Number of values; null, in a random search only: any value in between.",
    )
    scale: Literal["linear", "log"] = Field(
        default="linear", description="Values at equal differences, or at equal ratios."
    )

    @model_validator(mode="after")
    def _low_is_below_high(self) -> Self:
        if self.low >= self.high:
            raise complaint(f"expected low below high, got {self.low:g} and {self.high:g}", "low")
        if self.scale == "log" and self.low <= 0:
            raise complaint(f"expected low above 0 for scale: log, got {self.low:g}", "low")
        return self

    def points(self, *, whole: bool = False) -> list[float] | list[int]:
        """The ``num`` values in ascending order; the two bounds if ``num`` is None.

        Args:
            whole: round to whole numbers and drop repetitions.
        """
        steps = (self.num or 2) - 1
        inner = [self.at(i / steps) for i in range(1, steps)]
        values = [self.low, *inner, self.high]
        return list(dict.fromkeys(map(round, values))) if whole else values

    def at(self, fraction: float) -> float:
        """The value at a fraction, 0 to 1, of the way, to twelve digits, so that it reads well."""
        if self.scale == "log":
            value = self.low ** (1 - fraction) * self.high**fraction
        else:
            value = self.low * (1 - fraction) + self.high * fraction
        return min(max(float(f"{value:.12g}"), self.low), self.high)


class RandomTrials(Settings):
    """How much a random search draws."""

    trials: int = Field(ge=1, le=MAX_TRIALS, description="Number of trials drawn.")


class RandomSearch(Settings):
    """Each trial draws each of its parameters independently."""

    random: RandomTrials = Field(description="{trials: ...}")


class Rungs(Settings):
    """How fast successive halving thins out the trials of a grid."""

    factor: int = Field(
        default=3, ge=2, le=100, description="One in so many trials survives each rung."
    )
    rungs: int = Field(
        default=3, ge=2, le=20, description="Stages that the iterations are cut into."
    )


class HalvingSearch(Settings):
    """A grid whose losing trials are dropped on the way."""

    halving: Rungs = Field(description="{factor: ..., rungs: ...}")


def _axis_form(axis: object) -> str | None:
    if isinstance(axis, list):
        return "values"
    return "range" if isinstance(axis, dict | Range) else None


Axis: TypeAlias = Annotated[
    Annotated[list[Any], Field(min_length=1, max_length=MAX_VALUES), Tag("values")]
    | Annotated[Range, Tag("range")],
    Discriminator(
        _axis_form,
        custom_error_type="complaint",
        custom_error_message="expected a list of values or {low: ..., high: ..., num: ...}",
    ),
]


def _search_form(search: object) -> str | None:
    if isinstance(search, RandomSearch) or (isinstance(search, dict) and "random" in search):
        return "random"
    if isinstance(search, HalvingSearch | dict):
        return "halving"
    return "grid" if search == "grid" else None


def _offer_base(schema: dict[str, Any]) -> None:
    """Add to the JSON schema what the loader replaces: ``base``, instead of ``train``."""
    base = {"type": "string", "description": "A preset or a file, instead of train."}
    schema["properties"] = {"base": base, **schema["properties"]}
    schema["required"].remove("train")
    schema["oneOf"] = [{"required": ["base"]}, {"required": ["train"]}]


class SweepConfig(Settings):
    """Everything that determines a sweep."""

    model_config = ConfigDict(json_schema_extra=_offer_base)

    train: TrainConfig = Field(description="The settings that all trials share.")
    parameters: dict[str, Axis] = Field(
        min_length=1,
        max_length=MAX_PARAMETERS,
        description="Dotted keys of settings, each with a list or {low, high, num, scale}.",
    )
    search: Annotated[
        Annotated[Literal["grid"], Tag("grid")]
        | Annotated[RandomSearch, Tag("random")]
        | Annotated[HalvingSearch, Tag("halving")],
        Discriminator(
            _search_form,
            custom_error_type="complaint",
            custom_error_message="expected grid, {random: {trials: ...}} or {halving: {...}}",
        ),
    ] = Field(
        default="grid", description="grid, {random: {trials: ...}}, {halving: {factor, rungs}}."
    )
    metric: Literal["validation_accuracy", "validation_loss"] = Field(
        default="validation_accuracy", description="What the best trial is best in."
    )
    select: Literal["best", "simplest"] = Field(
        default="best",
        description="Which trial goes to best/: the best one; simplest: of those within one "
        "standard error of it, the most regularised one.",
    )
    folds: int = Field(
        default=1,
        ge=1,
        le=MAX_FOLDS,
        description="1: the validation images decide; k > 1: k-fold cross-validation.",
    )
    seed: Seed = Field(default=0, description="Source of what a random search draws.")

    @model_validator(mode="after")
    def _halving_needs_steps_that_compare(self) -> Self:
        if self.train.optimizer.method == "lbfgs" and isinstance(self.search, HalvingSearch):
            raise complaint(
                "expected grid or random with the method lbfgs, got halving: how good a trial is "
                "shows at its optimum, and each takes its own number of iterations to it",
                "search",
            )
        return self

    @model_validator(mode="after")
    def _simplest_needs_a_standard_error(self) -> Self:
        if self.select == "simplest" and self.metric == "validation_loss" and self.folds == 1:
            raise complaint(
                "expected best with validation_loss and 1 fold, whose standard error is not known, "
                "got simplest",
                "select",
            )
        return self

    def unwritten(self) -> Collection[str]:
        """The selection that sweeps had before they could choose."""
        return ("select",) if self.select == "best" else ()
