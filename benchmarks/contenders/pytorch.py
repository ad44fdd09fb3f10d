"""The eager loop that a user of torch would write."""

from collections.abc import Sequence
from typing import Any

from benchmarks.machine import cores
from benchmarks.task import LinearModel, Task


class TorchLoop:
    """``nn.Linear``, ``cross_entropy`` and ``SGD`` with weight decay, one model after another.

    The images are a float32 tensor, preprocessed beforehand.

    Args:
        task: what is to be trained.
        members: which of its models; None for all of them.
    """

    name = "torch, eager loop"

    def __init__(self, task: Task, members: Sequence[int] | None = None) -> None:
        self._task = task
        self._members = range(task.recipe.models) if members is None else members
        self.share = len(self._members) / task.recipe.models
        self._models: list[Any] = []

    def setup(self) -> None:
        import torch

        torch.set_num_threads(cores())
        self._X = torch.from_numpy(self._task.features)
        self._y = torch.from_numpy(self._task.labels)

    def run(self) -> None:
        self._models = [self._train(member) for member in self._members]

    def _train(self, member: int) -> Any:
        import torch
        from torch import nn
        from torch.nn import functional

        recipe, X, y = self._task.recipe, self._X, self._y
        torch.manual_seed(recipe.seed + member)
        model = nn.Linear(X.shape[1], self._task.classes)
        for parameter in model.parameters():
            nn.init.normal_(parameter, std=recipe.weight_scale)
        optimizer = torch.optim.SGD(
            model.parameters(),
            lr=recipe.learning_rates[member],
            weight_decay=recipe.regularizations[member],
        )
        for _ in range(recipe.iterations):
            indices = torch.randint(len(X), (recipe.batch_size,))
            loss = functional.cross_entropy(model(X[indices]), y[indices])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
        return model

    def learned(self) -> Sequence[LinearModel]:
        return [
            self._task.model(model.weight.detach().numpy().T, model.bias.detach().numpy())
            for model in self._models
        ]
