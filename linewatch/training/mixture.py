"""The training of the router's mixture, apart from the task's: its own loss, optimiser, memory and curve.

The paper (arXiv 2510.16448) trains its mixture apart from the task; when, is not known here. Ours, two phases of one
procedure. Before the task: `steps` batches of crops pass the encoder as it stands; the first half teaches the
autoencoder, then the components are placed among the latents, then the likelihood is followed, so that the task never
meets an unplaced mixture. Beside the task: the encoder changes with every step and its features are at hand, so the
mixture follows after each of them; were it fitted once, its regions would go stale; fitted by rounds, experts would
change their regions all at once. Updates draw from a memory of the latest crops, many more than a batch.
"""

import math
from typing import Any

import numpy as np
import torch
from torch import Tensor

from linewatch.core.errors import CheckFailed
from linewatch.dsmoe.domain import FEATURES, InputDomain, pooled
from linewatch.dsmoe.network import DsMoe
from linewatch.training.config import Mixture

_DRAWN = 256  # features of one update
# Learning rates of the autoencoder over the mixture's: once components lie in its latents, it may move them slowly.
_AUTOENCODER_BEFORE, _AUTOENCODER_AFTER = 0.2, 0.1


class MixtureTraining:
    """Teaches `domain` in place. `step` counts from 1; `history`: what was measured at each step."""

    def __init__(self, domain: InputDomain, rules: Mixture, seed: int) -> None:
        self.domain, self.rules, self.seed = domain, rules, seed
        mixture, rest = list(domain.mixture.parameters()), [*domain.encode.parameters(), *domain.decode.parameters()]
        self.optimiser = torch.optim.Adam([{"params": mixture}, {"params": rest}], lr=rules.learning_rate)
        self.memory = torch.empty(0, FEATURES, device=domain.mean.device)
        self.step = 0
        self.history: list[dict[str, float]] = []

    @property
    def before_task(self) -> bool:
        """Whether the phase before the task is still to be done."""
        return self.step < self.rules.steps

    def learn(self, features: Tensor) -> dict[str, float]:
        """Take in the features (B, FEATURES) of new crops, then update.

        Returns losses by name on the new crops, before anything was learnt from them: `reconstruction`, and `nll` once
        the components are placed. Raises CheckFailed when one is not finite.
        """
        if not len(self.memory):
            self.domain.measure(features)
        found = self._losses_on(features)
        self.memory = torch.cat([self.memory, features.detach()])[-self.rules.memory :]
        self.domain.measure(self.memory)
        if not self.domain.placed and self.step >= self.rules.steps // 2:
            self.domain.place(self.memory, self.seed)
        self.step += 1
        for number in range(self.rules.updates):
            self._update(number)
        self.history.append({"step": self.step, **found})
        return found

    def state(self) -> dict[str, Any]:
        """What a resumed run needs beside the network."""
        return {
            "optimiser": self.optimiser.state_dict(),
            "memory": self.memory,
            "step": self.step,
            "history": self.history,
        }

    def restore(self, state: dict[str, Any]) -> None:
        """Go on from what `state` returned."""
        self.optimiser.load_state_dict(state["optimiser"])
        self.memory, self.step, self.history = state["memory"], state["step"], state["history"]

    @torch.no_grad()
    def _losses_on(self, features: Tensor) -> dict[str, float]:
        found = {name: value.item() for name, value in self.domain.losses(features).items()}
        bad = [name for name, value in found.items() if not math.isfinite(value)]
        if bad:
            raise CheckFailed(f"mixture step {self.step + 1}", f"loss {', '.join(bad)} is not finite")
        return found

    def _update(self, number: int) -> None:
        rng = np.random.default_rng((self.seed, self.step, number))
        drawn = torch.from_numpy(rng.permutation(len(self.memory))[:_DRAWN]).to(self.memory.device)
        share = _AUTOENCODER_AFTER if self.domain.placed else _AUTOENCODER_BEFORE
        self.optimiser.param_groups[1]["lr"] = share * self.rules.learning_rate
        losses = self.domain.losses(self.memory[drawn])
        torch.stack(list(losses.values())).sum().backward()  # type: ignore[no-untyped-call]
        self.optimiser.step()
        self.optimiser.zero_grad(set_to_none=True)


@torch.no_grad()
def still_features(network: DsMoe, pictures: Tensor) -> Tensor:
    """Pooled encoder features (B, FEATURES) of pictures as the task's training sees them; nothing is moved."""
    network.train()
    running = dict(network.encoder.named_buffers())
    kept = {name: value.clone() for name, value in running.items()}
    features = pooled(network.taps(pictures))
    for name, value in running.items():
        value.copy_(kept[name])  # running statistics are the task's to move
    return features
