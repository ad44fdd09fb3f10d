import contextlib
import logging
import os
import subprocess
import sys
import tempfile

import numpy as np
import pytest
from PIL import Image

from softmax_cli.data.decoder_messages import collected_messages, may_print, summary
from softmax_cli.data.photos import read_photo
from softmax_cli.errors import DataError
from tests.data.pictures import encoded, needs

Capture = pytest.CaptureFixture[str]


def test_lines_are_collected_and_not_printed(capfd: Capture) -> None:
    with collected_messages() as lines:
        os.write(2, b"first: past Python\n\nsecond: \xff\n")
        logging.getLogger("PIL.Plugin").error("third: %s", "logged")
        logging.getLogger("PIL").debug("a detail")
    assert sorted(lines) == [
        "first: past Python",
        "second: \N{REPLACEMENT CHARACTER}",
        "third: logged",
    ]
    assert capfd.readouterr() == ("", "")


def outputs_of(script: str) -> tuple[str, str]:
    """What a process prints to stdout and stderr, which shows on stdout the lines it collects."""
    script = (
        "import logging, os, sys\n"
        "from softmax_cli.data.decoder_messages import collected_messages\n"
        f"{script}\n"
        "sys.stdout.write(repr(lines))\n"
    )
    command = [sys.executable, "-c", script]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    return done.stdout, done.stderr


def test_the_program_prints_before_and_after_as_ever() -> None:
    script = (
        "sys.stderr.write('before ')\n"
        "with collected_messages() as lines: os.write(2, b'in between')\n"
        "sys.stderr.write('after')\n"
    )
    assert outputs_of(script) == ("['in between']", "before after")


def test_an_error_inside_gives_stderr_back(capfd: Capture) -> None:
    with pytest.raises(KeyboardInterrupt), collected_messages():
        raise KeyboardInterrupt
    os.write(2, b"free")
    assert capfd.readouterr().err == "free"
    assert logging.getLogger("PIL").handlers == []


def test_no_file_descriptor_is_left_open() -> None:
    with tempfile.TemporaryFile() as before:
        first = before.fileno()
    for _ in range(3):
        with collected_messages():
            pass
    with tempfile.TemporaryFile() as after:
        assert after.fileno() == first


def test_however_much_is_printed_a_part_of_it_is_enough() -> None:
    with collected_messages() as lines:
        for _ in range(300):
            os.write(2, b"a line of a noisy decoder\n" * 100)
    assert 0 < len(lines) < 10_000
    assert summary(lines[:-1]) == "a line of a noisy decoder"


def test_without_a_stderr_logged_lines_are_collected_all_the_same() -> None:
    script = (
        "os.close(2)\n"
        "sys.stderr = None\n"
        "with collected_messages() as lines: logging.getLogger('PIL').error('logged')\n"
    )
    assert outputs_of(script) == ("['logged']", "")


def test_without_a_temporary_folder_lines_go_to_stderr(
    monkeypatch: pytest.MonkeyPatch, capfd: Capture
) -> None:
    def none_usable() -> contextlib.AbstractContextManager[object]:
        raise FileNotFoundError("No usable temporary directory found")

    monkeypatch.setattr(tempfile, "TemporaryFile", none_usable)
    with collected_messages() as lines:
        os.write(2, b"shown")
    assert lines == []
    assert capfd.readouterr().err == "shown"


def test_a_summary_is_one_line_without_the_name_that_pillow_gives() -> None:
    lines = ["tempfile.tif: Bad code.", "tempfile.tif: Bad code.", "Fax: line 3", "Fax: line 4"]
    assert summary(lines[:2]) == "Bad code"
    assert summary(lines[:3]) == "Bad code (and 1 more line)"
    assert summary(lines) == "Bad code (and 2 more lines)"


@pytest.mark.parametrize(
    "form", ["png", "gif", "bmp", "jpeg", pytest.param("webp", marks=needs("webp"))]
)
def test_decoders_that_are_not_listened_to_print_nothing(form: str, capfd: Capture) -> None:
    rng = np.random.default_rng(0)
    data = encoded(Image.fromarray(rng.integers(0, 256, (40, 40, 3), dtype=np.uint8)), form)
    assert not may_print(data)
    assert may_print(encoded(Image.new("L", (4, 4)), "tiff"))
    for _ in range(200):
        altered = bytearray(data)
        for at in rng.integers(len(data), size=3):
            altered[at] ^= 1 << int(rng.integers(8))
        with contextlib.suppress(DataError):
            read_photo(bytes(altered))
    assert capfd.readouterr().err == ""
