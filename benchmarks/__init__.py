"""Benchmarks: this package against what people would use instead, side by side in one run.

``python -m benchmarks`` needs the extra ``bench``. ``python -m benchmarks step`` is quick and needs
no other library.

- ``task``: what every contender of a comparison is given, and how what it learned is judged
- ``contenders``: one class each, with a setup that is not timed and a run that is
- ``timing``: the one loop that times them, in turn
- ``single``, ``sweep``, ``accuracy``, ``footprint``, ``growth``, ``step``: what is compared
- ``machine``: what all of it ran on
- ``report``, ``picture``: tables, JSON, Markdown and a plot
"""
