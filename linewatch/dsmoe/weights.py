"""A model on disk: model.yaml (the card), weights.safetensors, prompts.yaml; written once, checked at every load."""

import hashlib
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal, get_args

import torch
import yaml
from safetensors.torch import load_file, save_file
from torch import Tensor

from linewatch.core.errors import ModelError, StorageError
from linewatch.core.yamltext import parse_yaml
from linewatch.dsmoe.fusion import fuse
from linewatch.dsmoe.head import Raw, select
from linewatch.dsmoe.network import Architecture, DsMoe

CARD = "model.yaml"
WEIGHTS = "weights.safetensors"

Precision = Literal["bf16", "fp32"]


@dataclass(frozen=True)
class ModelCard:
    """What model.yaml says that the program needs; the rest of it is for people.

    precision: what the network computes in; bf16 was measured to cost nothing that counts before a card says so.
    """

    name: str
    classes: tuple[str, ...]
    input_size: int
    sha256: str
    architecture: Architecture
    threshold: float | None = None
    precision: Precision = "bf16"


@dataclass(frozen=True)
class LoadedModel:
    """A network ready to inspect."""

    card: ModelCard
    network: DsMoe
    device: torch.device

    def detect(self, pictures: Tensor, *, min_score: float = 0.01) -> list[tuple[Tensor, Tensor, Tensor]]:
        """pictures: (B, 1 or 3, S, S) uint8 on `device`. Per picture: boxes (n, 4) px, scores (n,), labels (n,)."""
        with torch.inference_mode():
            return select(self.raw(pictures), min_score=min_score)

    def raw(self, pictures: Tensor) -> Raw:
        """pictures: as for `detect`. What the head says, before anything is selected."""
        with torch.inference_mode(), torch.autocast(self.device.type, torch.bfloat16, self.card.precision == "bf16"):
            raw: Raw = self.network(pictures).raw
        return raw


def load_model(folder: Path, device: str = "cpu") -> LoadedModel:
    """The model in `folder`, fused and in eval mode. Raises ModelError naming path, value and reason."""
    card = read_card(folder)
    network = DsMoe(card.architecture)
    network.load_state_dict(_checked_state(folder, card, network.state_dict()))
    network.eval()
    fuse(network)
    target = torch.device(device)
    network.to(target).to(memory_format=torch.channels_last)
    return LoadedModel(card, network, target)


def read_card(folder: Path) -> ModelCard:
    """The card of the model in `folder`. Raises ModelError."""
    path = folder / CARD
    try:
        document = parse_yaml(path.read_text(encoding="utf-8"))
    except OSError as exc:
        raise ModelError(path, exc.strerror or "cannot be read") from exc
    except (yaml.YAMLError, UnicodeDecodeError) as exc:
        raise ModelError(path, f"is not YAML: {exc}") from exc
    try:
        classes = tuple(str(name) for name in document["classes"])
        architecture = Architecture(**{"boxes_from": "refined", **document["architecture"]})  # older cards lack it
        size, sha256 = int(document["input_px"]), str(document["sha256"])
        threshold, precision = document.get("threshold"), document.get("precision", "bf16")
        card = ModelCard(str(document["name"]), classes, size, sha256, architecture, threshold, precision)
    except (KeyError, TypeError, ValueError) as exc:
        raise ModelError(path, f"lacks or misstates {exc}") from exc
    if size <= 0 or size % 32:
        raise ModelError(f"{path}: input_px", "must be a positive multiple of 32", size)
    if precision not in get_args(Precision):
        raise ModelError(f"{path}: precision", f"must be one of {', '.join(get_args(Precision))}", precision)
    if len(classes) != architecture.classes:
        raise ModelError(f"{path}: architecture.classes", f"but {len(classes)} classes are named", architecture.classes)
    return card


def save_model(folder: Path, network: DsMoe, architecture: Architecture, card: dict[str, Any]) -> str:
    """Write the weights and the card with their sha256; returns the sha256. Raises StorageError.

    Matrices and kernels are bf16; vectors (biases, norms, running statistics) stay float32: they are few and exact.
    """
    state = {
        name: value.to(torch.bfloat16).contiguous() if value.is_floating_point() and value.squeeze().ndim > 1 else value
        for name, value in network.state_dict().items()
        if not name.startswith("text.student") and not name.endswith("num_batches_tracked")
    }
    temporary = folder / (WEIGHTS + ".new")
    try:
        folder.mkdir(parents=True, exist_ok=True)
        save_file(state, temporary)
        temporary.replace(folder / WEIGHTS)
        sha256 = sha256_of(folder / WEIGHTS)
        whole = {**card, "sha256": sha256, "architecture": asdict(architecture)}
        text = yaml.safe_dump(whole, sort_keys=False, allow_unicode=True, width=110)
        (folder / CARD).write_text(text, encoding="utf-8")
    except OSError as exc:
        raise StorageError(folder, exc.strerror or "cannot be written") from exc
    return sha256


def sha256_of(path: Path) -> str:
    """Hex digest of the file at `path`."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _checked_state(folder: Path, card: ModelCard, wanted: dict[str, Tensor]) -> dict[str, Tensor]:
    path = folder / WEIGHTS
    if not path.is_file():
        raise ModelError(path, "weights are missing")
    found = sha256_of(path)
    if found != card.sha256:
        raise ModelError(path, f"sha256 is {found[:12]}…, the card says {card.sha256[:12]}…: damaged or exchanged")
    try:
        state = load_file(path)
    except Exception as exc:  # safetensors raises its own type and OSError alike
        raise ModelError(path, f"is no safetensors file: {exc}") from exc
    state = {**{name: value for name, value in wanted.items() if name.endswith("num_batches_tracked")}, **state}
    for name, value in wanted.items():
        if name not in state or state[name].shape != value.shape:
            given = tuple(state[name].shape) if name in state else "nothing"
            raise ModelError(f"{path}: {name}", f"expected shape {tuple(value.shape)}", given)
    return {name: state[name] for name in wanted}
