"""``softmax predict``: classes of pictures that a model has never seen."""

import os
import shutil
import sys
from collections.abc import Iterator
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from softmax_cli.cli import options
from softmax_cli.cli.output import Output, json_text
from softmax_cli.cli.tables import cell_width, padded, printable

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from softmax_cli.data.photos import PhotoBatch
    from softmax_cli.runs.model_file import SavedModel


_WIDTH = 80
_NAME_WIDTH = 16


class PredictionFormat(StrEnum):
    """How predictions are printed."""

    TABLE = "table"
    JSON = "json"
    JSONL = "jsonl"


def predict(
    run: options.Run,
    images: Annotated[
        list[str],
        typer.Argument(
            parser=options.parse_path_text,
            metavar="IMAGE...",
            help="Image files of any size; - for standard input; .npy and .npz files of uint8 "
            "images (N, 32, 32, 3), or of features (N, D) for a model of your own features.",
        ),
    ],
    top: Annotated[
        int, typer.Option("--top", "-k", min=1, help="How many classes to name, likeliest first.")
    ] = 3,
    calibrated: Annotated[
        bool,
        typer.Option(
            "--calibrated", help="Probabilities at the temperature of `evaluate --calibrate`."
        ),
    ] = False,
    temperature: options.Temperature = None,
    form: Annotated[
        PredictionFormat,
        typer.Option(
            "--format", help="A table, one JSON document, or a line of JSON for each image."
        ),
    ] = PredictionFormat.TABLE,
    threads: options.Threads = None,  # noqa: ARG001 - its callback sets them
    quiet: options.Quiet = False,
    verbose: options.Verbose = False,
) -> None:
    """Name the classes of images, the likeliest first, with their probabilities.

    An image is cut to its middle square and reduced to 32 x 32 pixels. Files that are no images
    are reported, the others go on, and the exit code is 1. A hinge model has probabilities
    only at a temperature that is given or fitted; without one its scores are shown.
    """
    from softmax_cli.evaluation.predictor import (
        fitted_temperature,
        load_saved_model,
        own_temperature,
    )

    if images.count("-") > 1:
        raise typer.BadParameter("standard input (-) holds one image: name it once")
    if calibrated and temperature is not None:
        raise typer.BadParameter("--calibrated takes a fitted temperature: leave out --temperature")
    output = Output(
        options.OutputFormat.JSON if form is PredictionFormat.JSON else options.OutputFormat.TABLE,
        quiet=quiet,
        verbose=verbose,
    )
    model = load_saved_model(run)
    own = own_temperature(model)
    if temperature is None:
        temperature = fitted_temperature(run, model) if calibrated else own
    output.detail(f"Temperature: {temperature}")
    results = _results(model, images, top, temperature)
    if form is PredictionFormat.JSON:
        failed = _print_document(run, temperature, results, output)
    else:
        failed = _print_lines(results, output, as_json=form is PredictionFormat.JSONL)
    if failed:
        raise typer.Exit(1)


def _results(
    model: "SavedModel", images: list[str], top: int, temperature: float | None
) -> Iterator[dict[str, Any]]:
    """What is printed for each image, in order: an error, or its classes and perhaps a warning."""
    from softmax_cli.evaluation.predictor import scores_of

    for batch in _batches(model, images):
        scores = scores_of(model, batch.images)
        yield from _batch_results(batch, scores, model.class_names, top, temperature)


def _batches(model: "SavedModel", images: list[str]) -> "Iterator[PhotoBatch]":
    from softmax_cli.evaluation.predictor import sees_pictures

    if sees_pictures(model):
        from softmax_cli.data.photos import read_batches

        return read_batches(images, sys.stdin.buffer)
    from softmax_cli.data.feature_batches import read_feature_batches

    return read_feature_batches(images, len(model.weights))


def _batch_results(
    batch: "PhotoBatch",
    scores: "NDArray[np.float32]",
    class_names: tuple[str, ...],
    top: int,
    temperature: float | None,
) -> Iterator[dict[str, Any]]:
    from softmax_cli.evaluation.metrics import top_classes
    from softmax_cli.model.softmax import softmax

    best = top_classes(scores, top)
    shares = None if temperature is None else softmax(scores.astype("float64"), temperature)
    row = -1
    for name, error, warning in zip(batch.names, batch.errors, batch.warnings, strict=True):
        shown = os.fsencode(name).decode("utf-8", "backslashreplace")
        if error is not None:
            yield {"image": shown, "error": error}
            continue
        if warning is not None:
            yield {"image": shown, "warning": f"its decoder reported: {warning}"}
        row += 1
        yield {
            "image": shown,
            "classes": [
                {
                    "name": class_names[c],
                    "probability": None if shares is None else float(shares[row, c]),
                    "score": float(scores[row, c]),
                }
                for c in best[row]
            ],
        }


def _print_document(
    run: Path, temperature: float | None, results: Iterator[dict[str, Any]], output: Output
) -> bool:
    found: dict[str, list[dict[str, Any]]] = {"classes": [], "warning": [], "error": []}
    for result in results:
        kind = _kind(result)
        found[kind].append(result)
        _report(result, kind, output)
    document = {
        "run_dir": run,
        "temperature": temperature,
        "predictions": found["classes"],
        "warnings": found["warning"],
        "failures": found["error"],
    }
    output.result(document, lambda: "")
    return bool(found["error"])


def _print_lines(results: Iterator[dict[str, Any]], output: Output, *, as_json: bool) -> bool:
    """Print results as they come, failures on stderr; tell whether there were any."""
    failed = False
    width = _line_width()
    for result in results:
        kind = _kind(result)
        failed |= kind == "error"
        if kind != "classes":
            _report(result, kind, output)
        elif as_json:
            sys.stdout.write(json_text(result) + "\n")
        else:
            sys.stdout.writelines(f"{line}\n" for line in _lines(result, width))
    sys.stdout.flush()
    return failed


def _kind(result: dict[str, Any]) -> str:
    return next(kind for kind in ("classes", "warning", "error") if kind in result)


def _report(result: dict[str, Any], kind: str, output: Output) -> None:
    """Write an error on stderr, and unless quiet a warning."""
    if kind == "classes" or (kind == "warning" and output.quiet):
        return
    # Not a rich console: there may be thousands, and its import would outlast a prediction.
    line = f"{kind.title()}: {printable(result['image'])}: {printable(result[kind])}"
    sys.stderr.write(line + "\n")


def _line_width() -> int | None:
    """Width of the terminal, or what COLUMNS says; None where no terminal limits a line."""
    if os.environ.get("COLUMNS") or sys.stdout.isatty():
        return shutil.get_terminal_size().columns
    return None


def _lines(result: dict[str, Any], width: int | None) -> Iterator[str]:
    """An image and its classes on one line, or below each other where a line has no room.

    Where stdout is a terminal, of a long path the end is kept.
    """
    name = printable(result["image"])
    classes = [f"{padded(printable(c['name']), 10)} {_figure(c):>7}" for c in result["classes"]]
    beside = "  ".join(classes)
    room = (width or _WIDTH) - cell_width(beside) - 2
    if sys.stdout.isatty() and room >= _NAME_WIDTH:
        name = _end_of(name, room)
    if width is None or max(cell_width(name), _NAME_WIDTH) <= room:
        yield f"{padded(name, max(room, _NAME_WIDTH))}  {beside}"
    else:
        yield name
        yield from (f"  {line}" for line in classes)


def _end_of(text: str, width: int) -> str:
    """A text, or the end of it that fits behind an ellipsis."""
    if cell_width(text) <= width:
        return text
    while cell_width(text) >= width:
        text = text[1:]
    return f"…{text}"


def _figure(entry: dict[str, Any]) -> str:
    if entry["probability"] is None:
        return f"{entry['score']:.4g}"
    return f"{100 * entry['probability']:.2f} %"
