"""``python -m benchmarks.document FOLDER``: results as the measured part of docs/benchmarks.md."""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from benchmarks.groups import GROUPS
from benchmarks.report import write_document
from benchmarks.results import load
from softmax_cli.errors import DataError, SoftmaxError

_DOCS = Path(__file__).parents[1] / "docs"


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; the exit code is 2 if there is nothing to write or nowhere to."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.document", description=__doc__)
    parser.add_argument("folder", type=Path, help="what python -m benchmarks --output was given")
    parser.add_argument("--document", type=Path, default=_DOCS / "benchmarks.md")
    parser.add_argument("--picture", type=Path, default=_DOCS / "pictures" / "benchmarks.png")
    options = parser.parse_args(arguments)
    try:
        results = load(options.folder, list(GROUPS))
        if not results:
            raise DataError(f"{options.folder}: expected results such as single.json, got none")
        write_document(results, options.document, options.picture)
    except (SoftmaxError, OSError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
