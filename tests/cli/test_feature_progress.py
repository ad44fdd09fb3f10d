import pytest

from softmax_cli.cli.feature_progress import FeatureProgress
from softmax_cli.cli.options import OutputFormat
from softmax_cli.cli.output import Output


def told(capsys: pytest.CaptureFixture[str], *, quiet: bool = False) -> str:
    """What is printed where no terminal is, if a line is due at once."""
    with FeatureProgress(Output(OutputFormat.TABLE, quiet=quiet)) as progress:
        progress._interval = 0.0
        for total in (1000, 500):
            for completed in range(250, total + 1, 250):
                progress.extracted(completed, total)
        progress.warned("one of them is grey")
    return capsys.readouterr().err


def test_tells_how_many_images_are_done_split_by_split(capsys: pytest.CaptureFixture[str]) -> None:
    lines = told(capsys).splitlines()
    assert [line.partition(" images")[0] for line in lines[:-1]] == [
        "features of 250 of 1,000",
        "features of 500 of 1,000",
        "features of 750 of 1,000",
        "features of 1,000 of 1,000",
        "features of 250 of 500",
        "features of 500 of 500",
    ]
    assert all("s left" in line for line in lines[:-1])


def test_warns_even_if_quiet(capsys: pytest.CaptureFixture[str]) -> None:
    assert told(capsys, quiet=True) == "Warning: one of them is grey\n"
