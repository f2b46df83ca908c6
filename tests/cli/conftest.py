"""The real command in a folder of its own, and a station whose model is tiny and has learnt nothing."""

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
import yaml

import linewatch
from linewatch.dsmoe.network import Architecture, DsMoe
from linewatch.dsmoe.weights import save_model

PROJECT = Path(linewatch.__file__).parent.parent
SIDE_PX = 64
Run = Callable[..., subprocess.CompletedProcess[str]]
WriteStation = Callable[..., Path]


def command(*arguments: object) -> list[str]:
    return [sys.executable, "-m", "linewatch", *map(str, arguments)]


def environment(**extra: str) -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": str(PROJECT), "OMP_NUM_THREADS": "1", "COLUMNS": "200", **extra}


@pytest.fixture
def run(tmp_path: Path) -> Run:
    """Run `linewatch ARGUMENTS` in the test's folder, whose runtime folder is its own, too."""

    def run_command(*arguments: object, **extra: str) -> subprocess.CompletedProcess[str]:
        there = environment(RUNTIME_DIRECTORY=str(tmp_path / "r"), **extra)
        return subprocess.run(command(*arguments), cwd=tmp_path, env=there, capture_output=True, text=True, check=False)

    return run_command


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Callable[..., subprocess.Popen[str]]]:
    """Start `linewatch ARGUMENTS` as `run` does, without waiting for its end; nothing outlives the test."""
    started: list[subprocess.Popen[str]] = []

    def start_command(*arguments: object) -> subprocess.Popen[str]:
        there = environment(RUNTIME_DIRECTORY=str(tmp_path / "r"))
        process = subprocess.Popen(command(*arguments), cwd=tmp_path, env=there, stderr=subprocess.PIPE, text=True)
        started.append(process)
        return process

    yield start_command
    for process in started:
        process.kill()
        process.communicate()


@pytest.fixture(scope="session")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("models") / "tiny"
    torch.manual_seed(5)
    architecture = Architecture(classes=2, width=32)
    save_model(
        folder, DsMoe(architecture), architecture, {"name": "tiny", "classes": ["crack", "stone"], "input_px": SIDE_PX}
    )
    return folder


@pytest.fixture
def write_station(tmp_path: Path, model: Path) -> WriteStation:
    """Write station.yaml into the test's folder; keywords replace its sections."""

    def write(**changes: Any) -> Path:
        document = {
            "name": "t",
            "gate": {"kind": "framed", "port": "gate"},
            "camera": {"kind": "simulated", "width": SIDE_PX, "height": SIDE_PX},
            "detector": {"model": str(model), "device": "cpu", "threads": 1},
            "acceptance": [{"class": "*"}],
            "line": {"deadline_ms": 20_000, "max_capture_ms": 20_000, "min_gap_ms": 1},
            "rejecter": {"transport_ms": 30_000},
            **changes,
        }
        path = tmp_path / "station.yaml"
        path.write_text(yaml.safe_dump(document), encoding="utf-8")
        return path

    return write
