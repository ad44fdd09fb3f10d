"""The configurations that are shipped: their names, one-line descriptions and texts.

They live in ``configs/`` at the repository's top level, where a checkout and an editable install
find them; a wheel carries a copy inside the package.
"""

from pathlib import Path

from softmax_cli.config.problems import nearest
from softmax_cli.errors import ConfigurationError

_PACKAGE = Path(__file__).resolve().parents[1]


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
