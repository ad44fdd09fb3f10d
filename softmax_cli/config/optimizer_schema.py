"""The section ``optimizer``: methods, schedules of the learning rate, and what belongs to each."""

from collections.abc import Collection
from typing import Annotated, Literal, Self, TypeAlias

from pydantic import (
    BeforeValidator,
    Field,
    model_validator,
)

from softmax_cli.config.settings import (
    LARGEST_NUMBER,
    MOST_ITERATIONS,
    PLAIN_ZERO,
    Fraction,
    Iterations,
    NonNegative,
    PositiveFraction,
    Settings,
    complaint,
    named_kind,
)

DEFAULT_TOLERANCE = 1e-5
DEFAULT_MAX_ITERATIONS = 200


Warmup: TypeAlias = Annotated[
    int,
    Field(
        ge=0,
        le=MOST_ITERATIONS,
        description="First iterations, over which the learning rate grows linearly from 0.",
    ),
]
FinalFraction: TypeAlias = Annotated[
    Fraction, Field(description="Fraction of the learning rate left at the end.")
]


class ConstantSchedule(Settings):
    """The learning rate stays what it is."""

    kind: Literal["constant"]
    warmup: Warmup = 0


class CosineSchedule(Settings):
    """The learning rate falls along half a cosine until the last iteration."""

    kind: Literal["cosine"]
    warmup: Warmup = 0
    final: FinalFraction = 0.0


class LinearSchedule(Settings):
    """The learning rate falls along a straight line until the last iteration."""

    kind: Literal["linear"]
    warmup: Warmup = 0
    final: FinalFraction = 0.0


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


_METHOD_KEYS: dict[str, dict[str, tuple[str, ...]]] = {
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
    momentum: Annotated[float, Field(ge=0, lt=1), PLAIN_ZERO] = Field(
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

    def unwritten(self) -> Collection[str]:
        """What means nothing to the method; and sgd itself."""
        foreign = foreign_keys(self.method)["optimizer"]
        return ("method", *foreign) if self.method == "sgd" else foreign

    @model_validator(mode="after")
    def _nesterov_needs_momentum(self) -> Self:
        if self.nesterov and self.momentum == 0:
            raise complaint(
                "expected nesterov only with a momentum above 0, got momentum 0",
                "nesterov",
            )
        return self


def foreign_keys(method: str) -> dict[str, tuple[str, ...]]:
    """The keys of each section that mean something to another method alone."""
    (other,) = _METHOD_KEYS.keys() - {method}
    return _METHOD_KEYS[other]
