"""Exponential moving average of the network: what is validated and shipped."""

import torch
from torch import Tensor, nn


class Ema:
    """A shadow state dict; its decay grows to `decay` over the first steps, so that it does not remember the start."""

    def __init__(self, network: nn.Module, decay: float) -> None:
        self._decay = decay
        self.state = {name: value.detach().clone() for name, value in network.state_dict().items()}

    @torch.no_grad()
    def update(self, network: nn.Module, step: int) -> None:
        """step: how many optimiser steps were taken, from 1."""
        decay = min(self._decay, (1 + step) / (10 + step))
        for name, value in network.state_dict().items():
            shadow: Tensor = self.state[name]
            if value.is_floating_point():
                shadow.lerp_(value.detach(), 1 - decay)
            else:
                shadow.copy_(value)
