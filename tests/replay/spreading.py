"""What the tests of `replay --ray` share: a station, a recording, the command, and its workers."""

import importlib.util
import json
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml

import linewatch
from linewatch.pictures.write import write_png

PROJECT = Path(linewatch.__file__).parent.parent
PATIENCE_S = 240.0
SIDE_PX = 32
needs_ray = pytest.mark.skipif(importlib.util.find_spec("ray") is None, reason="ray is not installed")


def write_network(path: Path) -> Path:
    """An ONNX file whose score is the mean brightness; NaN where all is black, a failing run where all is white."""
    source = PROJECT / "tests" / "inspection" / "onnx_files.py"
    spec = importlib.util.spec_from_file_location("onnx_files", source)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    written: Path = module.write(path, "yolo_end_to_end")
    return written


def write_station(folder: Path, **changes: Any) -> Path:
    pytest.importorskip("onnx")
    document = {
        "name": "t",
        "gate": {"kind": "framed", "port": "gate"},
        "camera": {"kind": "folder", "path": "unused", "width": SIDE_PX, "height": SIDE_PX},
        "detector": {"kind": "onnx", "model": str(write_network(folder / "own.onnx")), "output": "yolo_end_to_end",
                     "classes": ["crack", "stone"]},
        "acceptance": [{"class": "*", "min_score": 0.6}],
        "line": {"deadline_ms": 100, "min_gap_ms": 25, "max_capture_ms": 40},
        "alarms": {"consecutive_rejects": 3},
        "rejecter": {"transport_ms": 1000},
        **changes,
    }  # fmt: skip
    path = folder / "station.yaml"
    path.write_text(yaml.safe_dump(document))
    return path


def write_recording(folder: Path, triggers: int) -> Path:
    """Pictures of every kind, shown over and over; some triggers without a picture, some too close to the last."""
    (folder / "frames").mkdir(parents=True)
    for number, grey in enumerate((0, 40, 90, 140, 170, 200, 230, 255)):
        picture = np.full((SIDE_PX, SIDE_PX), grey, np.uint8)
        write_png(folder / "frames" / f"{number}.png", picture)
    torn = folder / "frames" / "1.png"
    (folder / "frames" / "8.png").write_bytes(torn.read_bytes()[:-20])
    write_png(folder / "frames" / "9.png", np.zeros((SIDE_PX, SIDE_PX + 1), np.uint8))
    t_ns = 0
    with (folder / "triggers.jsonl").open("w") as file:
        for seq in range(1, triggers + 1):
            t_ns += 10_000_000 if seq % 13 == 0 else 30_000_000
            name = None if seq % 17 == 0 else f"frames/{seq * 7 % 10}.png"
            line = {"seq": seq, "t_ns": t_ns, "counter": seq, "file": name, "reason": "" if name else "lost"}
            file.write(json.dumps(line) + "\n")
    return folder


def command(folder: Path, station: Path, output: Path, *more: str) -> list[str]:
    words = [sys.executable, "-m", "linewatch", "replay", folder, "--station", station, "--output", output, *more]
    return [str(word) for word in words]


def environment(**variables: str) -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": str(PROJECT), **variables}


def run(*words: Any, cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command(*words), capture_output=True, text=True, timeout=PATIENCE_S, check=False, env=environment(), cwd=cwd
    )


def files_of(output: Path) -> dict[str, bytes]:
    """What was written and tells no time of the wall clock: decisions and crops."""
    names = [output / "decisions.jsonl", *sorted((output / "crops").iterdir())]
    return {path.name: path.read_bytes() for path in names}


def events_of(output: Path) -> list[tuple[str, str, int]]:
    read = [json.loads(line) for line in (output / "events.jsonl").read_text().splitlines()]
    return [(event["kind"], event["text"], event["seq"]) for event in read]


def workers_of(pid: int) -> list[int]:
    """Processes of Ray below `pid` that inspect."""
    parents = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                parents[int(entry.name)] = int((entry / "stat").read_text().rpartition(")")[2].split()[1])
            except OSError:
                continue
    below = {pid}
    while more := {child for child, parent in parents.items() if parent in below} - below:
        below |= more
    return [one for one in below if b"ray::Worker" in cmdline(one)]


def cmdline(pid: int) -> bytes:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return b""


def until(condition: Any) -> None:
    end = time.monotonic() + PATIENCE_S
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.05)
