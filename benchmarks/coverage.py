"""How often intervals hold a truth that is known: ``python -m benchmarks.coverage``.

A population of images is made with the scores of two models on each. Its figures are the truth.
Data sets of n images are drawn from it, with replacement, and each gives the intervals that
``softmax evaluate`` and ``softmax compare`` would show. For McNemar's test under the null
hypothesis the two models change places on each image by a coin toss: then they are equally good.
"""

import argparse
from collections import Counter
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from softmax_cli.arrays import Floats, Labels
from softmax_cli.evaluation.calibration import calibration_error_of_sample, reliability
from softmax_cli.evaluation.intervals import (
    Interval,
    bootstrap,
    percentile_interval,
    upward_biased_interval,
    wilson_interval,
)
from softmax_cli.evaluation.metrics import predictions
from softmax_cli.evaluation.paired import SIGNIFICANCE, PairedDifference, mcnemar_p_value
from softmax_cli.model.softmax_loss import SOFTMAX

_POPULATION = 200_000
_CLASSES = 10
_SIGNAL = 1.25
"""How far the score of the true class lies above the others, in their standard deviations."""
_SCALE = 1.45
"""Of the scores: above 1.25 the probabilities are surer than right, by about 5 points here."""


@dataclass(frozen=True, eq=False)
class Population:
    """All images there are.

    Attributes:
        labels: (n,).
        scores: of the first model, (n, C).
        hits: of both models, (2, n).
        losses: of both models, (2, n).
    """

    labels: Labels
    scores: Floats
    hits: NDArray[np.bool_]
    losses: Floats

    @classmethod
    def make(cls, generator: np.random.Generator) -> "Population":
        """Scores of two models that agree on most images; the second is a little better."""
        labels = generator.integers(_CLASSES, size=_POPULATION)
        first = generator.normal(size=(_POPULATION, _CLASSES))
        first[np.arange(_POPULATION), labels] += _SIGNAL
        second = first + generator.normal(scale=0.4, size=first.shape)
        second[np.arange(_POPULATION), labels] += 0.15
        both = [(_SCALE * scores).astype(np.float32) for scores in (first, second)]
        return cls(
            labels,
            both[0],
            np.stack([predictions(scores) == labels for scores in both]),
            np.stack([SOFTMAX.of_each(scores, labels) for scores in both]),
        )

    def truth(self) -> dict[str, float]:
        """The figures of the whole."""
        return {
            "accuracy": float(self.hits[0].mean()),
            "recall": float(self.hits[0][self.labels == 0].mean()),
            "loss": float(self.losses[0].mean()),
            "calibration error": reliability(self.scores, self.labels).expected_calibration_error,
            "paired difference of accuracies": float(np.subtract(*self.hits[::-1].mean(axis=1))),
            "paired difference of losses": float(np.subtract(*self.losses[::-1].mean(axis=1))),
        }

    def intervals(self, drawn: NDArray[np.int64], resamples: int) -> dict[str, Interval]:
        """What one data set says about each of them."""
        labels, hits, losses = self.labels[drawn], self.hits[:, drawn], self.losses[:, drawn]
        recalled = hits[0][labels == 0]
        error = calibration_error_of_sample(self.scores[drawn], labels)
        table = np.stack([losses[0], losses[1] - losses[0]], axis=1) / len(drawn)
        resampled = bootstrap(
            lambda times: np.append(times @ table, error(times)), len(drawn), resamples=resamples
        ).T
        return {
            "accuracy": wilson_interval(int(hits[0].sum()), len(drawn)),
            "recall": wilson_interval(int(recalled.sum()), len(recalled)),
            "loss": percentile_interval(resampled[0]),
            "calibration error": upward_biased_interval(error(np.ones(len(drawn))), resampled[2]),
            "paired difference of accuracies": PairedDifference.of_hits(hits[0], hits[1]).interval,
            "paired difference of losses": percentile_interval(resampled[1]),
        }


def simulate(images: int, data_sets: int, resamples: int, seed: int = 0) -> dict[str, float]:
    """Share of data sets whose intervals hold the truth; and of p values below 5 % under the null.

    Args:
        images: n, of each data set.
        data_sets: how many.
        resamples: of each bootstrap.
        seed: of everything.
    """
    generator = np.random.default_rng(seed)
    population = Population.make(generator)
    truth = population.truth()
    held: Counter[str] = Counter(dict.fromkeys(truth, 0))
    refused = 0
    for _ in range(data_sets):
        drawn = generator.integers(_POPULATION, size=images)
        for name, (low, high) in population.intervals(drawn, resamples).items():
            held[name] += low <= truth[name] <= high
        first, second = population.hits[:, drawn]
        differing = int(np.count_nonzero(first != second))
        gained = int(generator.binomial(differing, 0.5))
        refused += mcnemar_p_value(gained, differing - gained) < SIGNIFICANCE
    return {
        **{name: count / data_sets for name, count in held.items()},
        "McNemar below 5 % under the null": refused / data_sets,
    }


def main() -> None:
    """Simulate, and print a table in Markdown."""
    parser = argparse.ArgumentParser(description="Coverage of the intervals, by simulation.")
    parser.add_argument("--images", type=int, nargs="+", default=[1000, 10_000])
    parser.add_argument("--data-sets", type=int, default=1000)
    parser.add_argument("--resamples", type=int, default=1000)
    arguments = parser.parse_args()
    found = {n: simulate(n, arguments.data_sets, arguments.resamples) for n in arguments.images}
    print(
        f"| {arguments.data_sets:,} data sets each | "
        + " | ".join(f"n = {n:,}" for n in found)
        + " |"
    )
    print("| --- |" + " ---: |" * len(found))
    for name in next(iter(found.values())):
        print(f"| {name} | " + " | ".join(f"{100 * f[name]:.1f} %" for f in found.values()) + " |")


if __name__ == "__main__":
    main()
