"""``softmax sweep``: train every trial of a search space, and keep the best."""

from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NamedTuple

import typer

from softmax_cli.cli import options, signals
from softmax_cli.cli.output import Output, percent_with_interval
from softmax_cli.cli.tables import FactsTable
from softmax_cli.errors import DivergedError, FailedTrialsError

if TYPE_CHECKING:
    from distributed import Client
    from rich.console import RenderableType

    from softmax_cli.config.sweep_schema import SweepConfig
    from softmax_cli.runs.directory import RunDirectory
    from softmax_cli.tuning.data_cache import DataCache
    from softmax_cli.tuning.repeats import Setting
    from softmax_cli.tuning.sweep import SweepSummary

_MOST_ROWS = 40
"""A table of more trials shows the best of them alone."""
_BEST_ROWS = 20
_EXTENSIBLE = ("parameters", "search", "select")
"""Keys of a sweep that may change when it goes on."""


def sweep(
    overrides: options.Overrides = None,
    config: options.Config = None,
    run_dir: options.RunDir = None,
    resume: options.Resume = None,
    overwrite: options.Overwrite = False,
    dry_run: options.DryRun = False,
    scheduler: Annotated[
        str | None,
        typer.Option(metavar="ADDRESS", help="Train on a Dask cluster, such as tcp://host:8786."),
    ] = None,
    data_dir: options.DataDir = None,
    seed: options.Seed = None,
    form: options.Format = options.OutputFormat.TABLE,
    threads: options.Threads = None,  # noqa: ARG001 - its callback sets them
    quiet: options.Quiet = False,
    verbose: options.Verbose = False,
) -> None:
    """Train every trial of a search space side by side, rank them and save the best.

    Ctrl-C saves a checkpoint first; --resume goes on. With --config as well, --resume takes a grid
    that has grown, and trains only what is new. KEY=VALUE changes a key of the sweep (folds=5), of
    its base (training.iterations=500) or an axis (parameters.optimizer.momentum=[0.5,0.9]).
    """
    from softmax_cli.config.writing import to_yaml
    from softmax_cli.runs.directory import new_run_directory

    output = Output(form, quiet=quiet, verbose=verbose)
    given = _Given(overrides or [], data_dir, seed)
    if resume is not None:
        if run_dir or overwrite or dry_run:
            raise typer.BadParameter(
                "--resume goes on in its own directory: "
                "leave out --run-dir, --overwrite and --dry-run"
            )
        with _connected(scheduler) as client, _reopened(resume, config, given) as (run, settings):
            _run(run, settings, output, client)
        return
    if config is None:
        raise typer.BadParameter("--config is missing: a preset such as demo-sweep, or a file")
    if overwrite and run_dir is None:
        raise typer.BadParameter("--overwrite needs --run-dir, the sweep to replace")
    settings = given.applied_to(config)
    if dry_run:
        from softmax_cli.cli.sweep_plan import print_plan

        print_plan(settings, output)
        return
    # Before a directory is made: where something is wrong, nothing is left behind.
    data, text = _checked_data(settings, output), to_yaml(settings)
    with (
        _connected(scheduler) as client,
        new_run_directory(
            run_dir, Path(config).stem, kind="sweep", settings=text, overwrite=overwrite
        ) as run,
    ):
        _run(run, settings, output, client, data)


class _Given(NamedTuple):
    """What the command line says about the settings, beside the file."""

    overrides: Sequence[str]
    data_dir: Path | None
    seed: int | None

    def applied_to(self, source: str) -> "SweepConfig":
        """Settings of a sweep; ``--seed`` is that of its trainings and of a random search."""
        from softmax_cli.cli.settings import with_options
        from softmax_cli.config.sweep_loading import load_sweep_config

        config = load_sweep_config(source, self.overrides)
        train = with_options(config.train, self.overrides, data_dir=self.data_dir, seed=self.seed)
        changed: dict[str, Any] = {"train": train}
        if self.seed is not None:
            changed["seed"] = self.seed
        return config.model_copy(update=changed)


def _checked_data(settings: "SweepConfig", output: Output) -> "DataCache":
    """The data of the first trial; the other trials are checked, too."""
    from softmax_cli.cli.feature_progress import FeatureProgress
    from softmax_cli.tuning.data_cache import DataCache
    from softmax_cli.tuning.trials import make_trials

    first, *_ = make_trials(settings)
    data = DataCache()
    with FeatureProgress(output) as progress:
        data.of(first.config, progress)
    return data


@contextmanager
def _reopened(
    directory: Path, source: str | None, given: _Given
) -> "Iterator[tuple[RunDirectory, SweepConfig]]":
    """The directory of an earlier sweep, and its settings, or grown ones from ``source``."""
    from softmax_cli.config.sweep_loading import load_sweep_config
    from softmax_cli.config.writing import to_yaml
    from softmax_cli.runs.directory import open_run_directory, rewrite_settings
    from softmax_cli.tuning.extension import check_extends
    from softmax_cli.tuning.trials import make_trials

    with open_run_directory(directory, kind="sweep", exclusive=True) as run:
        before = load_sweep_config(str(run.settings_file))
        settings = given.applied_to(source or str(run.settings_file))
        check_extends(before, settings)
        if any(getattr(settings, key) != getattr(before, key) for key in _EXTENSIBLE):
            make_trials(settings)
            rewrite_settings(run, to_yaml(settings))
        yield run, settings


def _connected(scheduler: str | None) -> "AbstractContextManager[Client | None]":
    if scheduler is None:
        return nullcontext()
    from softmax_cli.tuning.cluster import connected

    return connected(scheduler)


def _run(
    run: "RunDirectory",
    settings: "SweepConfig",
    output: Output,
    client: "Client | None",
    data: "DataCache | None" = None,
) -> None:
    from softmax_cli.cli.sweep_progress import SweepProgress
    from softmax_cli.runs.environment import environment
    from softmax_cli.tuning.sweep import run_sweep

    output.message(f"Sweeping {', '.join(settings.parameters)}; writing to {run.path}")
    output.detail("\n".join(f"{name}: {value}" for name, value in environment().items()))
    with signals.stopping_gracefully(), SweepProgress(output, settings) as progress:
        summary = run_sweep(run, settings, progress, client=client, data=data)
    _report(run, settings, summary, output)


def _draw(run: "RunDirectory", summary: "SweepSummary", output: Output) -> None:
    from softmax_cli.cli.run_pictures import draw_curves, draw_results, extra_picture
    from softmax_cli.runs.directory import open_run_directory

    with extra_picture("heatmap.png", run.path, output):
        draw_results(run)
    if summary.best is not None:
        path = run.path / "best"
        # Exclusive, so that a picture that a crash left half-written is removed.
        with (
            extra_picture("curves.png", path, output),
            open_run_directory(path, kind="train", exclusive=True) as best,
        ):
            draw_curves(best)


def _report(
    run: "RunDirectory", settings: "SweepConfig", summary: "SweepSummary", output: Output
) -> None:
    """Print the result, then draw it; trials that diverged or failed may make it an error."""
    from softmax_cli.runs.directory import resume_command
    from softmax_cli.training.results import DIVERGENCE_HINTS

    document = {"run_dir": run.path, **summary.to_json()}
    document["best"] = document["best"] and {**document["best"], "run_dir": run.path / "best"}
    document["results"] = summary.results()
    document["setting_results"] = summary.setting_results()
    output.result(document, lambda: _result_table(run, settings, summary))
    for warning in summary.warnings:
        output.warning(warning)
    _draw(run, summary, output)
    if summary.diverged == summary.trials:
        raise DivergedError(
            f"all {summary.trials} trials diverged",
            hint=DIVERGENCE_HINTS[settings.train.optimizer.method],
        )
    if summary.failed:
        raise FailedTrialsError(
            f"{summary.failed} of {summary.trials} trials failed",
            hint=f"Try them again with: {resume_command('sweep', run.path)}",
        )


def _result_table(
    run: "RunDirectory", settings: "SweepConfig", summary: "SweepSummary"
) -> "RenderableType":
    from rich.console import Group

    from softmax_cli.cli.sweep_table import leaders_table, noise_sentence

    count = len(summary.settings)
    rows = count if count <= _MOST_ROWS else _BEST_ROWS
    noise = summary.noise if summary.within_noise not in (None, 1) else None
    table = leaders_table(settings, summary.settings, rows, noise, summary.chosen)
    what = "settings" if summary.has_repeats else "trials"
    trials = f"{summary.trials} in {summary.seconds:.1f} s"
    if summary.has_repeats:
        trials += f", {count} {'setting' if count == 1 else 'settings'}"
    facts: dict[str, str | Path] = {"trials": trials}
    if count > rows:
        facts["not shown"] = f"{count - rows} {what}; all are in the table below"
    if summary.within_noise is not None:
        facts["noise"] = noise_sentence(summary.within_noise, count, what)
    facts["table"] = run.path / "results.csv"
    if summary.chosen is not None:
        facts |= _best_facts(settings, summary, summary.chosen)
        facts["best run"] = run.path / "best"
    return Group(table, FactsTable(facts))


def _best_facts(
    settings: "SweepConfig", summary: "SweepSummary", chosen: "Setting"
) -> dict[str, str | Path]:
    facts: dict[str, str | Path] = {"best": _accuracy(summary.settings[0])}
    if settings.select == "simplest":
        facts["simplest"] = f"{_accuracy(chosen)}, within one standard error"
    return facts


def _accuracy(setting: "Setting") -> str:
    from softmax_cli.tuning.noise import accuracy_interval

    mean, seeds = setting.mean, len(setting.repeats)
    shown = percent_with_interval(mean.validation_accuracy, accuracy_interval(mean))
    return f"{shown} validation accuracy" + (f", mean of {seeds} seeds" if seeds > 1 else "")
