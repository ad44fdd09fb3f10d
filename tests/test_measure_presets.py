"""The script behind the tables of presets measures what it says."""

import re
import subprocess
import sys
from pathlib import Path

SCRIPT = Path(__file__).parents[1] / "docs" / "measure_presets.py"


def test_a_preset_is_measured(tmp_path: Path) -> None:
    command = [sys.executable, str(SCRIPT), "--data-dir", str(tmp_path), "demo"]
    ran = subprocess.run(command, check=True, capture_output=True, text=True, cwd=tmp_path)
    header, rule, row = ran.stdout.splitlines()
    assert header.count("|") == rule.count("|") == row.count("|")
    found = re.fullmatch(
        r"\| `demo` \| 3,072 \| ([\d.]+) s \| ([\d.]+) s \| ([\d.]+) s"
        r" \| [\d.]+ % \| ([\d.]+) % \| ([\d.]+) to ([\d.]+) \|",
        row,
    )
    assert found is not None, row
    extraction, training, both, test, low, high = map(float, found.groups())
    assert abs(extraction + training - both) < 0.11
    assert low < test < high
    assert list(tmp_path.iterdir()) == []
