"""``softmax report``: one HTML file about runs."""

from pathlib import Path
from typing import Annotated

import typer

from softmax_cli.cli import options
from softmax_cli.cli.output import Output
from softmax_cli.cli.tables import FactsTable


def report(
    runs: Annotated[
        list[Path],
        typer.Argument(
            metavar="RUN...",
            parser=options.parse_path,
            help="Run directories of trainings and sweeps, or model files.",
        ),
    ],
    target: Annotated[
        Path | None,
        typer.Option(
            "--output",
            parser=options.parse_path,
            metavar="FILE",
            help="The file to write. [default: report.html in RUN; here if there are several]",
        ),
    ] = None,
    data_dir: options.DataDir = None,
    form: options.Format = options.OutputFormat.TABLE,
    threads: options.Threads = None,  # noqa: ARG001 - its callback sets them
    quiet: options.Quiet = False,
    verbose: options.Verbose = False,
) -> None:
    """Write one HTML file to read, to print and to hand in.

    It has the settings and how to run them again, figures with intervals, pictures, the table of a
    sweep and its best run, of an evaluation the classes and the surest mistakes, and of several
    runs a comparison. It needs no other file and no network. An earlier report is replaced.
    """
    from softmax_cli.cli.feature_progress import FeatureProgress
    from softmax_cli.report.comparison_part import comparison_part
    from softmax_cli.report.page import render_page
    from softmax_cli.report.reading import read_run
    from softmax_cli.runs.environment import environment
    from softmax_cli.runs.report_file import REPORT_NAME, check_report_target, write_report

    output = Output(form, quiet=quiet, verbose=verbose)
    inside = runs[0] if len(runs) == 1 and runs[0].is_dir() else Path()
    path = target or inside / REPORT_NAME
    check_report_target(path)
    with FeatureProgress(output) as progress:
        readings = [read_run(run, data_dir, progress) for run in runs]
        comparison, notes = comparison_part(readings, data_dir, progress)
    parts = [reading.part for reading in readings]
    size = write_report(path, render_page(parts, comparison, notes, environment()))
    for note in (*(note for part in parts for note in part.all_notes()), *notes):
        output.message("\n".join(filter(None, (note.text, note.command))))
    document = {
        "report": path,
        "bytes": size,
        "runs": [part.to_json() for part in parts],
        "comparison": comparison.to_json() if comparison else None,
    }
    output.result(document, lambda: FactsTable({"report": path, "size": f"{size / 1e6:.2f} MB"}))
