"""Sweeps: a search space becomes trials, trials become stacks, stacks become results.

- ``trials``: every combination of parameters that is tried, as a resolved configuration
- ``stacks``: which trials are trained side by side
- ``stack_run``: one stack trained, or a stage of its training
- ``outcomes``: what came of each trial, and their order
- ``halving``: the stages of successive halving
- ``cluster``: stacks on the workers of a Dask cluster
- ``sweep``: all of it in a run directory, resumable
- ``estimate``: what a sweep will take, without running it
"""
