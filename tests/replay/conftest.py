"""Recorded folders of tiny pictures, and the station that they fit."""

import importlib.util
import json
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
import yaml

from linewatch.pictures.write import write_png

WIDTH_PX, HEIGHT_PX = 48, 32
SPOT_REPLAY = Path(__file__).with_name("spot_replay.py")


@pytest.fixture(scope="session")
def spot_replay() -> ModuleType:
    """The module that tests also run as a command."""
    spec = importlib.util.spec_from_file_location("spot_replay", SPOT_REPLAY)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def station_file(tmp_path: Path) -> Path:
    path = tmp_path / "station.yaml"
    document = {
        "name": "tiny",
        "gate": {"kind": "framed", "port": "unused"},
        "camera": {"kind": "folder", "path": "unused", "width": WIDTH_PX, "height": HEIGHT_PX},
        "detector": {"model": "models/none"},
        "acceptance": [{"class": "*", "min_score": 0.5}],
        "line": {"deadline_ms": 100, "min_gap_ms": 25},
        "rejecter": {"transport_ms": 1000},
    }
    path.write_text(yaml.safe_dump(document))
    return path


def write_picture(path: Path, grey: int = 100, spot: bool = False) -> None:
    picture = np.full((HEIGHT_PX, WIDTH_PX), grey, np.uint8)
    if spot:
        picture[20, 30] = 255
    write_png(path, picture)


@pytest.fixture
def pictures(tmp_path: Path) -> Callable[[str], Path]:
    """A plain folder, a character a picture: g good, b bad, x makes the network raise, t cut short, w of wrong size."""

    def make(kinds: str) -> Path:
        folder = tmp_path / "pictures"
        folder.mkdir()
        for number, kind in enumerate(kinds, start=1):
            path = folder / f"{number:03d}_{kind}.png"
            write_picture(path, grey=13 if kind == "x" else 100, spot=kind == "b")
            if kind == "t":
                path.write_bytes(path.read_bytes()[:-20])
            if kind == "w":
                write_png(path, np.zeros((HEIGHT_PX, WIDTH_PX + 1), np.uint8))
        return folder

    return make


@pytest.fixture
def recording(tmp_path: Path) -> Callable[[list[tuple[int, str | None]]], Path]:
    """A linewatch recording: a time in ms and `g`, `b` or None (no frame) a trigger."""

    def make(triggers: list[tuple[int, str | None]]) -> Path:
        folder = tmp_path / "recording"
        (folder / "frames").mkdir(parents=True)
        with (folder / "triggers.jsonl").open("w") as file:
            for seq, (t_ms, kind) in enumerate(triggers, start=1):
                name = None if kind is None else f"frames/{seq:08d}.png"
                if name is not None:
                    write_picture(folder / name, spot=kind == "b")
                line = {
                    "seq": seq,
                    "t_ns": t_ms * 10**6,
                    "counter": 40 + seq,
                    "file": name,
                    "reason": "" if name else "gone",
                }
                file.write(json.dumps(line) + "\n")
        return folder

    return make
