"""JSON schemas of the configuration files, for completion and checks in editors.

``python -m softmax_cli.config.json_schema`` writes them to ``configs/schema/``; presets point there
in their second line.
"""

import json

from pydantic import BaseModel

from softmax_cli.config.presets import preset_directory
from softmax_cli.config.schema import TrainConfig
from softmax_cli.config.sweep_schema import SweepConfig

DIALECT = "https://json-schema.org/draft/2020-12/schema"
MODELS: dict[str, type[BaseModel]] = {
    "sweep.schema.json": SweepConfig,
    "train.schema.json": TrainConfig,
}


def schema_text(model: type[BaseModel]) -> str:
    """JSON schema of what may be written in a file, with the fields' descriptions."""
    schema = {"$schema": DIALECT, **model.model_json_schema(mode="validation")}
    return json.dumps(schema, indent=2) + "\n"


def write_schemas() -> None:
    """Write all schemas next to the presets."""
    folder = preset_directory() / "schema"
    folder.mkdir(exist_ok=True)
    for name, model in MODELS.items():
        (folder / name).write_text(schema_text(model), encoding="utf-8", newline="\n")


if __name__ == "__main__":
    write_schemas()
