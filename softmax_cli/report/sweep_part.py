"""The part of a report about a sweep: the table of its trials, the heat map, the best run."""

from collections.abc import Sequence
from pathlib import Path

from softmax_cli.config.sweep_loading import load_sweep_config
from softmax_cli.config.sweep_schema import SweepConfig
from softmax_cli.features.cache import ExtractionObserver
from softmax_cli.report.drawings import draw_results
from softmax_cli.report.inline import figure_uri
from softmax_cli.report.parts import (
    Cell,
    Fact,
    Note,
    Picture,
    Reading,
    RunPart,
    Table,
    number_cell,
    percent_cell,
    percent_fact,
    value_cell,
)
from softmax_cli.report.reproduction import sweep_again
from softmax_cli.report.training_part import training_part
from softmax_cli.runs.directory import RunDirectory, open_run_directory, resume_command
from softmax_cli.runs.text import read_text
from softmax_cli.tuning.noise import accuracy_interval, within_noise
from softmax_cli.tuning.outcome_log import recorded_outcomes
from softmax_cli.tuning.outcomes import Outcome
from softmax_cli.tuning.repeats import Setting, ranked_settings
from softmax_cli.tuning.trials import make_trials

MAX_ROWS = 500
"""Of the table of trials; a sweep of more shows the best of them."""

_FIGURES = ("validation accuracy", "validation loss", "training accuracy", "training loss")
_PROVEN = ("largest gradient", "above optimum")
"""Columns where the distance from the optimum is known of any trial."""


def sweep_part(
    run: RunDirectory, data_dir: Path | None, observer: ExtractionObserver | None
) -> Reading:
    """All that is known of a sweep and of its best run.

    Arguments are those of :func:`~softmax_cli.report.training_part.training_part`.

    Raises:
        ModelError: a file of the sweep, or of its best run, is not intact.
        CheckpointError: ``trials.jsonl`` is not intact.
        ConfigurationError: the settings are not valid.
    """
    sweep = load_sweep_config(str(run.settings_file))
    trials = {trial.id for trial in make_trials(sweep)}
    outcomes = [outcome for outcome in recorded_outcomes(run.path) if outcome.id in trials]
    settings = ranked_settings(outcomes, sweep.metric)
    notes: list[Note] = []
    is_finished = (run.path / "results.csv").is_file() and len(outcomes) >= len(trials)
    if not is_finished:
        text = f"{len(outcomes):,} of {len(trials):,} trials are done."
        notes.append(Note(text, resume_command("sweep", run.path)))
    best: Reading | None = None
    if (run.path / "best").is_dir():
        opened = open_run_directory(run.path / "best", kind="train")
        best = training_part(opened, data_dir, observer)
    elif is_finished:
        notes.append(Note("There is no best run: no trial came to its end with finite figures."))
    noise = within_noise(settings)
    model, evaluation = (best.model, best.evaluation) if best else (None, None)
    part = RunPart(
        path=str(run.path),
        kind="sweep",
        status="finished" if is_finished else "not finished",
        facts=_facts(sweep, outcomes, settings, noise),
        notes=notes,
        trials=_table(sweep, settings, noise) if settings else None,
        pictures=_heatmap(run, len(outcomes)) if is_finished else [],
        reproduction=sweep_again(
            read_text(run.settings_file),
            sweep.train.data.dataset,
            model=model,
            evaluation=evaluation,
        ),
        best=best.part if best else None,
    )
    return Reading(part, model, evaluation)


def _facts(
    sweep: SweepConfig,
    outcomes: Sequence[Outcome],
    settings: Sequence[Setting],
    noise: Sequence[bool | None],
) -> list[Fact]:
    facts = [Fact("data set", sweep.train.data.dataset), Fact("trials", f"{len(outcomes):,}")]
    if len(settings) < len(outcomes):
        facts.append(Fact("settings", f"{len(settings):,}"))
    for status in ("diverged", "failed"):
        count = sum(outcome.status == status for outcome in outcomes)
        if count:
            facts.append(Fact(status, f"{count:,}"))
    if settings and settings[0].mean.has_figures:
        mean = settings[0].mean
        interval = accuracy_interval(mean)
        facts.append(percent_fact("best validation accuracy", mean.validation_accuracy, interval))
    if any(like is not None for like in noise[1:]):
        facts.append(Fact("within noise of the best", f"{sum(map(bool, noise))} of {len(noise)}"))
    facts.append(Fact("time", f"{sum(outcome.seconds for outcome in outcomes):.1f} s"))
    return facts


def _heatmap(run: RunDirectory, trials: int) -> list[Picture]:
    text = f"Validation accuracy of {trials:,} trials over what was varied. The table has it, too."
    return [Picture("heatmap", figure_uri(draw_results(run)), text)]


def _table(sweep: SweepConfig, settings: Sequence[Setting], noise: Sequence[bool | None]) -> Table:
    keys = [key for key in sweep.parameters if any(key in s.mean.parameters for s in settings)]
    has_repeats = any(len(setting.repeats) > 1 for setting in settings)
    is_proven = any(setting.mean.gradient_norm is not None for setting in settings)
    shown = settings[:MAX_ROWS]
    what = "Settings, by the mean of their seeds" if has_repeats else "Trials"
    caption = f"{what}, best first"
    if len(settings) > len(shown):
        caption += f"; the best {len(shown):,} of {len(settings):,}, all are in results.csv"
    columns = [
        ("rank", True),
        *((key, _is_numeric(shown, key)) for key in keys),
        *((name, True) for name in _FIGURES),
        *((name, True) for name in _PROVEN if is_proven),
        *([("seeds", True)] if has_repeats else []),
        ("status", False),
    ]
    marked = frozenset(row for row, like in enumerate(noise[:MAX_ROWS]) if like)
    return Table(
        caption,
        [name for name, _ in columns],
        [
            _row(rank, keys, setting, has_repeats=has_repeats, is_proven=is_proven)
            for rank, setting in enumerate(shown, start=1)
        ],
        is_number=[is_number for _, is_number in columns],
        marked=marked if any(noise[1:]) else frozenset(),
    )


def _is_numeric(settings: Sequence[Setting], key: str) -> bool:
    cells = (value_cell(setting.mean.parameters.get(key)) for setting in settings)
    return all(cell.value is not None for cell in cells)


def _row(
    rank: int, keys: Sequence[str], setting: Setting, *, has_repeats: bool, is_proven: bool
) -> list[Cell]:
    outcome = setting.mean
    seeds = [Cell(str(len(setting.repeats)), len(setting.repeats))] if has_repeats else []
    return [
        Cell(str(rank), rank) if outcome.has_figures else Cell("-"),
        *(value_cell(outcome.parameters.get(key)) for key in keys),
        *(_figures(outcome) if outcome.has_figures else [Cell("-")] * len(_FIGURES)),
        *(_proven(outcome) if is_proven else []),
        *seeds,
        Cell(outcome.status),
    ]


def _proven(outcome: Outcome) -> list[Cell]:
    values = (outcome.gradient_norm, outcome.optimality_bound)
    return [Cell("-") if value is None else Cell(f"{value:.1e}", value) for value in values]


def _figures(outcome: Outcome) -> list[Cell]:
    accuracy = percent_cell(outcome.validation_accuracy, accuracy_interval(outcome))
    if outcome.validation_accuracy_std:
        deviation = f" ± {100 * outcome.validation_accuracy_std:.2f}"
        accuracy = Cell(accuracy.text + deviation, accuracy.value, accuracy.interval)
    return [
        accuracy,
        number_cell(outcome.validation_loss),
        percent_cell(outcome.train_accuracy),
        number_cell(outcome.train_loss),
    ]
