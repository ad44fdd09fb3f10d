"""What the sections of settings are made of: their base class, bounded numbers, complaints.

Types are strict: ``"0.1"`` and ``true`` are no numbers, 200.0 is no whole number, but 1 may stand
where 1.0 is expected. Arithmetic is done in float32, so numbers beyond 1e30 are refused here
instead of overflowing there.
"""

from collections.abc import Callable, Collection
from typing import Annotated, Any, TypeAlias

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    SerializerFunctionWrapHandler,
    model_serializer,
)
from pydantic_core import PydanticCustomError

from softmax_cli.config.problems import shown

MOST_ITERATIONS = 100_000_000
LARGEST_NUMBER = 1e30


def _without_negative_zero(number: float) -> float:
    """Make -0.0 the 0.0 it equals, so that equal settings are written and digested alike."""
    return number + 0.0


PLAIN_ZERO = AfterValidator(_without_negative_zero)

NonNegative: TypeAlias = Annotated[float, Field(ge=0, le=LARGEST_NUMBER), PLAIN_ZERO]
Fraction: TypeAlias = Annotated[float, Field(ge=0, le=1), PLAIN_ZERO]
PositiveFraction: TypeAlias = Annotated[float, Field(gt=0, le=1)]
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

    def unwritten(self) -> Collection[str]:
        """Keys that are left out when these settings are written, since they say nothing.

        What is newer than the first settings is among them while it has its default: so settings
        keep the digests that they had before.
        """
        return ()

    @model_serializer(mode="wrap")
    def _without_unwritten(self, serialize: SerializerFunctionWrapHandler) -> dict[str, Any]:
        values: dict[str, Any] = serialize(self)
        return without(values, self.unwritten())


def without(values: dict[str, Any], keys: Collection[str]) -> dict[str, Any]:
    """Values without some keys, which need not be there."""
    return {key: value for key, value in values.items() if key not in keys}
