"""``python -m softmax_cli``: the same program as ``softmax``."""

from softmax_cli.cli.main import main

if __name__ == "__main__":
    main()
