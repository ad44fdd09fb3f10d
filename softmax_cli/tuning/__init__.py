"""Sweeps: a search space becomes trials, trials become stacks, stacks become results.

- ``trials``: every combination of parameters that is tried, as a resolved configuration
- ``stacks``: which trials are trained side by side
- ``stack_run``: one stack trained, or a stage of its training
- ``stack_states``: the states of stacks on disk
- ``here``, ``cluster``: where stacks are trained, this process or the workers of a Dask cluster
- ``outcomes``: the result of each trial, and their order
- ``records``: the outcomes on disk
- ``halving``: the stages of successive halving
- ``best_run``: the best trial as a run directory of its own
- ``sweep``: all of it in a run directory, resumable
- ``extension``: whether a sweep may go on with other settings
- ``edges``: where the search space is too small
- ``estimate``: what a sweep will take, without running it
"""
