"""What scikit-learn recognises by its own classes.

Whoever imports this imports scikit-learn, so that is done only where it is loaded already.
"""

from typing import Any

from sklearn import exceptions
from sklearn.utils import ClassifierTags, InputTags, Tags, TargetTags

from softmax_cli.errors import NotFittedError

ConvergenceWarning = exceptions.ConvergenceWarning
DataConversionWarning = exceptions.DataConversionWarning


class NotFittedEstimatorError(NotFittedError, exceptions.NotFittedError):  # type: ignore[misc] # scikit-learn has no types
    """An estimator is asked too early, in the terms of both packages."""


def classifier_tags() -> Any:
    """The tags of a classifier of dense, finite features."""
    return Tags(
        estimator_type="classifier",
        target_tags=TargetTags(required=True),
        classifier_tags=ClassifierTags(),
        input_tags=InputTags(),
    )
