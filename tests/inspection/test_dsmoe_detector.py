"""The real network, tiny input, random weights: what must hold whatever it has learnt."""

import re
from pathlib import Path

import numpy as np
import pytest
import torch

from linewatch.core.detectors import DsmoeDetector as Config
from linewatch.core.errors import DeviceError, ModelError
from linewatch.dsmoe.network import Architecture, DsMoe
from linewatch.dsmoe.weights import save_model
from linewatch.inspection.dsmoe_detector import DsmoeDetector
from linewatch.pictures.types import Picture
from linewatch.training.predicting import fitted

SIDE_PX = 96
CLASSES = ("crack", "stone")


def write_model(folder: Path, damage: float = 0.0, input_px: int = SIDE_PX) -> None:
    torch.manual_seed(3)
    architecture = Architecture(classes=len(CLASSES), width=32)
    network = DsMoe(architecture)
    with torch.no_grad():
        for name, parameter in network.head.named_parameters():
            if name.endswith("logits.bias"):
                parameter.fill_(1.0)  # so that a network that has learnt nothing still detects something
            if name.endswith("logits.weight"):
                parameter[0, 0] += damage
    card = {"name": "random", "classes": list(CLASSES), "input_px": input_px}
    save_model(folder, network, architecture, card)


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("model")
    write_model(folder)
    return folder


def open_detector(folder: Path, channels: int = 1) -> DsmoeDetector:
    return DsmoeDetector.open(Config(model=folder, device="cpu", threads=1), channels)


def noise(seed: int, height: int = SIDE_PX, width: int = SIDE_PX) -> Picture:
    return np.random.default_rng(seed).integers(0, 256, (height, width), dtype=np.uint8)


@pytest.fixture(scope="module")
def detector(model: Path) -> DsmoeDetector:
    opened = open_detector(model)
    opened.warm_up()
    return opened


def test_it_names_its_model_and_classes(detector: DsmoeDetector) -> None:
    assert detector.classes == CLASSES
    assert re.fullmatch(r"random [0-9a-f]{12} on cpu", detector.name)


def test_detections_lie_in_the_given_picture(detector: DsmoeDetector) -> None:
    (found,) = detector.detect([noise(0, height=48, width=192)])
    assert found
    assert max(d.x + d.width / 2 for d in found) > SIDE_PX  # scaled back to the 192 px that were given
    assert all(d.label in CLASSES and 0 <= d.score <= 1 for d in found)


def test_the_same_picture_gives_the_same_bits(detector: DsmoeDetector) -> None:
    once = detector.detect([noise(1)])
    detector.detect([noise(2)])
    assert detector.detect([noise(1)]) == once


def test_neighbours_in_a_batch_change_no_bit(model: Path) -> None:
    """On a GPU parts share batches of one fixed shape; the same code at batch 2 on this machine."""
    loaded = open_detector(model)._model
    pairs = DsmoeDetector(loaded, torch.device("cpu"), batch_size=2, channels=1)
    (alone,) = pairs.detect([noise(1)])
    beside = pairs.detect([noise(1), noise(2)])
    assert beside[0] == alone
    assert len(beside) == 2


def test_colour_and_grey_of_the_same_picture_agree(model: Path, detector: DsmoeDetector) -> None:
    colour = np.repeat(noise(1)[:, :, None], 3, axis=2)
    assert open_detector(model, channels=3).detect([colour]) == detector.detect([noise(1)])


@pytest.mark.parametrize(("height", "width"), [(96, 96), (50, 70), (300, 200)])
def test_pictures_are_fitted_as_in_the_evaluation(height: int, width: int) -> None:
    from linewatch.inspection.letterbox import letterbox, scale_into

    picture = noise(4, height, width)
    square, scale = fitted(picture, SIDE_PX)
    assert np.array_equal(letterbox(picture, SIDE_PX)[0], square)
    assert scale_into(height, width, SIDE_PX) == scale


def test_damaged_weights_are_found_before_the_first_part(tmp_path: Path) -> None:
    write_model(tmp_path, damage=float("nan"))
    with pytest.raises(ModelError, match="not finite"):
        open_detector(tmp_path).warm_up()


def test_an_input_size_that_the_network_cannot_take_is_a_model_error(tmp_path: Path) -> None:
    write_model(tmp_path, input_px=97)
    with pytest.raises(ModelError):
        open_detector(tmp_path).warm_up()


@pytest.mark.skipif(torch.cuda.is_available(), reason="this machine has a GPU")
def test_a_gpu_that_is_not_there_is_a_device_error(model: Path) -> None:
    with pytest.raises(DeviceError, match="CUDA"):
        DsmoeDetector.open(Config(model=model, device="cuda"), channels=1)


def test_missing_weights_are_a_model_error(tmp_path: Path) -> None:
    write_model(tmp_path)
    (tmp_path / "weights.safetensors").unlink()
    with pytest.raises(ModelError, match="missing"):
        open_detector(tmp_path)
