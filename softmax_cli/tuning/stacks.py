"""Which trials are trained side by side.

Trials whose settings differ only in what a stack keeps as a vector share a stack. How they fall
into stacks depends on the trials alone: not on their order, nor on how many workers there are.
"""

import hashlib
import itertools
import json
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from softmax_cli.config.schema import TrainConfig
from softmax_cli.config.writing import plain_values
from softmax_cli.tuning.trials import Trial

MAX_STACK_MODELS = 64
"""Models in a stack; beyond, its matrices outgrow the processor's caches and nothing is gained."""

_VECTORS = {
    "model": ("temperature", "weight_scale", "weight_seed"),
    "optimizer": ("learning_rate", "schedule", "momentum", "regularization"),
}
"""Settings that may differ inside a stack."""


@dataclass(frozen=True)
class Stack:
    """Trials that are trained side by side, each as ``folds`` models.

    Attributes:
        trials: in the order of their ids, which fixes the columns of the matrices.
        folds: models of each trial.
    """

    trials: tuple[Trial, ...]
    folds: int

    @property
    def id(self) -> str:
        """Identity: that of its trials and folds."""
        text = ",".join([*(trial.id for trial in self.trials), str(self.folds)])
        return hashlib.sha256(text.encode()).hexdigest()[:12]

    @property
    def models(self) -> int:
        """K."""
        return len(self.trials) * self.folds

    @property
    def shared(self) -> TrainConfig:
        """The settings of the first trial: what the stack shares is the same in all."""
        return self.trials[0].config


def plan_stacks(trials: Sequence[Trial], folds: int) -> list[Stack]:
    """Group trials into stacks of similar width, at most ``MAX_STACK_MODELS`` models each."""
    groups: defaultdict[str, list[Trial]] = defaultdict(list)
    for trial in sorted(trials, key=lambda trial: trial.id):
        groups[shared_settings(trial.config)].append(trial)
    stacks = []
    for group in groups.values():
        widest = max(MAX_STACK_MODELS // folds, 1)
        count = -(-len(group) // widest)
        bounds = [len(group) * part // count for part in range(count + 1)]
        stacks += [
            Stack(tuple(group[start:stop]), folds) for start, stop in itertools.pairwise(bounds)
        ]
    return stacks


def shared_settings(config: TrainConfig) -> str:
    """What trials must agree on to share a stack, as JSON."""
    values = plain_values(config)
    for section, keys in _VECTORS.items():
        settings = values[section]
        assert isinstance(settings, dict)  # noqa: S101 - a section of settings
        for key in keys:
            settings.pop(key, None)  # a method has not all of them
    return json.dumps(values, sort_keys=True)
