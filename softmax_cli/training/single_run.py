"""One training in its run directory: checkpoints while it trains, model and tables at the end."""

from softmax_cli.config.schema import TrainConfig
from softmax_cli.config.writing import plain_values
from softmax_cli.errors import InterruptedRunError
from softmax_cli.runs.directory import RunDirectory, resume_command
from softmax_cli.training.assembly import build_trainer
from softmax_cli.training.checkpointed_run import (
    CheckpointedRun,
    Origin,
    RunObserver,
    StopRequestedError,
)
from softmax_cli.training.results import TrainingSummary, write_metrics, write_results
from softmax_cli.training.training_data import TrainingData


def train_in_directory(
    run: RunDirectory,
    config: TrainConfig,
    data: TrainingData,
    observer: RunObserver,
    *,
    resume: bool,
) -> TrainingSummary:
    """Train one model in its run directory.

    Args:
        run: an open directory that holds the settings.
        config: those settings.
        data: the data that these settings name.
        observer: is told of every step.
        resume: continue from the latest checkpoint; without one, start from the beginning.

    Raises:
        InterruptedRunError: the observer asked to stop; a checkpoint was saved.
        CheckpointError: the checkpoints are damaged or belong to other settings or data.
        OSError: a file could not be written; earlier checkpoints are intact.
    """
    trainer = build_trainer([config], data)
    training = CheckpointedRun(
        trainer,
        Origin(
            subject={"settings": plain_values(config)},
            digests={
                "train_digest": data.train.digest,
                "validation_digest": data.validation.digest,
            },
            hint="Put config.yaml back as it was, or start a new run in another directory.",
        ),
        run.checkpoint_directory,
        every=config.training.checkpoint_every,
        saved=lambda: write_metrics(run, trainer, 0),
    )
    if resume and not training.resume(observer):
        observer.warned("There is no checkpoint yet: training starts from the beginning.")
    try:
        training.train(observer)
    except StopRequestedError as error:
        raise InterruptedRunError(
            f"stopped after {trainer.iteration} of {trainer.iterations} iterations; "
            "a checkpoint is saved",
            hint=f"Go on with: {resume_command('train', run.path)}",
        ) from error
    return write_results(run, config, data, trainer, 0, training.seconds())
