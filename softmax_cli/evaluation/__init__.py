"""Metrics and calibration of scores. Arrays in, numbers out."""

from softmax_cli.evaluation.calibration import Reliability, fit_temperature, reliability
from softmax_cli.evaluation.metrics import (
    ClassMetrics,
    Evaluation,
    accuracy,
    confusion_matrix,
    evaluate,
    most_confident_errors,
    most_confused_pairs,
    per_class_metrics,
    predictions,
    top_classes,
    top_k_accuracy,
)

__all__ = [
    "ClassMetrics",
    "Evaluation",
    "Reliability",
    "accuracy",
    "confusion_matrix",
    "evaluate",
    "fit_temperature",
    "most_confident_errors",
    "most_confused_pairs",
    "per_class_metrics",
    "predictions",
    "reliability",
    "top_classes",
    "top_k_accuracy",
]
