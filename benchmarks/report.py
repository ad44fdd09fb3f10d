"""From measurements to tables on the terminal, Markdown, and JSON."""

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, Any

from benchmarks.accuracy import Rung
from benchmarks.footprint import MEMORY_GOAL
from benchmarks.growth import Point
from benchmarks.step import StepTimes
from benchmarks.timing import Comparison, Goal, Measurement, Spread
from softmax_cli.runs.atomic import make_directory, write_bytes, write_text
from softmax_cli.runs.tables import write_json

if TYPE_CHECKING:
    from rich.table import Table as RichTable


@dataclass
class Results:
    """Everything that one run of the benchmarks measured, filled in as it goes.

    Attributes:
        date: of the start.
        machine: what ``machine.machine`` says.
        settings: sizes and options of the run.
        comparisons: in the order of measuring.
        curves: what each contender for an accuracy did with each budget.
        points: how time and memory grow.
        training_peak: bytes of ``softmax train --config cs231n``.
        steps: a training step beside its products.
    """

    date: str
    machine: dict[str, object]
    settings: dict[str, object]
    comparisons: list[Comparison] = field(default_factory=list)
    curves: dict[str, tuple[Rung, ...]] = field(default_factory=dict)
    points: tuple[Point, ...] = ()
    training_peak: Spread | None = None
    steps: list[StepTimes] = field(default_factory=list)

    @property
    def complaints(self) -> list[str]:
        """Contenders whose time does not count, and why."""
        return [
            f"{comparison.name}: {measurement.name} {measurement.complaint}"
            for comparison in self.comparisons
            for measurement in comparison.measurements
            if measurement.complaint
        ]

    def to_json(self) -> dict[str, Any]:
        """All figures, the raw times included."""
        document = asdict(self)
        for comparison, values in zip(self.comparisons, document["comparisons"], strict=True):
            values["ratios"] = [
                {**asdict(goal), "ratio": asdict(ratio) if ratio else None}
                for goal, ratio in _ratios(comparison)
            ]
        return document


@dataclass(frozen=True)
class Table:
    """Text in rows; the first column is what a row is about, the others are figures."""

    title: str
    header: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    notes: tuple[str, ...] = ()


def tables_of(results: Results) -> Iterator[Table]:
    """All tables of a report."""
    for comparison in results.comparisons:
        yield comparison_table(comparison)
    if results.curves:
        yield _curves_table(results)
    for axis in dict.fromkeys(point.axis for point in results.points):
        yield _points_table(axis, [point for point in results.points if point.axis == axis])
    if results.steps:
        yield steps_table(results.steps)
    if rows := tuple(_goal_rows(results)):
        yield Table("Ratios (median over the rounds)", ("ratio", "measured", "goal", ""), rows)


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


def _curves_table(results: Results) -> Table:
    rows = tuple(
        (
            name,
            f"{rung.budget:g}",
            seconds_text(rung.seconds),
            _percent((rung.validation_accuracy,)),
            _percent((rung.test_accuracy,)),
        )
        for name, rungs in results.curves.items()
        for rung in rungs
    )
    header = ("", "budget", "time", "validation", "test")
    return Table("Accuracy over time, each budget tried once", header, rows)


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


def _ratios(comparison: Comparison) -> list[tuple[Goal, Spread | None]]:
    return [(goal, comparison.ratio(goal)) for goal in comparison.goals]


def _goal_rows(results: Results) -> Iterator[tuple[str, ...]]:
    for comparison in results.comparisons:
        for goal, ratio in _ratios(comparison):
            what = f"{comparison.name}: {goal.over} / {goal.under}"
            bound = f"{'≥' if goal.at_least else '≤'} {goal.bound:g}"
            if ratio is None:
                yield what, "invalid", bound, ""
                continue
            met = ratio.median >= goal.bound if goal.at_least else ratio.median <= goal.bound
            yield what, f"{ratio.median:.2f}", bound, _verdict(met=met)
    if results.training_peak:
        peak = results.training_peak.median
        verdict = _verdict(met=peak <= MEMORY_GOAL)
        bound = f"≤ {MEMORY_GOAL / 1e6:.0f} MB"
        yield "peak memory of softmax train", f"{peak / 1e6:.0f} MB", bound, verdict


def _verdict(*, met: bool) -> str:
    return "met" if met else "missed"


def seconds_text(seconds: float) -> str:
    """A time with three digits or so, in a unit that suits it."""
    if seconds >= 1:
        return f"{seconds:.3g} s" if seconds < 100 else f"{seconds:.0f} s"
    if seconds >= 1e-3:
        return f"{1e3 * seconds:.3g} ms"
    return f"{1e6 * seconds:.3g} µs"


def _percent(accuracies: Sequence[float]) -> str:
    return f"{100 * median(accuracies):.2f} %" if accuracies else ""


def machine_text(results: Results) -> str:
    """One sentence on when and where the figures come from."""
    facts: dict[str, Any] = results.machine
    caches = ", ".join(f"{name} {size}" for name, size in facts["caches"].items())
    versions = ", ".join(f"{name} {found}" for name, found in facts["versions"].items())
    return (
        f"Measured on {results.date} on {facts['cpu']}, {facts['cores']} cores ({caches}), "
        f"{facts['memory_gib']} GiB; load average {facts['load_average']} before. "
        f"Python {facts['python']}, {versions}; {facts['blas']} {facts['blas_version']} "
        f"({facts['blas_kernel']}). Every contender may use {facts['cores']} threads "
        f"(OpenBLAS {facts['blas_threads']}). In every round all contenders run in turn; a first "
        "round is not counted."
    )


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


def markdown(results: Results) -> str:
    """The report for ``docs/benchmarks.md``: no curves, no steps, and of growth the models only."""
    shown = replace(
        results,
        curves={},
        steps=[],
        points=tuple(point for point in results.points if point.axis == "models"),
    )
    parts = [machine_text(results)]
    if results.settings.get("quick"):
        parts.append("This was a quick run: it shows that everything works, not how fast it is.")
    for table in tables_of(shown):
        header = (table.title, *table.header[1:]) if not table.header[0] else table.header
        lines = [_line(header), _line(["---", *["---:"] * (len(header) - 1)])]
        lines += [_line(row) for row in table.rows]
        title = [f"**{table.title}**"] if table.header[0] else []
        parts += [*title, "\n".join(lines), *([" ".join(table.notes)] if table.notes else [])]
    return "\n\n".join(parts) + "\n"


def _line(cells: Sequence[str]) -> str:
    return "| " + " | ".join(cells) + " |"


def write_report(results: Results, folder: Path) -> None:
    """Write ``results.json``, ``results.md`` and ``results.png``.

    Raises:
        OSError: a file could not be written.
    """
    from benchmarks.picture import results_figure
    from softmax_cli.plots.style import render

    make_directory(folder)
    write_json(folder / "results.json", results.to_json())
    write_text(folder / "results.md", markdown(results))
    trainings = [c for c in results.comparisons if c.name in ("single", "sweep")]
    figure = results_figure(trainings, results.curves, results.points)
    if figure is not None:
        write_bytes(folder / "results.png", render(figure))
