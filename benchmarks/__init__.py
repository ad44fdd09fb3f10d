"""Benchmarks: this package against what people would use instead, side by side in one run.

``python -m benchmarks`` needs the extra ``bench``. ``python -m benchmarks step`` is quick and needs
no other library.

- ``task``: what every contender of a comparison is given, and how what it learned is judged
- ``contenders``: one class each, with a setup that is not timed and a run that is
- ``timing``: the one loop that times them, in turn
- ``single``, ``sweep``, ``accuracy``, ``optimum``, ``arrays``, ``extraction``, ``features``,
  ``threads``, ``footprint``, ``growth``, ``step``: what is compared
- ``groups``: which of these the command line measures together, and how much of each
- ``machine``: what all of it ran on
- ``results``: what a group has measured, as a file of JSON
- ``report``, ``picture``: tables, Markdown and a plot of all results
- ``document``: ``python -m benchmarks.document`` puts them into docs/benchmarks.md
"""
