"""A site with one station, and pictures of a target seen through a known lens."""

import importlib.util
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest
import yaml

from linewatch.pictures.write import write_png

_RENDERING = Path(__file__).with_name("rendering.py")
SIZE_PX = (480, 360)
WriteStation = Callable[..., Path]


@pytest.fixture(scope="session")
def rendering() -> ModuleType:
    """What draws the pictures, with the truth about them."""
    spec = importlib.util.spec_from_file_location("calibrating_rendering", _RENDERING)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="session")
def charuco_views(rendering: ModuleType, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Twelve good views of a ChArUco target, plane.png among them."""
    folder: Path = rendering.write_views(tmp_path_factory.mktemp("views") / "charuco", rendering.texture("charuco"))
    return folder


@pytest.fixture
def write_station(tmp_path: Path) -> WriteStation:
    """Write stations/cam.yaml into the test's site; keywords replace its sections."""

    def write(**changes: Any) -> Path:
        document = {
            "name": "cam",
            "gate": {"kind": "framed", "port": "gate"},
            "camera": {"kind": "folder", "path": "frames", "width": SIZE_PX[0], "height": SIZE_PX[1]},
            "detector": {"model": "models/none", "device": "cpu"},
            "acceptance": [{"class": "*"}],
            "rejecter": {"transport_ms": 400},
            **changes,
        }
        path = tmp_path / "stations" / "cam.yaml"
        path.parent.mkdir(exist_ok=True)
        path.write_text(yaml.safe_dump(document), encoding="utf-8")
        return path

    return write


@pytest.fixture
def fields(tmp_path: Path) -> Callable[..., tuple[Path, Path]]:
    """Folders flat and dark: light that falls off to the corners, an offset, noise, one hot and one dead pixel."""

    def make(count: int = 8, bright: float = 190.0, offset: float = 5.0) -> tuple[Path, Path]:
        rng = np.random.default_rng(3)
        light = bright * vignette()
        for name in ("flat", "dark"):
            (tmp_path / name).mkdir()
            for number in range(count):
                grey = (light if name == "flat" else 0 * light) + offset + rng.normal(0, 3, light.shape)
                grey[50, 60] += 110 if name == "dark" else 0
                if name == "flat":
                    grey[100, 200] = 20
                whole = np.clip(np.rint(grey), 0, 255).astype(np.uint8)
                write_png(tmp_path / name / f"{number}.png", whole)
        return tmp_path / "flat", tmp_path / "dark"

    return make


def vignette() -> np.ndarray:
    """(H, W): share of the light that arrives, 0.6 in the corners."""
    y, x = np.mgrid[-1 : 1 : SIZE_PX[1] * 1j, -1 : 1 : SIZE_PX[0] * 1j]
    return np.asarray(1 - 0.2 * (x**2 + y**2))
