"""Which validation images the models of a stack get right."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from softmax_cli.config.schema import TrainConfig
from softmax_cli.evaluation.metrics import predictions
from softmax_cli.evaluation.scoring import score_features
from softmax_cli.features.inputs import weights_by_feature
from softmax_cli.training.trainer import Status, Trainer
from softmax_cli.training.training_data import TrainingData

_MODELS_AT_ONCE = 16


def validation_hits(
    configs: Sequence[TrainConfig], data: TrainingData, trainer: Trainer
) -> NDArray[np.bool_]:
    """Score the weights that would be saved: the last ones, or with early stopping the best ones.

    Args:
        configs: of the K models, in the order of the stack.
        data: the images.
        trainer: of that stack, where it has stopped.

    Returns:
        (K, m) for m validation images. The row of a model that diverged is all False.
    """
    source = trainer.stack if trainer.early_stopping is None else trainer.best
    mirror, labels = data.feature_map.mirror, data.validation.labels
    hits = np.zeros((len(configs), len(labels)), np.bool_)
    finite = np.flatnonzero(trainer.status != Status.DIVERGED).tolist()
    for start in range(0, len(finite), _MODELS_AT_ONCE):
        members = finite[start : start + _MODELS_AT_ONCE]
        models = [source.member(member) for member in members]
        weights = np.concatenate(
            [
                weights_by_feature(weights, mirror, configs[m].augmentation.horizontal_flip)
                for m, (weights, _) in zip(members, models, strict=True)
            ],
            axis=1,
        )  # (P, models C)
        bias = np.concatenate([bias for _, bias in models])
        scores = score_features(data.validation_features, data.standardization, weights, bias)
        for m, own in zip(members, np.split(scores, len(models), axis=1), strict=True):
            hits[m] = predictions(own) == labels
    return hits
