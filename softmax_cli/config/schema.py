"""The settings of a training: a section each in ``data_schema``, ``feature_schema`` and so on.

A field's dotted name (``optimizer.learning_rate``) is its key in the YAML file, on the command
line, as an axis of a sweep and as a column of the results.
"""

from collections.abc import Collection
from typing import Annotated, Any, Self

from pydantic import (
    BeforeValidator,
    Field,
    SerializerFunctionWrapHandler,
    model_serializer,
    model_validator,
)

from softmax_cli.config.data_schema import DataSettings
from softmax_cli.config.feature_schema import FeatureKind, FeatureSettings, PixelFeatures
from softmax_cli.config.model_schema import Annealing, ModelSettings
from softmax_cli.config.optimizer_schema import OptimizerSettings, foreign_keys
from softmax_cli.config.preprocessing_schema import AugmentationSettings, PreprocessingSettings
from softmax_cli.config.problems import shown
from softmax_cli.config.settings import Seed, Settings, complaint, named_kind, without
from softmax_cli.config.training_schema import TrainingSettings


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
            for section, keys in foreign_keys(method).items()
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

    def unwritten(self) -> Collection[str]:
        """Features that are pixels."""
        return ("features",) if self.features == PixelFeatures() else ()

    @model_serializer(mode="wrap")
    def _without_foreign_keys(self, serialize: SerializerFunctionWrapHandler) -> dict[str, Any]:
        """Leave out what means nothing to the method, in all sections."""
        values = without(serialize(self), self.unwritten())
        foreign = foreign_keys(self.optimizer.method)
        return {
            key: without(value, foreign[key]) if key in foreign else value
            for key, value in values.items()
        }
