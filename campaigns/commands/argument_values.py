"""Values for the command line, right and wrong, with the exit codes each leads to.

0 is for what is right. A value with several codes may be met by any of several checks first.
"""

from collections.abc import Mapping, Sequence

Codes = tuple[int, ...]
Values = Mapping[str, Codes]
LONG = "x" * 300
FINE: Codes = (0,)
USAGE: Codes = (2,)


def table(*groups: tuple[Codes, Sequence[str]]) -> Values:
    """Values with their codes, from groups that share them."""
    return {value: codes for codes, values in groups for value in values}


OWN_FILES = ("mine.yaml", "with space.yaml", "größer 図.yaml", "new\nline.yaml")
NO_SETTINGS = (
    "odd.yaml", "wrong.yaml", "missing.yaml", "no-such-preset", "empty", "binary", "huge", "folder",
    "unreadable.yaml", "loop", "dangling", "cat.png", "/dev/zero", "/dev/null", "", LONG, "json",
    "trained", "no text \udcff", "-", "/proc/self/mem",
)  # fmt: skip
CONFIGS = {
    "train": table(
        (FINE, ("demo", *OWN_FILES, "trained/config.yaml", "./mine.yaml")),
        (USAGE, (*NO_SETTINGS, "demo-sweep", "sweep of mine.yaml")),
    ),
    "sweep": table(
        (FINE, ("demo-sweep", *(f"sweep of {name}" for name in OWN_FILES), "swept/sweep.yaml")),
        (USAGE, (*NO_SETTINGS, "demo", "mine.yaml")),
    ),
}
NEW = (
    "runs/new", "plain", "with space", "größer 図", "new\nrun", "-lead", "no text \udcff",
    "a\x1b[31mb", "deep/er/still", "empty-folder", "[bold]x[/bold]", "[/]", ":smile:",
    "$\\frac{$", "%s{0}",
)  # fmt: skip
NO_PLACE = table(
    (USAGE, ("folder", "cat.png", "broken-data", "", "future", "unmarked", "/dev/null")),
    ((1,), ("read-only/run",)),
    ((1, 2), ("loop", "dangling", "cat.png/run", LONG, "unreadable-run", "/proc/run")),
)
TRAININGS = ("trained", "hinged", "link to trained", "halted", "flipped", "größer 図\nrun", "torn")
SWEEPS = ("swept", "halted-sweep", "torn-sweep")
NO_RUN = table(
    (USAGE, ("folder", "missing", "loop", "dangling", "", "future", "unmarked", "/dev/zero",
              "no text \udcff", "-lead", "empty-folder", "broken-data")),
    ((1, 2), ("unreadable-run", LONG)),
)  # fmt: skip
RESUMED = {
    "train": {
        **NO_RUN,
        **table(
            (FINE, ("trained", "link to trained", "hinged", "halted", "beginning")),
            (USAGE, ("swept", "cat.png", "halted-sweep")),
            ((3,), ("damaged",)),
            ((0, 2, 3), ("torn", "flipped", "modelless", "other-features")),
        ),
    },
    "sweep": {
        **NO_RUN,
        **table(
            (FINE, ("swept", "halted-sweep")),
            (USAGE, ("trained", "halted", "cat.png", "swept/best")),
            ((3,), ("torn-sweep",)),
        ),
    },
}
NO_MODEL = (
    "flipped", "damaged", "halted", "beginning", "other-features", "other-classes", "no-scale",
    "no-tensors", "no-loss", "empty", "binary", "huge", "cat.png", "json", "trained/config.yaml",
)  # fmt: skip
MODELS = {
    **NO_RUN,
    **table(
        (FINE, ("trained", "trained", "hinged", "swept/best", "trained/model.safetensors",
                 "trained/best.safetensors", "link to trained", "größer 図\nrun")),
        (USAGE, ("swept",)),
        ((3,), NO_MODEL),
        ((1, 2, 3), ("unreadable.png",)),
    ),
}  # fmt: skip
DRAWN = {
    **NO_RUN,
    **table(
        (FINE, ("trained", "hinged", "swept", "swept/best", "link to trained", "halted")),
        (USAGE, ("trained/model.safetensors", "cat.png", "empty", "huge", "binary")),
        ((3,), ("flipped", "other-features", "no-scale", "no-tensors", "halted-sweep",
                "torn-sweep", "modelless")),
        ((0, 3), ("damaged", "torn", "beginning", "no-loss")),
    ),
}  # fmt: skip
IMAGES = table(
    (FINE, ("cat.png", "with space.png", "größer 図.png", "new\nline.png", "two.npy",
             "no text \udcff.png", "./-lead.png", "trained/curves.png")),
    ((1,), ("cut.png", "no size.ppm", "bomb.png", "floats.npy", "objects.npy", "cut.npy", "empty",
            "binary", "huge", "folder", "loop", "dangling", "missing.png", "unreadable.png",
            "/dev/zero", "", LONG, "mine.yaml", "trained/model.safetensors")),
    ((0, 1), ("flipped.png",)),
    (USAGE, ("-lead.png",)),
)  # fmt: skip
SOURCES = table(
    ((3,), ("missing", "empty", "binary", "huge", "archive.tar.gz", "folder", "loop", "dangling",
            "broken-data", "cat.png", "/dev/zero", "", "no text \udcff", "trained")),
    ((1, 2, 3), ("unreadable.png", "unreadable-run", LONG)),
)  # fmt: skip
DATA_DIRS = ("missing", "broken-data", "cat.png", "loop", "folder", "empty-folder", "größer 図")
SEEDS = table(
    (FINE, ("0", "7", "4294967296")),
    (USAGE, ("-1", "x", "1.5", "1e3", "", "nan", "9" * 30, "0x10")),
)
TEMPERATURES = table(
    (FINE, ("0.5", "2", "1e3")), (USAGE, ("-1", "0", "x", "nan", "inf", "1e400", "", "1,5"))
)
OVERRIDES = table(
    (FINE, ("optimizer.learning_rate=1e-8", "optimizer.momentum=0.5",
             "training.sampling=epoch", "preprocessing.scale=pixel", "model.temperature=2.0",
             "augmentation.horizontal_flip=true", "training.batch_size=50", "data.dir=größer 図",
             "model.temperature={start: 4.0, end: 1.0, decay: linear}",
             "training.early_stopping={patience: 2}", "data.validation_size=100")),
    (USAGE, ("optimizer.learning_rat=1", "optimizer.learning_rate=fast", "novalue", "=", "=1",
              "training.batch_size=-1", "training.batch_size=[1]", "training.batch_size=1e400",
              "training.epochs=1", "seed=1.5", f"seed={'9' * 30}", "model={}x", "data.dataset=3",
              "model.temperature={start: 1}", "optimizer.momentum=1.5", "model.loss=squared",
              "optimizer..momentum=1", ".=1", "training.batch_size='200'", "data.dir=[1]",
              "optimizer.learning_rate=.nan", "optimizer.learning_rate=.inf", "optimizer=*a",
              "optimizer.momentum=!!python/object/apply:os.system [id]", f"seed={'[' * 200}",
              "\udcff=1", "data.dir=\udcff", f"{LONG}=1", "data.train_size=60000", "a\n=1")),
    ((0, 4), ("optimizer.learning_rate=1e20",)),
)  # fmt: skip
ENVIRONMENT = {
    "NO_COLOR": ("1", ""), "FORCE_COLOR": ("1", "x"), "TERM": ("dumb", "", "no-such-terminal"),
    "COLUMNS": ("0", "-5", "abc", "1", "30", "99999"), "LINES": ("0", "x"),
    "SOFTMAX_DEBUG": ("", "0", "yes", "2"), "SOFTMAX_CIFAR10_URL": ("", "no url", "ftp://x"),
    "SOFTMAX_DATA_DIR": ("", "missing", "cat.png", "loop", "x" * 5000, "new\nline", "größer 図"),
    "LC_ALL": ("C", "xx"), "HOME": ("/nowhere", ""), "TMPDIR": ("/nowhere",),
    "MPLCONFIGDIR": ("/nowhere",), "HTTPS_PROXY": ("nonsense", "socks9://x"),
}  # fmt: skip
