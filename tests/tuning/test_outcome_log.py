from dataclasses import asdict
from pathlib import Path

import pytest

from softmax_cli.errors import CheckpointError
from softmax_cli.runs.tables import append_jsonl
from softmax_cli.tuning.outcome_log import OutcomeLog, recorded_outcomes
from softmax_cli.tuning.outcomes import failed


def test_a_line_that_is_no_trial_is_refused_with_the_name_of_its_file(tmp_path: Path) -> None:
    path = tmp_path / "trials.jsonl"
    path.write_text('{"id": "a"}\n')
    with pytest.raises(CheckpointError, match="expected a trial with") as caught:
        OutcomeLog(tmp_path, [], "validation_accuracy", together=False)
    assert caught.value.message.startswith(f"{path}: ")
    with pytest.raises(CheckpointError, match="expected a trial with"):
        recorded_outcomes(tmp_path)
    assert path.read_text() == '{"id": "a"}\n'


def test_outcomes_are_read_as_they_were_recorded_failed_ones_included(tmp_path: Path) -> None:
    assert recorded_outcomes(tmp_path) == []
    outcome = failed("a", {"seed": 1})
    append_jsonl(tmp_path / "trials.jsonl", asdict(outcome))
    before = (tmp_path / "trials.jsonl").read_bytes()
    (read,) = recorded_outcomes(tmp_path)
    assert (read.id, read.parameters, read.status) == ("a", {"seed": 1}, "failed")
    assert (tmp_path / "trials.jsonl").read_bytes() == before
