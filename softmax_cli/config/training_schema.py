"""The section ``training``: how long is trained, and what happens in between."""

from collections.abc import Collection
from typing import Annotated, Any, Literal, Self

from pydantic import (
    Field,
    ModelWrapValidatorHandler,
    model_validator,
)

from softmax_cli.config.settings import (
    MOST_ITERATIONS,
    Iterations,
    NonNegative,
    Settings,
    complaint,
)

DEFAULT_ITERATIONS = 3000
MAX_BATCH_SIZE = 50_000


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

    def unwritten(self) -> Collection[str]:
        """The length that is not given, and a certificate that is not asked for."""
        length = "iterations" if self.iterations is None else "epochs"
        return (length,) if self.certificate else (length, "certificate")

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
