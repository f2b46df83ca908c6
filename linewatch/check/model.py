"""Whether a model folder is whole."""

from collections.abc import Iterator
from pathlib import Path

from linewatch.core.errors import ConfigError, ModelError
from linewatch.dsmoe.weights import WEIGHTS, ModelCard, load_model, read_card
from linewatch.training.prompts import load_prompts
from linewatch.training.text import load_text


def model_errors(folder: Path) -> list[ConfigError]:
    """Everything that is wrong with the model in `folder`: card, sha256, weights, descriptions and their embeddings."""
    try:
        card = read_card(folder)
    except ModelError as exc:
        return [exc]
    return [*network_errors(folder), *_text_errors(folder, card)]


def network_errors(folder: Path) -> Iterator[ConfigError]:
    """What keeps the network in `folder` from inspecting."""
    try:
        network = load_model(folder).network
    except ModelError as exc:
        yield exc
        return
    for name, value in network.state_dict().items():
        if not value.isfinite().all():
            yield ModelError(f"{folder / WEIGHTS}: {name}", "has values that are not finite")


def _text_errors(folder: Path, card: ModelCard) -> Iterator[ConfigError]:
    try:
        load_text(folder / "text.safetensors", load_prompts(folder / "prompts.yaml", card.classes))
    except ModelError as exc:
        yield exc
