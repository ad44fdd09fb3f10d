"""The part of a report about an evaluation: figures, classes, pictures and mistakes."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from softmax_cli.arrays import Indices
from softmax_cli.data.images import noun_of
from softmax_cli.errors import DataError, ModelError
from softmax_cli.evaluation.assessment import Assessment, assess_again, kept_evaluation
from softmax_cli.evaluation.intervals import Interval
from softmax_cli.evaluation.metrics import ClassMetrics, most_common_mistake, per_class_metrics
from softmax_cli.evaluation.predictor import (
    find_temperature,
    loss_of,
    sees_pictures,
)
from softmax_cli.features.cache import ExtractionObserver
from softmax_cli.paths import quoted
from softmax_cli.report.drawings import draw_reliability, surest_mistakes
from softmax_cli.report.inline import figure_uri, png_uri
from softmax_cli.report.parts import (
    Cell,
    EvaluationPart,
    Fact,
    Note,
    Picture,
    Table,
    Thumbnail,
    number_fact,
    percent,
    percent_cell,
    percent_fact,
)
from softmax_cli.runs.model_file import SavedModel

_HEADINGS = ("class", "{noun}", "recall", "precision", "F1", "most often taken for")


def evaluation_part(
    run: Path,
    model: SavedModel,
    data_dir: Path | None,
    observer: ExtractionObserver | None,
    notes: list[Note],
) -> tuple[EvaluationPart | None, dict[str, Any] | None]:
    """What was found of a model when it was last evaluated.

    Args:
        run: its run directory.
        model: the model.
        data_dir: where the data set is; None looks where training found it.
        observer: is told of features that take long to compute.
        notes: here is added what is missing.

    Returns:
        The part and the document of the evaluation; None twice if there was none. Without the
        images the part has the figures alone.

    Raises:
        ModelError: ``evaluation.json`` is not what this program wrote.
    """
    path = run / "evaluation.json"
    document = kept_evaluation(path, model)
    if document is None:
        notes.append(Note("The model was not evaluated.", f"softmax evaluate {quoted(run)}"))
        return None, None
    try:
        assessment = assess_again(path, model, data_dir, observer)
    except DataError as error:
        notes.append(Note(f"There are no pictures of mistakes and reliability: {error.message}."))
        assessment = None
    fitted = find_temperature(
        run, model, lambda text: notes.append(Note(f"A calibration is left out: {text}."))
    )
    shown = document if assessment is None else {**document, **assessment.to_json()}
    try:
        part = _part(shown, model, fitted, assessment)
    except (KeyError, TypeError, ValueError) as error:
        raise ModelError(f"{path} is not an evaluation", hint="Evaluate the run again.") from error
    if document["temperature"] is None and fitted is None:
        notes.append(
            Note(
                f"The model's scores are {loss_of(model).scores_are}, so there are no "
                "probabilities, and no pictures of them. A fitted temperature gives some.",
                f"softmax evaluate {quoted(run)} --calibrate",
            )
        )
    return part, document


def _part(
    document: Mapping[str, Any],
    model: SavedModel,
    fitted: float | None,
    assessment: Assessment | None,
) -> EvaluationPart:
    matrix = _matrix(document, len(model.class_names))
    noun = noun_of(is_pictures=sees_pictures(model))
    pictures = [_confusion(matrix, model.class_names, noun)]
    mistakes: list[Thumbnail] = []
    if assessment is not None and (assessment.temperature or fitted) is not None:
        reliability = figure_uri(draw_reliability(assessment, fitted))
        pictures.append(Picture("reliability", reliability, "Accuracy against confidence."))
        mistakes = _mistakes(assessment, fitted) if assessment.images.is_pictures else []
    return EvaluationPart(
        split=str(document["split"]),
        noun=noun,
        facts=_facts(document, fitted, noun),
        classes=_classes(matrix, model.class_names, noun),
        pictures=pictures,
        mistakes=mistakes,
    )


def _matrix(document: Mapping[str, Any], classes: int) -> Indices:
    matrix = np.asarray(document["confusion_matrix"])
    if matrix.shape != (classes, classes) or matrix.dtype.kind != "i" or matrix.min() < 0:
        raise ValueError(f"expected counts of {classes} classes")
    return matrix.astype(np.int64)


def _facts(document: Mapping[str, Any], fitted: float | None, noun: str) -> list[Fact]:
    facts = [
        Fact(noun, f"{document['examples']:,}"),
        _share("accuracy", document, "accuracy"),
        _share("top-5 accuracy", document, "top5_accuracy"),
        number_fact("loss", float(document["loss"]), _interval(document, "loss")),
    ]
    if document["temperature"] is not None:
        facts.append(_share("calibration error", document, "expected_calibration_error"))
        facts.append(Fact("temperature", f"{document['temperature']:g}"))
    if fitted is not None:
        facts.append(Fact("fitted temperature", f"{fitted:.4f}"))
    return facts


def _share(name: str, document: Mapping[str, Any], key: str) -> Fact:
    return percent_fact(name, float(document[key]), _interval(document, key))


def _interval(document: Mapping[str, Any], key: str) -> Interval | None:
    """The interval of a figure; None in the evaluation of a version that did not write any."""
    ends = document.get(f"{key}_interval")
    return None if ends is None else (float(ends[0]), float(ends[1]))


def _classes(matrix: Indices, names: Sequence[str], noun: str) -> Table:
    rows = [
        _class_row(metrics, matrix, index, names)
        for index, metrics in enumerate(per_class_metrics(matrix, names))
    ]
    return Table(
        "Figures of each class, with 95 % intervals",
        [heading.format(noun=noun) for heading in _HEADINGS],
        rows,
        is_number=(False, True, True, True, True, False),
    )


def _class_row(
    metrics: ClassMetrics, matrix: Indices, index: int, names: Sequence[str]
) -> list[Cell]:
    mistake = most_common_mistake(matrix, index)
    return [
        Cell(metrics.name),
        Cell(f"{metrics.support:,}", metrics.support),
        percent_cell(metrics.recall, metrics.recall_interval),
        percent_cell(metrics.precision, metrics.precision_interval),
        Cell(f"{metrics.f1:.3f}", metrics.f1),
        Cell(f"{names[mistake[0]]} ({mistake[1]})" if mistake else "-"),
    ]


def _confusion(matrix: Indices, names: Sequence[str], noun: str) -> Picture:
    from softmax_cli.plots.confusion import confusion_figure

    total = int(matrix.sum())
    share = percent(float(np.trace(matrix)) / total) if total else "none"
    text = f"Which classes {total:,} {noun} are taken for; {share} of them for their own."
    uri = figure_uri(confusion_figure(matrix, names, examples=noun))
    return Picture("confusion_matrix", uri, text)


def _mistakes(assessment: Assessment, fitted: float | None) -> list[Thumbnail]:
    from softmax_cli.plots.image_grid import images_from_rows
    from softmax_cli.plots.mistakes import whole_percent

    images = assessment.images
    wrong, probabilities = surest_mistakes(assessment, fitted)
    return [
        Thumbnail(
            png_uri(image),
            (
                f"{images.class_names[int(p.argmax())]} {whole_percent(float(p.max()))}",
                f"({images.class_names[label]} {whole_percent(float(p[label]))})",
            ),
        )
        for image, label, p in zip(
            images_from_rows(images.images[wrong]),
            images.labels[wrong].tolist(),
            probabilities,
            strict=True,
        )
    ]
