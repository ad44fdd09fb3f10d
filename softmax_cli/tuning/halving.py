"""Successive halving: all trials start, and after each rung only the best fraction is kept.

Jamieson and Talwalkar, Non-stochastic Best Arm Identification and Hyperparameter Optimization,
2016. Nothing is trained twice: dropped trials leave the stack, and its matrices shrink.
"""

from collections.abc import Sequence
from collections.abc import Set as AbstractSet

import numpy as np

from softmax_cli.config.sweep_schema import Rungs
from softmax_cli.training.state import select_members
from softmax_cli.tuning.outcomes import Metric, Outcome
from softmax_cli.tuning.repeats import ranked_settings
from softmax_cli.tuning.stack_run import StackResult, StackTask
from softmax_cli.tuning.stacks import Stack


def rung_end(iterations: int, rung: int, settings: Rungs) -> int:
    """Steps done at the end of a rung, counted from 0; the last rung ends with the training."""
    shrunk = settings.factor ** (settings.rungs - 1 - rung)
    return -(-iterations // int(shrunk))


def survivors(outcomes: Sequence[Outcome], factor: int, metric: Metric) -> set[str]:
    """Ids of the best ``1/factor`` of the settings, at least one, but none that has no figures."""
    settings = ranked_settings(outcomes, metric)
    best = settings[: max(len(settings) // factor, 1)]
    return {repeat.id for s in best if s.mean.has_figures for repeat in s.repeats}


def narrowed(stack: Stack, result: StackResult, keep: AbstractSet[str]) -> StackTask | None:
    """The rest of a stack's training with some of its trials only; None if none is left."""
    places = [place for place, trial in enumerate(stack.trials) if trial.id in keep]
    if not places:
        return None
    members = [place * stack.folds + fold for place in places for fold in range(stack.folds)]
    return StackTask(
        Stack(tuple(stack.trials[place] for place in places), stack.folds),
        state=select_members(result.state, np.array(members)),
    )


def share_of_steps(trials: int, iterations: int, settings: Rungs) -> float:
    """Steps of all trials together, as a fraction of what they would be without halving."""
    done, start, left = 0, 0, trials
    for rung in range(settings.rungs):
        end = rung_end(iterations, rung, settings)
        done += left * (end - start)
        start, left = end, max(left // settings.factor, 1)
    return done / (trials * iterations)
