"""What Python code imports from ``softmax_cli``: data sets, finished runs, and estimators.

``softmax_cli/__init__.py`` exports the names; ``docs/python.md`` shows how they are used. The
estimators behave as scikit-learn's do, and need it no more than the rest of the package.
"""
