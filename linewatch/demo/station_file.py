"""The station file of a demo run: the shipped one, with the pty, the folders and the times of this machine in it."""

import math
from dataclasses import dataclass
from pathlib import Path

import yaml

from linewatch.core.cameras import SimulatedCamera
from linewatch.core.errors import StorageError
from linewatch.core.station import Station, parse_station, read_yaml

SITE = Path(__file__).resolve().parents[2]
TEMPLATE = SITE / "stations" / "bottle-sim.yaml"
_WARM_UP_DEADLINE_MS = 10_000


@dataclass(frozen=True)
class Bottles:
    """What the simulated camera shows. seed: none takes the shipped one. model: none takes the shipped one."""

    seed: int | None
    defect_rate: float
    model: Path | None


def write_station(path: Path, gate: Path, bottles: Bottles, deadline_ms: int | None) -> Station:
    """Write the station file at `path`, whose folder is also where its runs go.

    gate: the serial device. deadline_ms: none is long enough for any machine; the transport time grows where it must.
    Returns the station as the daemon will read it. Raises StorageError, or StationError for the shipped file.
    """
    document = read_yaml(TEMPLATE)
    station = parse_station(document, TEMPLATE)
    deadline_ms = deadline_ms or _WARM_UP_DEADLINE_MS
    reaction_ms = station.rejecter.reaction_ms
    model = station.detector.model if bottles.model is None else bottles.model.resolve()
    _set(document, "gate", port=str(gate))
    _set(document, "camera", defect_rate=bottles.defect_rate)
    if bottles.seed is not None:
        _set(document, "camera", seed=bottles.seed)
    _set(document, "detector", model=str(model))
    # The virtual camera renders on the cores that inspect: a slow machine must not fail for its renderer.
    max_capture_ms = max(station.line.max_capture_ms, deadline_ms / 2)
    _set(document, "line", deadline_ms=deadline_ms, max_capture_ms=max_capture_ms)
    _set(document, "rejecter", transport_ms=max(station.rejecter.transport_ms, math.ceil(deadline_ms + reaction_ms)))
    _set(document, "dashboard", port=0)  # a free one: the usual one may serve a real line
    _set(document, "storage", output=str(path.parent.resolve()))
    written = parse_station(document, path)
    try:
        path.write_text(yaml.safe_dump(document, sort_keys=False), encoding="utf-8")
    except OSError as exc:
        raise StorageError(path, exc.strerror or "cannot be written") from exc
    return written


def simulated_camera(station: Station) -> SimulatedCamera:
    """The camera whose seed tells the truth about every part."""
    if not isinstance(station.camera, SimulatedCamera):
        raise TypeError(f"{TEMPLATE}: the demo's camera must be simulated")
    return station.camera


def _set(document: dict[str, dict[str, object]], section: str, **values: object) -> None:
    document.setdefault(section, {}).update(values)
