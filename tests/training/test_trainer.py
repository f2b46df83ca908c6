"""The loop itself: what a step tells, and what it refuses before anything is changed."""

from pathlib import Path

import numpy as np
import pytest
import torch

from linewatch.core.errors import CheckFailed
from linewatch.dsmoe.network import Architecture, DsMoe
from linewatch.training.annotations import Annotations, Box, Picture
from linewatch.training.config import Augmentation, TrainConfig
from linewatch.training.crops import CropSource
from linewatch.training.trainer import Trainer


@pytest.fixture
def trainer(tmp_path: Path) -> Trainer:
    torch.manual_seed(0)
    rng = np.random.default_rng(0)
    pictures = tuple(Picture(Path(f"{n}.png"), 64, 64, str(n), (Box(n % 2, 10, 10, 12, 12),)) for n in range(4))
    pixels = [rng.integers(0, 256, (64, 64), dtype=np.uint8) for _ in pictures]
    source = CropSource(Annotations(("a", "b"), pictures), pixels, Augmentation(crop_px=32, on_defect=1), seed=0)
    config = TrainConfig.model_validate(
        {
            "model": tmp_path, "classes": ["a", "b"], "product": "p", "licence": "l",
            "data": {"sources": [{"annotations": tmp_path}]},
            "schedule": {
                "steps": 2, "batch": 2, "warmup_steps": 0, "keep_every": 1, "beta2": 0.9, "encoder_rate": 0.25,
            },
        }
    )  # fmt: skip
    network = DsMoe(Architecture(2, width=16, experts=4), torch.randn(2, 1, 8))
    return Trainer(config, network, source, torch.device("cpu"), tmp_path / "state.pt")


def test_a_step_tells_its_losses_and_how_long_the_gradient_was(trainer: Trainer) -> None:
    told: list[dict[str, float]] = []
    assert trainer.run(lambda _: {}, lambda _, found: told.append(found), stop=lambda: False)
    assert len(told) == 2
    for found in told:
        parts = [value for name, value in found.items() if name not in ("loss", "gradient")]
        assert found["loss"] == pytest.approx(sum(parts), rel=1e-4) and found["gradient"] > 0
    assert {group["betas"] for group in trainer.optimiser.param_groups} == {(0.9, 0.9)}


def test_a_gradient_that_is_not_finite_changes_nothing(trainer: Trainer) -> None:
    with torch.no_grad():
        for head in trainer.network.head:
            head.sides.weight.mul_(1e30)  # type: ignore[union-attr, operator]  # finite losses, steeper than float32 can say
    before = {name: value.clone() for name, value in trainer.network.named_parameters()}
    with pytest.raises(CheckFailed, match=r"step 1: gradient is not finite; batch: \d.png"):
        trainer.run(lambda _: {}, lambda *_: None, stop=lambda: False)
    assert not trainer.state_path.exists()
    for name, value in trainer.network.named_parameters():
        assert torch.equal(value, before[name]), name


def test_the_encoder_may_learn_more_slowly(trainer: Trainer) -> None:
    names = {id(value): name for name, value in trainer.network.named_parameters()}
    for group in trainer.optimiser.param_groups:
        encoders = {names[id(value)].startswith("encoder.") for value in group["params"]}
        assert encoders == {group["scale"] == 0.25} and group["scale"] in (0.25, 1.0)
