"""The configurations that are shipped: their names, one-line descriptions and texts.

They live in ``configs/`` at the repository's top level, where a checkout and an editable install
find them; a wheel carries a copy inside the package.
"""

from pathlib import Path
from typing import Literal, TypeAlias, get_args

from softmax_cli.config.problems import nearest
from softmax_cli.errors import ConfigurationError

Kind: TypeAlias = Literal["train", "sweep"]
"""The command that a configuration is for."""

_PACKAGE = Path(__file__).resolve().parents[1]
_SCHEMA_COMMENT = "# yaml-language-server: $schema="


def preset_directory() -> Path:
    """Folder of the shipped YAML files.

    Raises:
        ConfigurationError: if the installation has none.
    """
    for folder in (_PACKAGE / "configs", _PACKAGE.parent / "configs"):
        if (folder / "demo.yaml").is_file():
            return folder
    raise ConfigurationError(
        f"expected the shipped configurations in {_PACKAGE / 'configs'}, got nothing there",
        hint="Install softmax again from its checkout, or give the path of a YAML file.",
    )


def preset_names() -> tuple[str, ...]:
    """Names of all presets, sorted."""
    return tuple(sorted(path.stem for path in preset_directory().glob("*.yaml")))


def preset_path(name: str) -> Path:
    """File of a preset.

    Raises:
        ConfigurationError: if no preset has this name.
    """
    names = preset_names()
    if name not in names:
        raise ConfigurationError(
            f"expected the name of a preset, got {name!r}{nearest(name, names)}",
            hint=f"The presets are: {', '.join(names)}.",
        )
    return preset_directory() / f"{name}.yaml"


def preset_text(name: str) -> str:
    """The YAML text of a preset, with its comments.

    Raises:
        ConfigurationError: if no preset has this name.
    """
    return preset_path(name).read_text(encoding="utf-8")


def preset_description(name: str) -> str:
    """What a preset is for: its first line, a comment, without the comment sign.

    Raises:
        ConfigurationError: if no preset has this name.
    """
    return preset_text(name).partition("\n")[0].removeprefix("#").strip()


def preset_kind(name: str) -> Kind:
    """The command that runs a preset, by the schema that its second line names.

    Raises:
        ConfigurationError: if no preset has this name.
    """
    text = preset_text(name)
    return next(kind for kind in get_args(Kind) if _comment(_relative_schema(kind)) in text)


def preset_text_elsewhere(name: str) -> str:
    """The YAML text of a preset for a file anywhere on this machine.

    The comment that tells editors where the schema is names the installed file by its URI, in which
    blanks and what is not ASCII are escaped: editors take the comment to end at a blank.

    Raises:
        ConfigurationError: if no preset has this name.
    """
    kind = preset_kind(name)
    installed = _comment(schema_path(kind).as_uri())
    return preset_text(name).replace(_comment(_relative_schema(kind)), installed, 1)


def schema_path(kind: Kind) -> Path:
    """The JSON schema of a kind of configuration, as an absolute path.

    Raises:
        ConfigurationError: if the installation has none.
    """
    return preset_directory() / _relative_schema(kind)


def _relative_schema(kind: Kind) -> str:
    return f"schema/{kind}.schema.json"


def _comment(schema: str) -> str:
    return f"{_SCHEMA_COMMENT}{schema}\n"
