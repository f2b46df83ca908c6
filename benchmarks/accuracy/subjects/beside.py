"""What of DS-MoE learns apart from the task: the mixture of routers `ida` and `text_ida`, as linewatch trains it."""

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from linewatch.dsmoe.network import DsMoe
from linewatch.training.mixture import MixtureTraining, still_features


class MixtureBeside:
    """Teaches the mixture of `network` before the task and after each of its steps. bf16: of the encoder."""

    def __init__(self, network: DsMoe, training: MixtureTraining, *, bf16: bool) -> None:
        self._network, self._training, self._bf16 = network, training, bf16
        self.features: Tensor | None = None  # (B, FEATURES) of the task's latest step

    def prepare(self, crops: Callable[[int], Tensor]) -> None:
        """The phase before the task. crops: pictures of a step of it, by its number."""
        while self._training.before_task:
            pictures = crops(self._training.step)
            with torch.autocast(pictures.device.type, torch.bfloat16, self._bf16):
                self._training.learn(still_features(self._network, pictures))

    def follow(self) -> None:
        """After a step of the task."""
        if self.features is not None:
            self._training.learn(self.features)

    def state(self) -> dict[str, Any]:
        """What a resumed run needs beside the weights."""
        return self._training.state()

    def restore(self, state: dict[str, Any]) -> None:
        """Go on from what `state` returned."""
        self._training.restore(state)
