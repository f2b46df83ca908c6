"""The one loop that trains every network of the comparison: AdamW, warm-up and cosine, EMA; resumable after a kill."""

import copy
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from torch import nn

from benchmarks.accuracy.data import Batches
from benchmarks.accuracy.subjects.subject import Batch, Subject
from linewatch.core.errors import CheckFailed
from linewatch.training.config import Schedule
from linewatch.training.crops import Sample
from linewatch.training.ema import Ema
from linewatch.training.trainer import MIXTURE_CROPS, learning_rate, to_tensors


class Training:
    """One run. state: file that holds it between two calls; schedule: with the learning rate of this network."""

    def __init__(
        self, subject: Subject, batches: Batches, schedule: Schedule, seed: int, device: torch.device, state: Path
    ) -> None:
        self.subject, self.batches, self.schedule, self.device = subject, batches, schedule, device
        self._seed, self._state = seed, state
        fresh = not state.exists()
        if fresh and subject.beside is not None:
            subject.beside.prepare(lambda step: to_tensors(batches.at(MIXTURE_CROPS + step), device)[0])
        self.optimiser = torch.optim.AdamW(
            parameter_groups(subject, schedule),
            lr=schedule.learning_rate, betas=(0.9, schedule.beta2), fused=True,
        )  # fmt: skip
        self.ema = Ema(subject.network, schedule.ema_decay)
        self.step = 0
        self.losses: list[tuple[int, float]] = []
        if not fresh:
            self._resume()

    def run(self, stop: Callable[[], bool], report: Callable[[int, float], None]) -> bool:
        """Train to the end of the schedule; False when `stop` said so before (state kept)."""
        while self.step < self.schedule.steps:
            if stop():
                self._keep()
                return False
            loss = self._step()
            report(self.step, loss)
            if self.step % 10 == 0 or self.step == self.schedule.steps:
                self.losses.append((self.step, loss))
            if self.step % self.schedule.keep_every == 0:
                self._keep()
        return True

    def averaged(self) -> Subject:
        """A copy with the averaged weights, in eval mode."""
        subject = copy.deepcopy(self.subject)
        subject.network.load_state_dict(self.ema.state)
        subject.network.eval()
        return subject

    def _step(self) -> float:
        for group in self.optimiser.param_groups:
            group["lr"] = learning_rate(self.step, self.schedule) * group["scale"]
        samples = self.batches.at(self.step)
        # A network that draws numbers (D-FINE's denoising) draws those of its step, whether or not it was resumed.
        torch.manual_seed(self._seed * 1_000_003 + self.step)
        self.subject.network.train()
        loss = self.subject.loss(Batch(*to_tensors(samples, self.device)))
        value = float(loss.detach())
        self._refuse_non_finite(value, samples)
        self.optimiser.zero_grad(set_to_none=True)
        loss.backward()  # type: ignore[no-untyped-call]
        nn.utils.clip_grad_norm_(self.subject.network.parameters(), self.schedule.clip_norm)
        self.optimiser.step()
        if self.subject.encoder is not None:
            self.subject.encoder.calm_attention(self.schedule.attention_limit)
        if self.subject.beside is not None:
            self.subject.beside.follow()
        self.step += 1
        self.ema.update(self.subject.network, self.step)
        return value

    def _refuse_non_finite(self, loss: float, samples: list[Sample]) -> None:
        if loss - loss != 0:  # neither infinity nor NaN takes itself away
            names = ", ".join(sorted({sample.name for sample in samples}))
            raise CheckFailed(f"step {self.step + 1}", f"loss is not finite; batch: {names}", loss)

    def _keep(self) -> None:
        state = {
            "network": self.subject.network.state_dict(),
            "ema": self.ema.state,
            "optimiser": self.optimiser.state_dict(),
            "step": self.step,
            "losses": self.losses,
            "beside": None if self.subject.beside is None else self.subject.beside.state(),
        }
        self._state.parent.mkdir(parents=True, exist_ok=True)
        partial = self._state.with_suffix(".new")
        torch.save(state, partial)
        partial.replace(self._state)

    def _resume(self) -> None:
        state: dict[str, Any] = torch.load(self._state, map_location=self.device, weights_only=True)
        self.subject.network.load_state_dict(state["network"])
        self.ema.state = state["ema"]
        self.optimiser.load_state_dict(state["optimiser"])
        if self.subject.beside is not None:
            self.subject.beside.restore(state["beside"])
        self.step, self.losses = state["step"], [(int(step), float(loss)) for step, loss in state["losses"]]


def parameter_groups(subject: Subject, schedule: Schedule) -> list[dict[str, Any]]:
    """Weight decay for matrices and kernels only; `encoder_rate` for linewatch's encoder, which peers do not have."""
    slow = set() if subject.encoder is None else {id(value) for value in subject.encoder.parameters()}
    groups: dict[tuple[float, bool], dict[str, Any]] = {}
    for name, value in subject.network.named_parameters():
        if not value.requires_grad:
            continue
        scale = schedule.encoder_rate if id(value) in slow else 1.0
        decays = value.ndim > 1 and "attention_biases" not in name
        decay = schedule.weight_decay if decays else 0.0
        group = groups.setdefault((scale, decays), {"params": [], "scale": scale, "weight_decay": decay})
        group["params"].append(value)
    return list(groups.values())
