"""From results to tables on the terminal, Markdown, and the measured part of a document."""

import itertools
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, Any

from benchmarks.accuracy import Curves
from benchmarks.growth import Point
from benchmarks.results import Findings, Results
from benchmarks.step import StepTimes
from benchmarks.timing import Comparison, Figure, Goal, Measurement, Spread
from softmax_cli.errors import DataError
from softmax_cli.runs.atomic import make_directory, write_bytes, write_text

if TYPE_CHECKING:
    from rich.table import Table as RichTable

BEGIN = "<!-- measured: begin; python -m benchmarks.document writes what follows -->"
END = "<!-- measured: end -->"


@dataclass(frozen=True)
class Table:
    """Text in rows; the first column is what a row is about, the others are figures."""

    title: str
    header: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    notes: tuple[str, ...] = ()


def tables_of(results: Sequence[Results]) -> Iterator[Table]:
    """All tables of a report; the last one holds what this project has set itself."""
    for result in results:
        yield from _tables_of_group(result.findings)
    if rows := tuple(row for result in results for row in _goal_rows(result.findings)):
        yield Table("Ratios (median over the rounds)", ("ratio", "measured", "goal", ""), rows)


def _tables_of_group(findings: Findings) -> Iterator[Table]:
    for column, grouped in itertools.groupby(findings.comparisons, _shared_table):
        comparisons = list(grouped)
        if column:
            yield medians_table(comparisons)
            continue
        yield from map(comparison_table, comparisons)
    for name, curves in findings.curves.items():
        yield _curves_table(name, curves)
    for axis in dict.fromkeys(point.axis for point in findings.points):
        yield _points_table(axis, [point for point in findings.points if point.axis == axis])
    if findings.steps:
        yield steps_table(findings.steps)


def _shared_table(comparison: Comparison) -> str:
    """The title of the table that a comparison shares with others; empty if it has its own."""
    return comparison.title if comparison.column else ""


def medians_table(comparisons: Sequence[Comparison]) -> Table:
    """Medians of comparisons of the same contenders side by side."""
    names = [measured.name for measured in comparisons[0].measurements]
    columns = [
        {measured.name: seconds_text(median(measured.seconds)) for measured in each.measurements}
        for each in comparisons
    ]
    return Table(
        title=f"{comparisons[0].title} (rounds: {len(comparisons[0].measurements[0].seconds)})",
        header=("", *(comparison.column for comparison in comparisons)),
        rows=tuple((name, *(column[name] for column in columns)) for name in names),
        notes=comparisons[0].notes,
    )


def comparison_table(comparison: Comparison) -> Table:
    """Times of a comparison, each over that of its first contender."""
    base = median(comparison.measurements[0].seconds)
    judged = any(measurement.test_accuracy for measurement in comparison.measurements)
    rows = tuple(_row(measurement, base, judged=judged) for measurement in comparison.measurements)
    complaints = [f"{m.name}: {m.complaint}." for m in comparison.measurements if m.complaint]
    rounds = len(comparison.measurements[0].seconds)
    header = ("", "median", "least", "most", f"over {comparison.measurements[0].name}")
    return Table(
        title=f"{comparison.title} (rounds: {rounds})",
        header=(*header, "validation", "test") if judged else header,
        rows=rows,
        notes=(*complaints, *comparison.notes),
    )


def _row(measured: Measurement, base: float, *, judged: bool) -> tuple[str, ...]:
    spread = Spread.of(measured.seconds)
    times = (
        seconds_text(spread.median),
        seconds_text(spread.low),
        seconds_text(spread.high),
        "invalid" if measured.complaint else f"{spread.median / base:.2f}",
    )
    accuracies = (_percent(measured.validation_accuracy), _percent(measured.test_accuracy))
    return (measured.name, *times, *(accuracies if judged else ()))


def _curves_table(comparison: str, curves: Curves) -> Table:
    rows = tuple(
        (
            name,
            f"{rung.budget:g}",
            seconds_text(rung.seconds),
            _percent((rung.validation_accuracy,)),
            _percent((rung.test_accuracy,)),
        )
        for name, rungs in curves.items()
        for rung in rungs
    )
    header = ("", "budget", "time", "validation", "test")
    return Table(f"{comparison}: accuracy over time, each budget tried once", header, rows)


def _points_table(axis: str, points: Sequence[Point]) -> Table:
    rows = tuple(
        (
            f"{getattr(point.step, axis):,}",
            seconds_text(point.step.seconds.median),
            seconds_text(point.step.seconds.low),
            seconds_text(point.step.seconds.high),
            f"{point.step.ratio.median:.2f}",
            seconds_text(point.seconds_per_model),
            f"{point.peak_bytes / 1e6:.0f} MB",
        )
        for point in points
    )
    fixed = {"models": "K = {0.models}", "batch_size": "batch {0.batch_size}"}
    fixed["images"] = "{0.images:,} images"
    others = ", ".join(text.format(points[-1].step) for name, text in fixed.items() if name != axis)
    header = (axis.replace("_", " "), "step", "least", "most", "over products", "per model")
    return Table(f"Growth with {header[0]} ({others})", (*header, "peak memory"), rows)


def steps_table(steps: Sequence[StepTimes]) -> Table:
    """A training step beside its two products."""
    rows = tuple(
        (
            f"K = {step.models}",
            seconds_text(step.seconds.median),
            seconds_text(step.product_seconds.median),
            f"{step.ratio.median:.2f}",
            f"{step.ratio.low:.2f}",
            f"{step.ratio.high:.2f}",
        )
        for step in steps
    )
    header = ("", "step", "its products", "ratio", "least", "most")
    return Table("A training step beside its own two products", header, rows)


def _goal_rows(findings: Findings) -> Iterator[tuple[str, ...]]:
    for comparison in findings.comparisons:
        for goal, ratio in comparison.ratios():
            what = f"{comparison.name}: {goal.over} / {goal.under}"
            if ratio is None:
                yield what, "invalid", _bound_text(goal), ""
                continue
            yield what, f"{ratio.median:.2f}", _bound_text(goal), _verdict(ratio, goal)
    for figure in findings.figures:
        value = f"{figure.spread.median:.3g} {figure.unit}".strip()
        yield figure.name, value, _bound_text(figure), _verdict(figure.spread, figure)


def _bound_text(goal: Goal | Figure) -> str:
    if goal.bound is None:
        return "none"
    unit = f" {goal.unit}" if isinstance(goal, Figure) and goal.unit else ""
    return f"{'≥' if goal.at_least else '≤'} {goal.bound:g}{unit}"


def _verdict(spread: Spread, goal: Goal | Figure) -> str:
    if goal.bound is None:
        return ""
    value = spread.median
    return "met" if (value >= goal.bound if goal.at_least else value <= goal.bound) else "missed"


def seconds_text(seconds: float) -> str:
    """A time with three digits or so, in a unit that suits it."""
    if seconds >= 1:
        return f"{seconds:.3g} s" if seconds < 100 else f"{seconds:.0f} s"
    if seconds >= 1e-3:
        return f"{1e3 * seconds:.3g} ms"
    return f"{1e6 * seconds:.3g} µs"


def _percent(accuracies: Sequence[float]) -> str:
    return f"{100 * median(accuracies):.2f} %" if accuracies else ""


def machines_text(results: Sequence[Results]) -> str:
    """When and where the figures come from: a sentence for each machine and set of versions."""
    groups: dict[str, list[Results]] = {}
    for result in results:
        facts = {name: fact for name, fact in result.machine.items() if name != "load_average"}
        groups.setdefault(json.dumps(facts, sort_keys=True), []).append(result)
    texts = [_machine_text(group, is_only=len(groups) == 1) for group in groups.values()]
    texts.append("In every round all contenders run in turn; a first round is not counted.")
    return " ".join(texts)


def _machine_text(results: Sequence[Results], *, is_only: bool) -> str:
    facts = results[0].machine
    what = "Measured" if is_only else f"{', '.join(r.group for r in results)}: measured"
    caches = ", ".join(f"{name} {size}" for name, size in facts["caches"].items())
    versions = ", ".join(f"{name} {found}" for name, found in facts["versions"].items())
    return (
        f"{what} on {_range_text([r.date for r in results])} on {facts['cpu']}, {facts['cores']} "
        f"cores ({caches}), {facts['memory_gib']} GiB; load average "
        f"{_range_text([r.machine['load_average'] for r in results])} before each group. "
        f"Python {facts['python']}, {versions}; {facts['blas']} {facts['blas_version']} "
        f"({facts['blas_kernel']}). Every contender may use {facts['cores']} threads "
        f"(OpenBLAS {facts['blas_threads']})."
    )


def _range_text(values: Sequence[Any]) -> str:
    low, high = min(values), max(values)
    return f"{low}" if low == high else f"{low} to {high}"


def rich_table(table: Table) -> "RichTable":
    """A table for the terminal."""
    from rich import box
    from rich.table import Table as RichTable

    drawn = RichTable(
        title=table.title, caption="\n".join(table.notes), box=box.SIMPLE_HEAD, title_justify="left"
    )
    drawn.caption_justify = "left"
    for number, name in enumerate(table.header):
        drawn.add_column(name, justify="right" if number else "left")
    for row in table.rows:
        drawn.add_row(*row)
    return drawn


def markdown(results: Sequence[Results]) -> str:
    """The report for ``docs/benchmarks.md``: no curves, no steps, and of growth the models only."""
    parts = [machines_text(results)]
    if any(result.settings.get("quick") for result in results):
        parts.append("This was a quick run: it shows that everything works, not how fast it is.")
    for table in tables_of([_shortened(result) for result in results]):
        header = (table.title, *table.header[1:]) if not table.header[0] else table.header
        lines = [_line(header), _line(["---", *["---:"] * (len(header) - 1)])]
        lines += [_line(row) for row in table.rows]
        title = [f"**{table.title}**"] if table.header[0] else []
        parts += [*title, "\n".join(lines), *([" ".join(table.notes)] if table.notes else [])]
    return "\n\n".join(parts) + "\n"


def _shortened(results: Results) -> Results:
    points = tuple(point for point in results.findings.points if point.axis == "models")
    return replace(results, findings=replace(results.findings, curves={}, steps=(), points=points))


def _line(cells: Sequence[str]) -> str:
    return "| " + " | ".join(cells) + " |"


def picture(results: Sequence[Results]) -> bytes | None:
    """The plot as PNG; None if there is nothing to draw."""
    from benchmarks.picture import results_figure
    from softmax_cli.plots.style import render

    findings = [result.findings for result in results]
    figure = results_figure(
        [c for each in findings for c in each.comparisons if c.name in ("single", "sweep")],
        {name: curves for each in findings for name, curves in each.curves.items()},
        [point for each in findings for point in each.points],
    )
    return None if figure is None else render(figure)


def write_report(results: Sequence[Results], folder: Path) -> None:
    """Write ``results.md`` and ``results.png``.

    Raises:
        OSError: a file could not be written.
    """
    make_directory(folder)
    write_text(folder / "results.md", markdown(results))
    if image := picture(results):
        write_bytes(folder / "results.png", image)


def write_document(results: Sequence[Results], document: Path, image: Path) -> None:
    """Replace what stands between the two markers of a document, and draw its picture again.

    Args:
        results: what was measured.
        document: Markdown with a line :data:`BEGIN` and a line :data:`END`.
        image: its picture.

    Raises:
        DataError: the document has not these two lines.
        OSError: a file could not be read or written.
    """
    before, begin, rest = document.read_text("utf-8").partition(f"{BEGIN}\n")
    _, end, after = rest.partition(f"{END}\n")
    if not begin or not end:
        raise DataError(f"{document}: expected a line {BEGIN} and below it a line {END}")
    write_text(document, f"{before}{begin}\n{markdown(results)}\n{end}{after}")
    if drawn := picture(results):
        write_bytes(image, drawn)
