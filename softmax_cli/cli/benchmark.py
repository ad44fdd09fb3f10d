"""``softmax benchmark``: how fast this machine computes the loss and trains."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from softmax_cli.cli import options
from softmax_cli.cli.output import Output
from softmax_cli.cli.tables import Column, FactsTable, ResultTable
from softmax_cli.errors import ConfigurationError, DataError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from rich.console import RenderableType

    from softmax_cli.data.dataset import DatasetSpec
    from softmax_cli.data.images import ImageSet
    from softmax_cli.training.timing import FormTiming, StepTiming, ThreadTiming

MODELS = (1, 8, 24, 64)
"""How many models side by side a step is timed with."""
THREADED_MODELS = (1, 24)
"""With how many it is timed on each number of threads."""

_FORM_COLUMNS = (
    Column("loss in", is_text=True),
    Column("value", is_optional=True),
    Column("time"),
    Column("speed-up"),
    Column("Δ loss", is_optional=True),
    Column("Δ gradient", is_optional=True),
)
_STEP_COLUMNS = (
    Column("models"),
    Column("step"),
    Column("its products", is_optional=True),
    Column("ratio"),
    Column("per model", is_optional=True),
)


def benchmark(
    samples: Annotated[int, typer.Option(min=1, help="Images that the loss is taken over.")] = 5000,
    dataset: Annotated[
        str | None,
        typer.Option(
            metavar="NAME",
            help="Real images (cifar10), or some made from a seed (synthetic). [default: cifar10]",
        ),
    ] = None,
    data_dir: options.DataDir = None,
    seed: Annotated[int, typer.Option(min=0, help="Seed of the weights.")] = 0,
    form: options.Format = options.OutputFormat.TABLE,
    threads: options.Threads = None,  # noqa: ARG001 - its callback sets them
    quiet: options.Quiet = False,
    verbose: options.Verbose = False,
) -> None:
    """Time the softmax loss in loops, vectorised and as training computes it.

    Then a step of training for 1, 8, 24 and 64 models side by side, beside its two matrix products
    alone: the closer the two, the less there is left to gain. At last steps on 1, 2, 4 ... threads,
    of which a step takes no more than its products are worth.
    """
    from dataclasses import asdict

    from softmax_cli.config.loading import load_train_config
    from softmax_cli.data.datasets import DEFAULT_DATASET, find_dataset
    from softmax_cli.runs.environment import environment
    from softmax_cli.training import timing

    output = Output(form, quiet=quiet, verbose=verbose)
    spec = find_dataset(dataset or DEFAULT_DATASET)
    images = _images(spec, data_dir or Path("data"), samples)
    output.message(f"Loss and gradient of {samples:,} images: naive, vectorized, kernel")
    forms = timing.compare_forms(images.take_first(samples), seed)
    error = timing.check_gradient(images.take_first(samples), seed)
    iterations = timing.steps_needed()
    config = load_train_config(
        "cs231n",
        [f"training.iterations={iterations}", f"training.validate_every={iterations}"],
    )
    steps = []
    for models in MODELS:
        output.message(f"Steps of training with {models} models")
        steps.append(timing.time_steps(config, images, models))
    threads_timed = []
    for models in THREADED_MODELS:
        output.message(f"Steps of training with {models} models, on 1, 2, 4 ... threads")
        threads_timed.append(timing.time_threads(config, images, models))
    machine = environment()
    document = {
        "dataset": spec.name,
        "samples": samples,
        "environment": machine,
        "forms": [asdict(timed) for timed in forms],
        "gradient_check": {"max_relative_error": error},
        "steps": [asdict(timed) for timed in steps],
        "threads": [asdict(timed) for timings in threads_timed for timed in timings],
    }
    output.result(document, lambda: _tables(machine, forms, error, steps, threads_timed))


def _images(spec: "DatasetSpec", data_dir: Path, samples: int) -> "ImageSet":
    from softmax_cli.data.datasets import IN_MEMORY_DATASET

    try:
        images = spec.load(data_dir, "train")
    except DataError as error:
        other = f"Or leave {spec.title} out of it: --dataset {IN_MEMORY_DATASET}"
        raise DataError(error.message, hint=f"{error.hint or ''}\n{other}".strip()) from error
    if samples > len(images):
        raise ConfigurationError(f"expected --samples up to {len(images):,}, got {samples:,}")
    return images


def _tables(
    machine: "Mapping[str, str | int]",
    forms: "Sequence[FormTiming]",
    gradient_error: float,
    steps: "Sequence[StepTiming]",
    threads: "Sequence[Sequence[ThreadTiming]]",
) -> "RenderableType":
    from rich.console import Group

    facts = FactsTable(
        {
            "processor": f"{machine['cpu']}, {machine['blas_threads']} threads",
            "numpy": f"{machine['numpy']} with {machine['blas']} {machine['blas_version']}",
            "gradient check": f"relative error {gradient_error:.1e} at most",
        }
    )
    return Group(
        facts, "", _forms_table(forms), "", _steps_table(steps), "", _threads_table(threads)
    )


def _threads_table(threads: "Sequence[Sequence[ThreadTiming]]") -> ResultTable:
    columns = [Column("threads"), *(Column(_models(timed[0].models)) for timed in threads)]
    rows = [
        [str(timings[0].threads), *(f"{1000 * timed.seconds:.3f} ms" for timed in timings)]
        for timings in zip(*threads, strict=True)
    ]
    return ResultTable(columns, rows)


def _forms_table(forms: "Sequence[FormTiming]") -> ResultTable:
    rows = [
        [
            f"{timed.form} {timed.dtype}",
            f"{timed.loss:.6f}",
            f"{1000 * timed.seconds:.1f} ms",
            f"{timed.speedup:.1f}",
            f"{timed.loss_difference:.1e}",
            f"{timed.gradient_difference:.1e}",
        ]
        for timed in forms
    ]
    return ResultTable(_FORM_COLUMNS, rows)


def _steps_table(steps: "Sequence[StepTiming]") -> ResultTable:
    rows = [
        [
            str(timed.models),
            f"{1000 * timed.seconds:.3f} ms",
            f"{1000 * timed.product_seconds:.3f} ms",
            f"{timed.ratio:.2f}",
            f"{1e6 * timed.seconds / timed.models:.0f} µs",
        ]
        for timed in steps
    ]
    return ResultTable(_STEP_COLUMNS, rows)


def _models(count: int) -> str:
    return "1 model" if count == 1 else f"{count} models"
