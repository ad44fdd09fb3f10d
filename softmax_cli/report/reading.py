"""From what a user names to the parts of a report."""

from pathlib import Path

from softmax_cli.features.cache import ExtractionObserver
from softmax_cli.report.parts import Reading
from softmax_cli.report.sweep_part import sweep_part
from softmax_cli.report.training_part import model_part, training_part
from softmax_cli.runs.directory import open_run_directory


def read_run(
    path: Path, data_dir: Path | None = None, observer: ExtractionObserver | None = None
) -> Reading:
    """All that is known of a run.

    Args:
        path: directory of a training or a sweep, or a model file.
        data_dir: where the data set is; None looks where training found it.
        observer: is told of features that take long to compute.

    Raises:
        RunDirectoryError: there is no run.
        IntegrityError: a file of the run is not intact.
        ConfigurationError: the settings of the run are not valid.
    """
    if path.is_file():
        return model_part(path)
    run = open_run_directory(path)
    if run.kind == "sweep":
        return sweep_part(run, data_dir, observer)
    return training_part(run, data_dir, observer)
