"""``python -m benchmarks [GROUP...]``: measure, print tables, write JSON, Markdown and a plot.

With ``--output`` each group leaves a file as soon as it is done, and the report is made of all
files that are there. So groups can be measured one at a time, and a run that was cut goes on with
``--resume``.
"""

import argparse
import importlib.util
import os
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from benchmarks.groups import FULL, GROUPS, QUICK, Benchmarks
from benchmarks.machine import machine
from benchmarks.report import machines_text, rich_table, tables_of, write_report
from benchmarks.results import Results, load, save
from softmax_cli.errors import ConfigurationError, SoftmaxError
from softmax_cli.paths import expand_home

_NAMES = ", ".join(GROUPS)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; the exit code is 1 if a contender was invalid, 2 for wrong usage."""
    parser = _parser()
    options = parser.parse_args(arguments)
    if options.resume and not options.output:
        parser.error("--resume needs --output, the folder of the run that was cut")
    try:
        results = _measure(options.groups or list(GROUPS), options)
    except SoftmaxError as error:
        print(f"error: {error.message}", *filter(None, [error.hint]), sep="\n", file=sys.stderr)
        return 2
    _print(results)
    return 1 if any(result.complaints for result in results) else 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks", description="Measure this package against others."
    )
    parser.add_argument(
        "groups",
        nargs="*",
        metavar="GROUP",
        type=_group,
        help=f"{_NAMES}; all if none is named",
    )
    parser.add_argument(
        "--data-dir",
        type=_path,
        default=os.environ.get("SOFTMAX_DATA_DIR", "data"),
        help="folder that holds cifar-10-batches-py/",
    )
    parser.add_argument("--repeats", type=int, help="rounds that count (default: 5)")
    parser.add_argument("--target", type=float, help="accuracy to be reached (default: 0.416)")
    parser.add_argument("--quick", action="store_true", help="tiny sizes: shows that all works")
    parser.add_argument("--output", type=_path, help="folder for GROUP.json, results.md and .png")
    parser.add_argument(
        "--resume",
        action="store_true",
        help="leave out groups that were measured into --output with the same options",
    )
    return parser


def _path(text: str) -> Path:
    try:
        return Path(expand_home(text))
    except ConfigurationError as error:
        raise argparse.ArgumentTypeError(error.message) from error


def _group(name: str) -> str:
    if name not in GROUPS:
        raise argparse.ArgumentTypeError(f"expected some of {_NAMES}, got {name}")
    return name


def _require(libraries: set[str]) -> None:
    missing = sorted(name for name in libraries if importlib.util.find_spec(name) is None)
    if missing:
        raise ConfigurationError(
            f"expected {', '.join(missing)} to compare with, but not installed",
            hint="Install all of them with: pip install -e '.[bench]'",
        )


def _measure(groups: Sequence[str], options: argparse.Namespace) -> list[Results]:
    """The results of some groups: measured, or with ``--resume`` read."""
    repeats: int = options.repeats or (1 if options.quick else 5)
    target: float = options.target or (0.3 if options.quick else 0.416)
    settings = {"quick": options.quick, "repeats": repeats, "target": target}
    done = load(options.output, groups) if options.resume else []
    results = {result.group: result for result in done if result.settings == settings}
    wanted = [group for group in groups if group not in results]
    _require({library for group in wanted for library in GROUPS[group].libraries})
    sizes = QUICK if options.quick else FULL
    benchmarks = Benchmarks(
        options.data_dir, sizes, repeats=repeats, target=target, announce=_announce
    )
    for group in groups:
        if group in results:
            _announce(f"== {group}: measured on {results[group].date}")
            continue
        _announce(f"== {group}")
        results[group] = _measure_group(benchmarks, group, settings)
        if options.output:
            # After each group: the next one may take many minutes, or fail.
            save(results[group], options.output)
            write_report(load(options.output, list(GROUPS)), options.output)
    return [results[group] for group in GROUPS if group in results]


def _measure_group(benchmarks: Benchmarks, group: str, settings: dict[str, Any]) -> Results:
    date, facts = datetime.now(UTC).date().isoformat(), machine()
    return Results(group, date, facts, settings, GROUPS[group].measure(benchmarks))


def _print(results: Sequence[Results]) -> None:
    from rich.console import Console

    console = Console(width=max(100, Console().width))
    console.print(machines_text(results))
    for table in tables_of(results):
        console.print(rich_table(table))


def _announce(message: str) -> None:
    print(f"{datetime.now(UTC):%H:%M:%S} {message}", file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
