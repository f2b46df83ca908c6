"""A model on disk: what is written is what is read, and anything else is refused by name."""

from pathlib import Path

import pytest
import torch
import yaml

from linewatch.core.errors import ModelError
from linewatch.dsmoe.network import Architecture, DsMoe
from linewatch.dsmoe.weights import CARD, WEIGHTS, load_model, save_model

CLASSES = ["a", "b", "c", "d"]


@pytest.fixture
def folder(network: DsMoe, tmp_path: Path) -> Path:
    network.eval()
    with torch.no_grad():
        network.text()  # bakes the student's anchors
    save_model(tmp_path, network, network.architecture, {"name": "small", "classes": CLASSES, "input_px": 128})
    return tmp_path


def test_the_language_part_stays_behind(folder: Path, network: DsMoe, pictures: torch.Tensor) -> None:
    loaded = load_model(folder)
    assert loaded.network.text.student is None
    assert loaded.card.classes == tuple(CLASSES)
    with torch.no_grad():
        torch.testing.assert_close(loaded.network.text(), network.text(), rtol=1e-2, atol=1e-2)
        torch.testing.assert_close(
            loaded.network(pictures).raw.logits, network(pictures).raw.logits, rtol=0.05, atol=0.05
        )


def test_one_picture_does_not_depend_on_its_neighbours(folder: Path) -> None:
    loaded = load_model(folder)
    pictures = torch.randint(0, 256, (3, 1, 128, 128), dtype=torch.uint8)
    alone = loaded.detect(pictures[:1])[0]
    again = loaded.detect(pictures[:1])[0]
    assert all(torch.equal(one, two) for one, two in zip(alone, again, strict=True))


def test_the_card_says_what_the_network_computes_in(folder: Path, pictures: torch.Tensor) -> None:
    card = yaml.safe_load((folder / CARD).read_text())
    raw: list[torch.Tensor] = []
    for precision in ("bf16", "fp32"):
        (folder / CARD).write_text(yaml.safe_dump({**card, "precision": precision}))
        loaded = load_model(folder)
        loaded.network.register_forward_hook(lambda _module, _given, output: raw.append(output.raw.logits))
        loaded.detect(pictures)
        with torch.inference_mode():
            loaded.network(pictures)  # float32, without autocast
    half, plain, full, also_plain = raw
    assert torch.equal(full, plain) and torch.equal(plain, also_plain) and not torch.equal(half, full)


def test_a_card_that_does_not_say_where_boxes_come_from_is_of_the_first_kind(
    teacher: torch.Tensor, tmp_path: Path
) -> None:
    network = DsMoe(Architecture(classes=4, boxes_from="refined"), teacher).eval()
    save_model(tmp_path, network, network.architecture, {"name": "small", "classes": CLASSES, "input_px": 128})
    card = yaml.safe_load((tmp_path / CARD).read_text())
    del card["architecture"]["boxes_from"]
    (tmp_path / CARD).write_text(yaml.safe_dump(card))
    assert load_model(tmp_path).card.architecture.boxes_from == "refined"


@pytest.mark.parametrize("damage", ["missing", "truncated", "exchanged"])
def test_damaged_weights_are_refused_by_name(folder: Path, damage: str) -> None:
    weights = folder / WEIGHTS
    if damage == "missing":
        weights.unlink()
    elif damage == "truncated":
        weights.write_bytes(weights.read_bytes()[:-100])
    else:
        data = bytearray(weights.read_bytes())
        data[-1] ^= 1
        weights.write_bytes(data)
    with pytest.raises(ModelError, match=WEIGHTS):
        load_model(folder)


@pytest.mark.parametrize(
    ("key", "value"),
    [("classes", ["a"]), ("input_px", 100), ("precision", "fp8"), ("architecture", {"klasses": 4}), ("sha256", None)],
)
def test_a_wrong_card_is_refused_by_name(folder: Path, key: str, value: object) -> None:
    card = yaml.safe_load((folder / CARD).read_text())
    card[key] = value
    (folder / CARD).write_text(yaml.safe_dump(card))
    with pytest.raises(ModelError, match=str(folder)):
        load_model(folder)


def test_weights_of_another_architecture_are_refused(folder: Path) -> None:
    card = yaml.safe_load((folder / CARD).read_text())
    card["architecture"]["width"] = 64
    (folder / CARD).write_text(yaml.safe_dump(card))
    with pytest.raises(ModelError, match="expected shape"):
        load_model(folder)
