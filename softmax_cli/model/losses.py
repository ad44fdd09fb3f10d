"""The losses that ``model.loss`` can name.

To add one: a file with its :class:`~softmax_cli.model.loss.Loss`, an entry here, and its name in
``softmax_cli/config/model_schema.py``.
"""

from typing import Final

from softmax_cli.model.hinge_loss import HINGE
from softmax_cli.model.loss import Loss
from softmax_cli.model.softmax_loss import SOFTMAX

LOSSES: Final[dict[str, Loss]] = {loss.name: loss for loss in (SOFTMAX, HINGE)}
