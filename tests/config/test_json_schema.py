"""The schemas for editors."""

import pytest

from softmax_cli.config.json_schema import MODELS, schema_text
from softmax_cli.config.presets import preset_directory


@pytest.mark.parametrize("name", MODELS)
def test_the_committed_schema_is_the_generated_one(name: str) -> None:
    """If this fails, run ``python -m softmax_cli.config.json_schema`` and commit the result."""
    committed = (preset_directory() / "schema" / name).read_text(encoding="utf-8")
    assert committed == schema_text(MODELS[name])
