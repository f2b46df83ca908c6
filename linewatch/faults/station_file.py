"""The station of the fault suite: a real one's times and criteria, but virtual gate, camera and output.

Its actuators come over tcp, with keys of its own, so that strangers can try to come in.
"""

import socket
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from linewatch.core.curve import new_pair
from linewatch.core.errors import StorageError
from linewatch.core.keyring import SERVER, Keyring
from linewatch.core.station import Station, parse_station, read_yaml

_NULL_SIDE_PX = 96
_NULL_DEADLINE_MS = 600.0
_NULL_PACE_PER_MIN, _FASTEST_PER_MIN = 400, 600
_BUDGET_MB = 4.0
FLOOR_MB = 1.0
REJECTER, STRANGER = "rejecter", "stranger"


@dataclass(frozen=True)
class Layout:
    """One station of the suite. path: its file. pace_per_min: parts while a fault is tried."""

    station: Station
    path: Path
    pace_per_min: int
    null: bool


def lay_out(template: Path, path: Path, gate: Path, output: Path, *, null: bool, patience: float = 1.0) -> Layout:
    """Write the suite's station file at `path`.

    template: the user's station file. gate: the virtual serial device, beside which the keys are made. null: with a
    detector that finds nothing, small pictures and a deadline of at most 600 ms; else the station's own network,
    picture size, and deadline times `patience`.
    Raises StationError for the template, StorageError.
    """
    document = read_yaml(template)
    own = parse_station(document, template)
    side_px = _NULL_SIDE_PX if null else min(own.camera.width, own.camera.height)
    document["gate"] = {"kind": "framed", "port": str(gate)}
    document["light"] = {"kind": "serial_command", "duration_us": own.light.duration_us}
    document["camera"] = {"kind": "simulated", "width": side_px, "height": side_px, "seed": 7}
    document["detector"] = {**document["detector"], "model": str(own.detector.model)}
    document["endpoints"] = {"actuators": f"tcp://127.0.0.1:{_free_port()}"}
    document["security"] = {"folder": str(_make_keys(gate.with_name("keys")))}
    document["storage"] = {"output": str(output), "budget_mb": _BUDGET_MB, "floor_mb": FLOOR_MB, "frames": "all"}
    _uncalibrated(document, own)
    if null:
        _hasten(document, own)
    elif patience > 1:
        _slow_down(document, own, patience)
    station = parse_station(document, path)
    try:
        path.write_text(yaml.safe_dump(document, sort_keys=False), encoding="utf-8")
    except OSError as exc:
        raise StorageError(path, exc.strerror or "cannot be written") from exc
    return Layout(station, path, _NULL_PACE_PER_MIN if null else _pace(station), null)


def _make_keys(folder: Path) -> Path:
    """Keys of the line, of the rejecter that may come in, and of a stranger who may not. Raises StorageError."""
    ring = Keyring(folder)
    for name in (SERVER, REJECTER, STRANGER):
        _, public = ring.add(name, *new_pair())
        if name == REJECTER:
            ring.allow(public)
    return folder


def _free_port() -> int:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return int(taken.getsockname()[1])


def _uncalibrated(document: dict[str, Any], own: Station) -> None:
    """Rendered bottles fit no real camera's calibration; the station's exposure and focus are not meant for them."""
    document.pop("calibration", None)
    document.pop("exposure", None)
    document.pop("focus", None)
    document["mm_per_px"] = own.mm_per_px or 0.1


def _hasten(document: dict[str, Any], own: Station) -> None:
    """Short times, so that the suite takes seconds; never longer than the station's own."""
    deadline_ms = min(own.line.deadline_ms, _NULL_DEADLINE_MS)
    transport_ms = deadline_ms + own.rejecter.reaction_ms + 100
    document["line"] = {**document.get("line", {}), "deadline_ms": deadline_ms, "max_capture_ms": deadline_ms * 0.9}
    document["rejecter"] = {"transport_ms": transport_ms, "reaction_ms": own.rejecter.reaction_ms}


def _slow_down(document: dict[str, Any], own: Station, patience: float) -> None:
    """A longer deadline, and a longer way to the rejecter with it."""
    deadline_ms = own.line.deadline_ms * patience
    transport_ms = max(own.rejecter.transport_ms, deadline_ms + own.rejecter.reaction_ms + 100)
    document["line"] = {**document.get("line", {}), "deadline_ms": deadline_ms}
    document["rejecter"] = {"transport_ms": transport_ms, "reaction_ms": own.rejecter.reaction_ms}


def _pace(station: Station) -> int:
    """One part after the other, so that a slow machine's network keeps up."""
    return max(1, min(round(60_000 / station.line.deadline_ms), _FASTEST_PER_MIN))
