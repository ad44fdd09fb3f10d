from pathlib import Path

import pytest

from softmax_cli.errors import CheckpointError
from softmax_cli.tuning.outcome_log import OutcomeLog


def test_a_line_that_is_no_trial_is_refused_with_the_name_of_its_file(tmp_path: Path) -> None:
    path = tmp_path / "trials.jsonl"
    path.write_text('{"id": "a"}\n')
    with pytest.raises(CheckpointError, match="expected a trial with") as caught:
        OutcomeLog(tmp_path, [], "validation_accuracy", together=False)
    assert caught.value.message.startswith(f"{path}: ")
    assert path.read_text() == '{"id": "a"}\n'
