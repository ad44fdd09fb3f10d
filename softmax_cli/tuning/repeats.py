"""Trials that differ in their seeds alone are repeats of one setting, which goes by their mean."""

import json
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from softmax_cli.runs.tables import SweepResults
from softmax_cli.tuning.outcomes import MEASURES, Metric, Outcome, greatest, ranked

SEED_KEYS = ("seed", "model.weight_seed")
"""Parameters that make a repeat, not another setting."""


@dataclass(frozen=True)
class Setting:
    """The repeats of one setting; most often there is one.

    Attributes:
        mean: of one repeat itself; of several the mean figures, under the id of the first and
            without the seeds, with standard deviations over the repeats and the greatest distance
            from the optimum. If any of them has no figures, neither has the setting.
        repeats: the trials, by their seeds.
    """

    mean: Outcome
    repeats: tuple[Outcome, ...]

    @property
    def representative(self) -> Outcome:
        """The repeat that stands for all: the first with figures. The best would be a lucky one."""
        return next((repeat for repeat in self.repeats if repeat.has_figures), self.repeats[0])


def setting_key(parameters: Mapping[str, Any]) -> str:
    """What is equal for the parameters of repeats, and differs otherwise."""
    others = {key: value for key, value in parameters.items() if key not in SEED_KEYS}
    return json.dumps(others, sort_keys=True)


def ranked_settings(outcomes: Iterable[Outcome], metric: Metric) -> list[Setting]:
    """Put repeats together; best setting first, as :func:`ranked` orders trials."""
    groups: dict[str, list[Outcome]] = {}
    for outcome in outcomes:
        has_seeds = not outcome.parameters.keys().isdisjoint(SEED_KEYS)
        key = setting_key(outcome.parameters) if has_seeds else outcome.id
        groups.setdefault(key, []).append(outcome)
    settings = {setting.mean.id: setting for setting in map(_setting, groups.values())}
    return [settings[mean.id] for mean in ranked((s.mean for s in settings.values()), metric)]


def pooled(results: SweepResults) -> SweepResults:
    """The rows of ``results.csv`` with the mean of each setting in place of its repeats.

    Where nothing but seeds was varied, the repeats are all there is to show: best first.
    """
    if results.parameters.keys().isdisjoint(SEED_KEYS):
        return results
    groups: dict[str, list[int]] = {}
    for row in range(len(results.validation_accuracies)):
        parameters = {key: column[row] for key, column in results.parameters.items()}
        groups.setdefault(setting_key(parameters), []).append(row)
    firsts = [rows[0] for rows in groups.values()]
    others = {key: c for key, c in results.parameters.items() if key not in SEED_KEYS}
    if not others:
        return _best_first(results)
    accuracies = np.array(results.validation_accuracies)
    intervals = np.array(results.intervals).reshape(-1, 2)
    return SweepResults(
        {key: [column[row] for row in firsts] for key, column in others.items()},
        [float(accuracies[rows].mean()) for rows in groups.values()],
        [
            (float(low), float(high))
            for low, high in (intervals[r].mean(0) for r in groups.values())
        ],
        [results.within_noise[row] for row in firsts],
    )


def _best_first(results: SweepResults) -> SweepResults:
    accuracies = results.validation_accuracies
    order = np.argsort(-np.nan_to_num(accuracies, nan=-1.0), kind="stable").tolist()
    return SweepResults(
        {key: [column[row] for row in order] for key, column in results.parameters.items()},
        [accuracies[row] for row in order],
        [results.intervals[row] for row in order],
        [False] * len(order),
    )


def _setting(outcomes: Sequence[Outcome]) -> Setting:
    repeats = tuple(sorted(outcomes, key=_seeds))
    return Setting(repeats[0] if len(repeats) == 1 else _mean(repeats), repeats)


def _seeds(outcome: Outcome) -> tuple[Any, ...]:
    values = [outcome.parameters.get(key) for key in SEED_KEYS]
    return (*((-1 if value is None else value) for value in values), outcome.id)


def _mean(repeats: tuple[Outcome, ...]) -> Outcome:
    first = repeats[0]
    lost = [repeat for repeat in repeats if not repeat.has_figures]
    parameters = {key: v for key, v in first.parameters.items() if key not in SEED_KEYS}
    columns = {name: np.array([getattr(r, name) for r in repeats]) for name in MEASURES}
    if lost:
        columns = {name: np.full(len(repeats), math.nan) for name in MEASURES}
    means: dict[str, Any] = {name: float(column.mean()) for name, column in columns.items()}
    folds = [repeat.fold_accuracies for repeat in repeats]
    converged = [repeat.converged for repeat in repeats]
    return replace(
        first,
        parameters=parameters,
        status=lost[0].status if lost else first.status,
        iterations=max(repeat.iterations for repeat in repeats),
        **means,
        validation_accuracy_std=float(columns["validation_accuracy"].std(ddof=1)),
        validation_loss_std=float(columns["validation_loss"].std(ddof=1)),
        seconds=sum(repeat.seconds for repeat in repeats),
        gradient_norm=greatest([repeat.gradient_norm for repeat in repeats]),
        optimality_bound=greatest([repeat.optimality_bound for repeat in repeats]),
        converged=None if None in converged else all(converged),
        hits=None,
        fold_accuracies=(
            None if lost or None in folds else tuple(np.mean(np.array(folds), axis=0).tolist())
        ),
    )
