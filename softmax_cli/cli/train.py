"""``softmax train``: train one classifier."""

from pathlib import Path
from typing import TYPE_CHECKING

import typer

from softmax_cli.cli import options, signals
from softmax_cli.cli.output import Output, percent, percent_with_interval
from softmax_cli.cli.settings import refuse_with_resume, train_settings
from softmax_cli.cli.tables import FactsTable
from softmax_cli.errors import DivergedError

if TYPE_CHECKING:
    from rich.console import RenderableType

    from softmax_cli.config.schema import TrainConfig
    from softmax_cli.evaluation.intervals import Interval
    from softmax_cli.runs.directory import RunDirectory
    from softmax_cli.training.results import TrainingSummary
    from softmax_cli.training.training_data import TrainingData


def train(
    overrides: options.Overrides = None,
    config: options.Config = None,
    run_dir: options.RunDir = None,
    resume: options.Resume = None,
    overwrite: options.Overwrite = False,
    dry_run: options.DryRun = False,
    data_dir: options.DataDir = None,
    seed: options.Seed = None,
    form: options.Format = options.OutputFormat.TABLE,
    threads: options.Threads = None,  # noqa: ARG001 - its callback sets them
    quiet: options.Quiet = False,
    verbose: options.Verbose = False,
) -> None:
    """Train one classifier and save it in a run directory.

    Without --config the settings of the preset cs231n apply. Ctrl-C saves a checkpoint first; go
    on with --resume, and the result is the same, bit for bit, as without the interruption.
    """
    output = Output(form, quiet=quiet, verbose=verbose)
    if resume is not None:
        refuse_with_resume(
            "a resumed run keeps its directory and its settings",
            config=config,
            overrides=overrides,
            run_dir=run_dir,
            overwrite=overwrite,
            dry_run=dry_run,
            seed=seed,
        )
        _resume(resume, data_dir, output)
        return
    if overwrite and run_dir is None:
        raise typer.BadParameter("--overwrite needs --run-dir, the run to replace")
    settings = train_settings(config, overrides or [], data_dir=data_dir, seed=seed)
    if dry_run:
        _print_plan(settings, output)
        return
    stem = Path(config).stem if config else "train"
    _start(settings, stem, run_dir, output, overwrite=overwrite)


def _start(
    settings: "TrainConfig",
    stem: str,
    run_dir: Path | None,
    output: Output,
    *,
    overwrite: bool,
) -> None:
    from softmax_cli.config.writing import to_yaml
    from softmax_cli.runs.directory import new_run_directory

    # Before a directory is made: where the data is missing, nothing is left behind.
    data = _loaded(settings, output)
    with new_run_directory(
        run_dir, stem, kind="train", settings=to_yaml(settings), overwrite=overwrite
    ) as run:
        summary = _train(run, settings, data, output, resume=False)
        del data  # drawing needs memory of its own
        _report(run, summary, output, draw=True, method=settings.optimizer.method)


def _resume(directory: Path, data_dir: Path | None, output: Output) -> None:
    from softmax_cli.runs.directory import open_run_directory
    from softmax_cli.training.results import finished_summary

    with open_run_directory(directory, kind="train", exclusive=True) as run:
        summary = finished_summary(run)
        if summary is not None:
            output.message(f"The run in {run.path} is finished; there is nothing left to do.")
            # They come after the summary, so a crash may have left them out.
            missing = not (run.path / "curves.png").exists()
            _report(run, summary, output, draw=missing)
            return
        settings = train_settings(str(run.settings_file), [], data_dir=data_dir, seed=None)
        summary = _train(run, settings, _loaded(settings, output), output, resume=True)
        _report(run, summary, output, draw=True, method=settings.optimizer.method)


def _loaded(settings: "TrainConfig", output: Output) -> "TrainingData":
    from softmax_cli.cli.feature_progress import FeatureProgress
    from softmax_cli.training.training_data import load_training_data

    with FeatureProgress(output) as progress:
        return load_training_data(settings, progress)


def _train(
    run: "RunDirectory",
    settings: "TrainConfig",
    data: "TrainingData",
    output: Output,
    *,
    resume: bool,
) -> "TrainingSummary":
    from softmax_cli.cli.train_progress import TrainingObserver
    from softmax_cli.training.single_run import train_in_directory

    output.beginning(f"Training on {len(data.train):,} {data.train.noun}; writing to {run.path}")
    with signals.stopping_gracefully(), TrainingObserver(output) as observer:
        return train_in_directory(run, settings, data, observer, resume=resume)


def _report(
    run: "RunDirectory",
    summary: "TrainingSummary",
    output: Output,
    *,
    draw: bool,
    method: str = "sgd",
) -> None:
    """Print the result of a finished training, then draw it; one that diverged is an error."""
    from dataclasses import asdict

    from softmax_cli.cli.run_pictures import draw_curves, extra_picture
    from softmax_cli.training.results import DIVERGENCE_HINTS

    document = {"run_dir": run.path, **asdict(summary)}
    output.result(document, lambda: _summary_table(run, summary))
    if summary.converged is False:
        output.warning(
            f"The gradient did not reach optimizer.tolerance in {summary.iterations} iterations: "
            "raise optimizer.max_iterations, or the tolerance."
        )
    if draw:
        with extra_picture("curves.png", run.path, output):
            draw_curves(run)
    if summary.diverged:
        raise DivergedError(
            f"training diverged: the loss was no longer finite after {summary.iterations} "
            "iterations, so no model was saved",
            hint=f"{DIVERGENCE_HINTS[method]} "
            f"{run.path / 'metrics.csv'} has the losses until then.",
        )


def _summary_table(run: "RunDirectory", summary: "TrainingSummary") -> "RenderableType":
    if summary.diverged:
        return FactsTable({"iterations": f"{summary.iterations}", "run directory": run.path})
    facts: dict[str, str | Path] = {
        "iterations": f"{summary.iterations} in {summary.seconds:.1f} s",
        "training": _figures(summary.train_accuracy, summary.train_loss),
        "validation": _figures(
            summary.validation_accuracy,
            summary.validation_loss,
            summary.validation_accuracy_interval,
        ),
        "best validation": f"{percent(summary.best_validation_accuracy)} "
        f"after {summary.best_iteration} iterations",
    }
    if summary.stopped_early:
        facts["stopped early"] = f"the model is that of iteration {summary.saved_iteration}"
    if summary.gradient_norm is not None:
        facts |= _proven_facts(summary)
    facts |= {"model": run.model_file, "curves": run.path / "curves.png"}
    return FactsTable(facts)


def _proven_facts(summary: "TrainingSummary") -> dict[str, str | Path]:
    """How far the model is from the optimum, in words."""
    reached = {True: ", as small as asked for", False: ", not as small as asked for", None: ""}
    bound = "nothing is proven: the regularization is 0"
    if summary.optimality_bound is not None:
        bound = f"at most {summary.optimality_bound:.1e} above its minimum"
    return {
        "largest gradient": f"{summary.gradient_norm:.1e}{reached[summary.converged]}",
        "objective": f"{summary.objective:.6f}, {bound}",
    }


def _figures(accuracy: float | None, loss: float | None, interval: "Interval | None" = None) -> str:
    return f"accuracy {percent_with_interval(accuracy, interval)}, loss {loss:.4f}"


def _print_plan(settings: "TrainConfig", output: Output) -> None:
    """Print the settings in full, and nothing else: they can be saved as a configuration.

    What features will cost is a message.
    """
    from softmax_cli.cli.feature_progress import say_costs
    from softmax_cli.config.writing import plain_values, to_yaml

    if settings.optimizer.method == "lbfgs":
        from softmax_cli.training.assembly import input_size
        from softmax_cli.training.preconditioner import description
        from softmax_cli.training.training_data import unfitted_feature_map

        size = input_size(settings, unfitted_feature_map(settings))
        output.message(f"The preconditioner is {description(size)}.")
    output.result({"settings": plain_values(settings)}, lambda: to_yaml(settings).rstrip())
    say_costs([settings], output)
