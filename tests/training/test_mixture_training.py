"""The router's own training phase: its likelihood improves, it goes on after a stop, and it touches nothing else."""

from pathlib import Path

import numpy as np
import pytest
import torch
import yaml

from linewatch.core.errors import CheckFailed
from linewatch.dsmoe.domain import FEATURES, InputDomain
from linewatch.dsmoe.network import Architecture, DsMoe
from linewatch.dsmoe.weights import read_card
from linewatch.training.annotations import Annotations, Box, Picture
from linewatch.training.config import Augmentation, Mixture, TrainConfig
from linewatch.training.crops import CropSource
from linewatch.training.mixture import MixtureTraining
from linewatch.training.run import MIXTURE_CURVE, STATE, train
from linewatch.training.trainer import Trainer

PROJECT = Path(__file__).parents[2]
RULES = Mixture(components=2, latent=4, steps=30, batch=16, memory=400)


def batch(step: int, shift: float = 0.0) -> torch.Tensor:
    """Features of 16 crops of four kinds."""
    generator = torch.Generator().manual_seed(step)
    kind = torch.randint(0, 4, (16,), generator=generator)
    middle = torch.randn(4, FEATURES, generator=torch.Generator().manual_seed(99))
    return middle[kind] + shift + 0.3 * torch.randn(16, FEATURES, generator=generator)


def phase(seed: int = 0) -> MixtureTraining:
    torch.manual_seed(seed)
    return MixtureTraining(InputDomain(4, RULES.components, RULES.latent), RULES, seed)


def test_likelihood_improves_on_crops_not_yet_seen_and_all_experts_work() -> None:
    learning = phase()
    for step in range(60):
        found = learning.learn(batch(step))
    likelihood = [entry["nll"] for entry in learning.history if "nll" in entry]
    assert "nll" not in learning.history[14] and len(likelihood) == 60 - 16
    assert np.mean(likelihood[-10:]) < np.mean(likelihood[:3]) - 0.3
    assert learning.history[-1]["reconstruction"] < 0.7 * learning.history[0]["reconstruction"]
    assert not learning.before_task and set(found) == {"nll", "reconstruction"}
    load = learning.domain(learning.memory).exp().mean(0)
    assert len(learning.memory) == RULES.memory and float(load.min()) > 0.3 / 4


def test_a_stopped_phase_goes_on_as_if_unbroken(tmp_path: Path) -> None:
    whole, broken = phase(), phase()
    for step in range(20):
        whole.learn(batch(step))
        if step < 17:
            broken.learn(batch(step))
    torch.save([broken.state(), broken.domain.state_dict()], tmp_path / "state.pt")
    state, domain = torch.load(tmp_path / "state.pt", weights_only=True)
    resumed = phase(seed=0)
    resumed.domain.load_state_dict(domain)
    resumed.restore(state)
    for step in range(17, 20):
        resumed.learn(batch(step))
    assert resumed.history == whole.history
    for name, value in whole.domain.state_dict().items():
        torch.testing.assert_close(resumed.domain.state_dict()[name], value)


def test_a_loss_that_is_not_finite_is_named() -> None:
    learning = phase()
    learning.learn(batch(0))
    with pytest.raises(CheckFailed, match=r"mixture step 2.*reconstruction"):
        learning.learn(batch(1) * torch.nan)


@pytest.fixture
def source() -> CropSource:
    rng = np.random.default_rng(0)
    pictures = tuple(Picture(Path(f"{n}.png"), 64, 64, str(n), (Box(n % 2, 10, 10, 12, 12),)) for n in range(4))
    pixels = [rng.integers(0, 256, (64, 64), dtype=np.uint8) for _ in pictures]
    return CropSource(Annotations(("a", "b"), pictures), pixels, Augmentation(crop_px=32), seed=0)


def test_the_phase_before_the_task_changes_nothing_but_the_mixture(tmp_path: Path, source: CropSource) -> None:
    torch.manual_seed(0)
    network = DsMoe(Architecture(2, width=16, experts=4, router="ida", components=2), torch.randn(2, 1, 8))
    config = TrainConfig.model_validate(
        {
            "model": tmp_path, "classes": ["a", "b"], "product": "p", "licence": "l", "router": "ida",
            "data": {"sources": [{"annotations": tmp_path}]}, "mixture": {"steps": 4, "batch": 4, "components": 2},
        }
    )  # fmt: skip
    before = {name: value.clone() for name, value in network.state_dict().items()}
    trainer = Trainer(config, network, source, torch.device("cpu"), tmp_path / "state.pt")
    assert not trainer.fit_mixture(lambda *_: None, stop=lambda: True)  # stopped after its first step, state kept
    trainer.resume()
    assert trainer.fit_mixture(lambda *_: None, stop=lambda: False)
    changed = {name for name, value in network.state_dict().items() if not torch.equal(value, before[name])}
    assert changed and all(name.startswith("domain.") for name in changed)
    assert trainer.mixture is not None and trainer.mixture.step == 4 and bool(network.domain.placed)  # type: ignore[union-attr]
    taught = {id(value) for group in trainer.optimiser.param_groups for value in group["params"]}
    assert not taught & {id(value) for value in network.domain.parameters()}  # type: ignore[union-attr]
    torch.testing.assert_close(
        trainer.ema.state["domain.mixture.centres"], network.state_dict()["domain.mixture.centres"]
    )


@pytest.mark.slow
@pytest.mark.parametrize("router", ["ida", "text_ida", "dense"])
def test_train_with_each_router(tmp_path: Path, router: str) -> None:
    from linewatch.sim.dataset import write_dataset
    from linewatch.sim.scene import CLASSES

    assert list(write_dataset(tmp_path, seed=5, count=12, size_px=96, defect_rate=0.6)) == list(range(12))
    document = {
        "model": str(PROJECT / "models/bottle-bottom"), "classes": list(CLASSES), "product": "p", "licence": "l",
        "input_px": 96, "width": 16, "router": router,
        "data": {
            "sources": [{"annotations": str(tmp_path / "annotations.json"), "images": str(tmp_path / "images")}],
            "validation_share": 0.4,
        },
        "augmentation": {"crop_px": 64}, "mixture": {"steps": 4, "batch": 4, "components": 2},
        "schedule": {"steps": 3, "batch": 2, "warmup_steps": 1, "validate_every": 2, "keep_every": 1},
    }  # fmt: skip
    (tmp_path / "train.yaml").write_text(yaml.safe_dump(document))
    assert train(tmp_path / "train.yaml", output=tmp_path / "out", device="cpu", threads=1)
    assert read_card(tmp_path / "out").architecture.router == router
    state = torch.load(tmp_path / "out" / STATE, weights_only=True)["mixture"]
    assert (tmp_path / "out" / MIXTURE_CURVE).exists() == (router != "dense")
    assert (state is None) if router == "dense" else state["step"] == 4 + 3
