"""The training loop, read once from top to bottom: resumable after a kill, with the batches of an unbroken run."""

import math
import textwrap
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from pickle import UnpicklingError
from typing import Any

import numpy as np
import torch
from torch import Tensor

from linewatch.core.errors import CheckFailed, ModelError
from linewatch.dsmoe.criterion import Weights, losses
from linewatch.dsmoe.network import DsMoe
from linewatch.training.config import Schedule, TrainConfig
from linewatch.training.crops import CropSource, Sample
from linewatch.training.ema import Ema
from linewatch.training.mixture import MixtureTraining, still_features
from linewatch.training.team import ALONE, Team

MIXTURE_CROPS = 1_000_000_000  # steps from here on name crops that the task does not draw

Validate = Callable[[DsMoe], dict[str, float]]
Report = Callable[[int, dict[str, float]], None]


@dataclass
class Progress:
    """Where a run stands: steps done and what was measured on the way."""

    step: int = 0
    losses: list[dict[str, float]] = field(default_factory=list)
    validations: list[dict[str, float]] = field(default_factory=list)


class Trainer:
    """One run: network, optimiser, shadow weights and progress, all kept in one state file."""

    def __init__(
        self, config: TrainConfig, network: DsMoe, source: CropSource, device: torch.device, state: Path,
        team: Team = ALONE,
    ) -> None:  # fmt: skip
        self.config, self.network, self.source, self.device, self.state_path = config, network, source, device, state
        self.team = team
        schedule = config.schedule
        self.optimiser = torch.optim.AdamW(
            parameter_groups(network, schedule), lr=schedule.learning_rate, betas=(0.9, schedule.beta2), fused=True
        )
        self.ema = Ema(network, schedule.ema_decay)
        self.progress = Progress()
        domain = network.domain
        self.mixture = None if domain is None else MixtureTraining(domain, config.mixture, config.seed)

    def fit_mixture(self, report: Report, stop: Callable[[], bool]) -> bool:
        """The mixture's phase before the task, where there is a mixture; False when `stop` said so (state kept).

        It changes nothing of the network but the mixture and its autoencoder.
        """
        while self.mixture is not None and self.mixture.before_task:
            samples = self.source.batch(MIXTURE_CROPS + self.mixture.step, self.config.mixture.batch)
            pictures = to_tensors(self.team.share(samples), self.device)[0]
            with torch.autocast(self.device.type, torch.bfloat16):
                found = self.mixture.learn(self.team.gather(still_features(self.network, pictures)))
            step = self.mixture.step
            report(step, {"loss": sum(found.values()), **found})
            if not self.mixture.before_task:
                self.ema = Ema(self.network, self.config.schedule.ema_decay)  # not the average with what was unplaced
            stopping = stop()
            if step % self.config.schedule.keep_every == 0 or not self.mixture.before_task or stopping:
                self.keep()
            if stopping:
                return False
        return True

    def run(self, validate: Validate, report: Report, stop: Callable[[], bool]) -> bool:
        """Train to the end of the schedule and validate there; False when `stop` said so before (state kept)."""
        schedule = self.config.schedule
        while self.progress.step < schedule.steps:
            found = self._step()
            step = self.progress.step
            report(step, found)
            if step % 10 == 0:
                self.progress.losses.append({"step": step, **found})
            if step % schedule.validate_every == 0 and step < schedule.steps:
                self._validate(validate)
            stopping = stop()
            if step % schedule.keep_every == 0 or step == schedule.steps or stopping:
                self.keep()
            if stopping:
                return False
        self._validate(validate)
        return True

    def _validate(self, validate: Validate) -> None:
        if self.team.leads:
            self.progress.validations.append({"step": self.progress.step, **validate(self.shadow())})

    def shadow(self) -> DsMoe:
        """The averaged network, in eval mode, in the form that ships (anchors baked)."""
        shadow = self.network.__class__(self.network.architecture, self.network.text.teacher)
        shadow.load_state_dict(self.ema.state)
        shadow.to(self.device).to(memory_format=torch.channels_last).eval()
        with torch.no_grad():
            shadow.text()
        return shadow

    def keep(self) -> None:
        """Write the whole state; a kill at any instant leaves the last whole one. In a team its leader writes."""
        if not self.team.leads:
            return
        state = {
            "network": self.network.state_dict(),
            "ema": self.ema.state,
            "optimiser": self.optimiser.state_dict(),
            "step": self.progress.step,
            "losses": self.progress.losses,
            "validations": self.progress.validations,
            "mixture": None if self.mixture is None else self.mixture.state(),
        }
        temporary = self.state_path.with_suffix(".new")
        torch.save(state, temporary)
        temporary.replace(self.state_path)

    def resume(self) -> None:
        """Go on from the state file. Raises ModelError when it is damaged or of another network."""
        try:
            self._restore(torch.load(self.state_path, map_location=self.device, weights_only=True))
        except (RuntimeError, KeyError, ValueError, TypeError, EOFError, UnpicklingError) as exc:
            reason = textwrap.shorten(str(exc), 160)
            raise ModelError(
                self.state_path, f"damaged, or of another network; move it, or change --output ({reason})"
            ) from exc

    def _restore(self, state: dict[str, Any]) -> None:
        self.network.load_state_dict(state["network"])
        self.ema.state = state["ema"]
        self.optimiser.load_state_dict(state["optimiser"])
        self.progress = Progress(state["step"], state["losses"], state["validations"])
        if self.mixture is not None:
            self.mixture.restore(state["mixture"])

    def _step(self) -> dict[str, float]:
        schedule = self.config.schedule
        step = self.progress.step
        for group in self.optimiser.param_groups:
            group["lr"] = group["scale"] * learning_rate(step, schedule)
        samples = self.team.share(self.source.batch(step, schedule.batch))
        pictures, boxes, labels = to_tensors(samples, self.device)
        self.network.train()
        with torch.autocast(self.device.type, torch.bfloat16):
            output = self.network(pictures)
        parts = losses(output, self.network.text, boxes, labels, Weights())
        total = torch.stack(list(parts.values())).sum()
        self._refuse_non_finite(total, {f"loss {name}": value for name, value in parts.items()}, samples)
        self.optimiser.zero_grad(set_to_none=True)
        total.backward()  # type: ignore[no-untyped-call]
        self._bring_together()
        gradient = torch.nn.utils.clip_grad_norm_(self.network.parameters(), schedule.clip_norm)
        self._refuse_non_finite(gradient, {"gradient": gradient}, samples)
        self.optimiser.step()
        self.network.encoder.calm_attention(schedule.attention_limit)
        self.progress.step = step + 1
        values = torch.stack([total, *parts.values(), gradient]).detach()
        self.team.average([values])
        found = dict(zip(["loss", *parts, "gradient"], values.tolist(), strict=True))
        if self.mixture is not None and output.features is not None:
            found |= self.mixture.learn(self.team.gather(output.features))
        self.ema.update(self.network, self.progress.step)
        return found

    def _bring_together(self) -> None:
        """In a team: gradients and running statistics of all become their mean."""
        if self.team.size == 1:
            return
        for group in self.optimiser.param_groups:
            for value in group["params"]:
                value.grad = torch.zeros_like(value) if value.grad is None else value.grad
        gradients = [value.grad for group in self.optimiser.param_groups for value in group["params"]]
        statistics = [value for value in self.network.buffers() if value.is_floating_point()]
        self.team.average([*gradients, *statistics])

    def _refuse_non_finite(self, total: Tensor, parts: dict[str, Tensor], samples: list[Sample]) -> None:
        if not self.team.any(not bool(torch.isfinite(total)), self.device):
            return
        bad = [name for name, value in parts.items() if not bool(torch.isfinite(value))] or ["what another process has"]
        names = ", ".join(sorted({sample.name for sample in samples}))
        raise CheckFailed(
            f"step {self.progress.step + 1}", f"{', '.join(bad)} is not finite; batch: {names}; "
            f"the last good state is {self.state_path}"
        )  # fmt: skip


def learning_rate(step: int, schedule: Schedule) -> float:
    """Linear warm-up, then half a cosine down to 1%."""
    if step < schedule.warmup_steps:
        return schedule.learning_rate * (step + 1) / schedule.warmup_steps
    done = (step - schedule.warmup_steps) / max(1, schedule.steps - schedule.warmup_steps)
    return schedule.learning_rate * (0.01 + 0.99 * 0.5 * (1 + math.cos(math.pi * min(1.0, done))))


def parameter_groups(network: DsMoe, schedule: Schedule) -> list[dict[str, Any]]:
    """Parameters by learning rate (layer-wise in the encoder) and by weight decay (matrices and kernels only).

    Those of the mixture and its autoencoder are not among them: they have an optimiser of their own.
    """
    groups: dict[tuple[float, bool], dict[str, Any]] = {}
    for name, value in network.named_parameters():
        if name.startswith("domain."):
            continue
        scale = 1.0
        if name.startswith("encoder."):
            above = network.encoder.depth - network.encoder.depth_of(name.removeprefix("encoder."))
            scale = schedule.encoder_rate * schedule.layer_decay**above
        decays = value.ndim > 1 and "attention_biases" not in name
        group = groups.setdefault(
            (scale, decays),
            {"params": [], "scale": scale, "weight_decay": schedule.weight_decay if decays else 0.0},
        )
        group["params"].append(value)
    return list(groups.values())


def to_tensors(samples: list[Sample], device: torch.device) -> tuple[Tensor, list[Tensor], list[Tensor]]:
    """pictures (B, 1, S, S) uint8; boxes and labels per picture."""
    pictures = torch.from_numpy(np.stack([sample.pixels for sample in samples]))[:, None].to(device)
    boxes = [torch.from_numpy(sample.boxes).to(device) for sample in samples]
    labels = [torch.from_numpy(sample.labels).to(device) for sample in samples]
    return pictures, boxes, labels
