"""The ``softmax`` command: a small file for each subcommand, and what they share.

Commands parse, call the library and print. Only this room prints, and ``main`` is the one place
where an error becomes a message and an exit code. What takes long to import (numpy, pydantic,
matplotlib) is imported inside the commands, so that ``softmax --help`` stays fast.
"""
