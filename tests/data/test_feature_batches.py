from pathlib import Path

import numpy as np
from PIL import Image

from softmax_cli.data.feature_batches import read_feature_batches
from tests.data.own_arrays import COLUMNS, examples, write_npz


def test_rows_of_several_files_and_what_is_none(tmp_path: Path) -> None:
    features, _ = examples()
    np.save(tmp_path / "a.npy", features)
    write_npz(tmp_path / "b.npz", 3, features=features[:3].astype(np.float64), labels=None)
    np.save(tmp_path / "c.npy", features[:, 1:])
    Image.new("RGB", (5, 5)).save(tmp_path / "d.png")
    broken = features.copy()
    broken[7] = np.inf
    np.save(tmp_path / "e.npy", broken)
    names = ["a.npy", "b.npz", "c.npy", "d.png", "e.npy", "f.npy"]
    sources = [str(tmp_path / name) for name in names] + ["-"]
    first, second, *failed = read_feature_batches(sources, COLUMNS)

    assert first.names[89] == f"{sources[0]}[89]"
    assert (first.images == features).all()
    assert (second.images == features[:3]).all()
    assert second.errors == (None,) * 3
    errors = [batch.errors[0] or "" for batch in failed]
    assert [batch.names for batch in failed] == [(name,) for name in sources[2:]]
    assert errors[0].endswith("got 4 in each row")
    assert "got something else; this model classifies rows of 5 features in .npy" in errors[1]
    assert "got inf in row 7, column 0" in errors[2]
    assert errors[3].startswith("No such file")
    assert errors[4].endswith("not from standard input")
