"""The contenders: classes with ``setup``, ``run`` and ``learned``, as ``timing.Contender`` says.

Other libraries are imported in ``setup``, so that what does without them runs without them. Every
contender may use all cores.
"""
