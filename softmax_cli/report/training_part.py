"""The part of a report about a training: its figures, its curves, its templates."""

from pathlib import Path
from typing import Any

from softmax_cli.config.loading import load_train_config
from softmax_cli.config.schema import TrainConfig
from softmax_cli.config.writing import to_yaml
from softmax_cli.evaluation.intervals import Interval, share_interval
from softmax_cli.evaluation.predictor import (
    load_saved_model,
    pixel_weights,
    sees_pictures,
    settings_of,
)
from softmax_cli.features.cache import ExtractionObserver
from softmax_cli.report.drawings import draw_history, draw_weights
from softmax_cli.report.evaluation_part import evaluation_part
from softmax_cli.report.inline import figure_uri, png_uri
from softmax_cli.report.parts import (
    Fact,
    Note,
    Picture,
    Reading,
    RunPart,
    Thumbnail,
    number_fact,
    percent_fact,
)
from softmax_cli.report.reproduction import training_again
from softmax_cli.runs.directory import RunDirectory, resume_command
from softmax_cli.runs.model_file import SavedModel
from softmax_cli.runs.text import read_text
from softmax_cli.training.results import DIVERGENCE_HINTS, TrainingSummary, finished_summary

_WEIGHTS = {
    "weights": "Edges that speak for each class, and those that speak against it.",
    "dictionary": "The patches that the model compares images with.",
    "patches": "The patches that speak most for each class, and most against it.",
}


def training_part(
    run: RunDirectory, data_dir: Path | None, observer: ExtractionObserver | None
) -> Reading:
    """All that is known of a training.

    Args:
        run: its directory.
        data_dir: where the data set is; None looks where training found it.
        observer: is told of features that take long to compute.

    Raises:
        ModelError: a file of the run is not intact.
        ConfigurationError: its settings are not valid.
    """
    notes: list[Note] = []
    summary = finished_summary(run)
    model = load_saved_model(run.path) if run.model_file.is_file() else None
    settings, config = _settings(run, model)
    evaluation, document = None, None
    if model is not None:
        evaluation, document = evaluation_part(run.path, model, data_dir, observer, notes)
    status = _status(run, config, summary, model, notes)
    part = RunPart(
        path=str(run.path),
        kind="training",
        status=status,
        facts=_facts(config, summary, model),
        notes=notes,
        pictures=_curves(run, notes),
        templates=_templates(model),
        weights=_weights(model, notes),
        evaluation=evaluation,
        reproduction=training_again(
            settings,
            config.data.dataset,
            run=run,
            file=run.model_file,
            model=model,
            evaluation=document,
        ),
    )
    return Reading(part, model, document)


def model_part(file: Path) -> Reading:
    """All that a model file alone says.

    Raises:
        ModelError: it is not intact, or its settings are not valid.
    """
    model = load_saved_model(file)
    config = settings_of(model)
    notes: list[Note] = []
    part = RunPart(
        path=str(file),
        kind="model",
        status="a model file, without the run that it comes from",
        facts=_facts(config, None, model),
        templates=_templates(model),
        weights=_weights(model, notes),
        notes=notes,
        reproduction=training_again(
            to_yaml(config), config.data.dataset, run=None, file=file, model=model, evaluation=None
        ),
    )
    return Reading(part, model, None)


def _settings(run: RunDirectory, model: SavedModel | None) -> tuple[str, TrainConfig]:
    """The text of the settings and what it means; those of the model if there is no other."""
    if model is not None and not run.settings_file.is_file():
        config = settings_of(model)
        return to_yaml(config), config
    return read_text(run.settings_file), load_train_config(str(run.settings_file))


def _status(
    run: RunDirectory,
    config: TrainConfig,
    summary: TrainingSummary | None,
    model: SavedModel | None,
    notes: list[Note],
) -> str:
    if summary is None:
        if model is not None:
            return "a model, without the summary of its training"
        notes.append(
            Note("The training has not come to its end.", resume_command("train", run.path))
        )
        return "not finished"
    if summary.diverged:
        notes.append(
            Note(
                f"The loss was no longer finite after {summary.iterations:,} iterations, so there "
                f"is no model. {DIVERGENCE_HINTS[config.optimizer.method]}"
            )
        )
        return "diverged"
    if summary.converged is False:
        notes.append(
            Note(
                f"The gradient did not reach optimizer.tolerance, {config.optimizer.tolerance:g}: "
                "raise optimizer.max_iterations, or the tolerance."
            )
        )
    return "stopped early" if summary.stopped_early else "finished"


def _facts(
    config: TrainConfig, summary: TrainingSummary | None, model: SavedModel | None
) -> list[Fact]:
    """Figures on training and validation images: of the summary, or else of the model file."""
    facts = [Fact("data set", config.data.dataset), Fact("loss function", config.model.loss)]
    figures: dict[str, Any] = model.results if model else {}
    for split in ("validation", "train"):
        accuracy, loss = figures.get(f"{split}_accuracy"), figures.get(f"{split}_loss")
        name = {"validation": "validation", "train": "training"}[split]
        if isinstance(accuracy, float):
            written = summary.validation_accuracy_interval if summary else None
            interval = _interval(config, accuracy, written) if split == "validation" else None
            facts.append(percent_fact(f"{name} accuracy", accuracy, interval))
        if isinstance(loss, float):
            facts.append(number_fact(f"{name} loss", loss))
    if summary is not None:
        best = summary.best_validation_accuracy
        if best is not None:
            name = f"best validation accuracy, after {summary.best_iteration:,} iterations"
            written = summary.best_validation_accuracy_interval
            facts.append(percent_fact(name, best, _interval(config, best, written)))
        facts += _proven(summary)
        facts.append(Fact("iterations", f"{summary.iterations:,}"))
        facts.append(Fact("time", f"{summary.seconds:.1f} s"))
    elif isinstance(figures.get("iteration"), int):
        facts.append(Fact("iterations", f"{figures['iteration']:,}"))
    return facts


def _proven(summary: TrainingSummary) -> list[Fact]:
    """How far the model is from the optimum, where that was asked for."""
    figures = {
        "objective": (summary.objective, ".6f"),
        "above its minimum, at most": (summary.optimality_bound, ".1e"),
        "largest gradient": (summary.gradient_norm, ".1e"),
    }
    return [
        Fact(name, format(value, form))
        for name, (value, form) in figures.items()
        if value is not None
    ]


def _interval(config: TrainConfig, accuracy: float, written: Interval | None) -> Interval | None:
    """As the summary has it, or else by what the settings say of the validation images."""
    if written is not None:
        return written
    is_file = config.data.validation is not None
    return None if is_file else share_interval(accuracy, config.data.validation_size)


def _curves(run: RunDirectory, notes: list[Note]) -> list[Picture]:
    figure = draw_history(run) if (run.path / "metrics.csv").is_file() else None
    if figure is None:
        notes.append(Note("There are no curves: no validation was recorded."))
        return []
    text = "Loss, accuracy and learning rate over the iterations, as metrics.csv has them."
    return [Picture("curves", figure_uri(figure), text)]


def _weights(model: SavedModel | None, notes: list[Note]) -> list[Picture]:
    """Pictures of weights that pixels do not meet."""
    if model is None or pixel_weights(model) is not None:
        return []
    if not sees_pictures(model):
        notes.append(Note("The weights are not drawn: the model's features are no pictures."))
    return [
        Picture(name, figure_uri(figure), _WEIGHTS[name])
        for name, figure in draw_weights(model, "global").items()
    ]


def _templates(model: SavedModel | None) -> list[Thumbnail]:
    """What each class looks like, where weights are those of pixels."""
    from softmax_cli.plots.templates import template_images

    weights = None if model is None else pixel_weights(model)
    if model is None or weights is None:
        return []
    images = template_images(weights, "global")
    return [
        Thumbnail(png_uri(image), (name,))
        for image, name in zip(images, model.class_names, strict=True)
    ]
