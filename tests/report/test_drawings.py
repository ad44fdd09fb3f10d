import json
from pathlib import Path

import numpy as np

from softmax_cli.evaluation.assessment import assess
from softmax_cli.evaluation.predictor import load_saved_model
from softmax_cli.report.drawings import (
    draw_history,
    draw_reliability,
    draw_results,
    surest_mistakes,
)
from softmax_cli.runs.directory import open_run_directory


def test_curves_have_the_interval_of_the_best_if_the_summary_has_it(trained: Path) -> None:
    run = open_run_directory(trained)
    figure = draw_history(run)
    assert figure is not None
    bars = len(figure.axes[1].containers)
    path = trained / "summary.json"
    path.write_text(
        json.dumps({**json.loads(path.read_text()), "best_validation_accuracy_interval": 1})
    )
    without = draw_history(run)
    assert without is not None
    assert len(without.axes[1].containers) == bars - 1
    header = (trained / "metrics.csv").read_text().partition("\n")[0]
    (trained / "metrics.csv").write_text(f"{header}\n")
    assert draw_history(run) is None


def test_the_results_of_a_sweep_are_drawn_under_its_name(swept: Path) -> None:
    figure = draw_results(open_run_directory(swept))
    assert figure.get_suptitle().startswith("swept")


def test_probabilities_are_those_at_the_fitted_temperature_where_there_are_no_others(
    trained: Path,
) -> None:
    assessment = assess(load_saved_model(trained), "validation")
    wrong, probabilities = surest_mistakes(assessment, None)
    labels = assessment.images.labels[wrong]
    assert (probabilities.argmax(axis=1) != labels).all()
    assert (np.diff(probabilities.max(axis=1)) <= 0).all()
    assert len(draw_reliability(assessment, None).axes) == 2
    assert len(draw_reliability(assessment, 2.0).axes) == 4
