"""What the station file names: the model with the hash of its weights, the calibration, the way to the line."""

import contextlib
import hashlib
from pathlib import Path
from urllib.parse import urlsplit

import yaml

from linewatch.core.curve import ClientKeys
from linewatch.core.detectors import OnnxDetector
from linewatch.core.errors import CalibrationError, StationError
from linewatch.core.keyring import SERVER
from linewatch.core.station import Station
from linewatch.core.yamltext import parse_yaml
from linewatch.dashboard.board import InUse
from linewatch.line.endpoints import needs_keys
from linewatch.line.runtime import resolve
from linewatch.pictures.calibration import load_station_calibration

_ANYWHERE = ("*", "0.0.0.0", "[::]")


def in_use(station: Station, runtime: Path) -> InUse:
    """Never fails: what cannot be read is left empty, and the line itself says what is wrong with it."""
    model = station.detector.model
    calibration = "" if station.calibration is None else "/".join(station.calibration.parts[-2:])
    sha256 = _file_sha256(model) if isinstance(station.detector, OnnxDetector) else _card_sha256(model / "model.yaml")
    return InUse(model.name, sha256, calibration, _picture_px(station), way_to(station.endpoints.observers, runtime))


def way_to(endpoint: str, runtime: Path) -> str:
    """Where to connect for what the line binds as `endpoint`: an address of this machine for `any`."""
    endpoint = resolve(endpoint, runtime)
    if endpoint.startswith("tcp://"):
        host, _, port = urlsplit(endpoint).netloc.rpartition(":")
        return f"tcp://127.0.0.1:{port}" if host in _ANYWHERE else endpoint
    return endpoint


def keys_of(station: Station) -> ClientKeys | None:
    """The keys to listen with, none when the line asks for none. Raises StationError, KeysError."""
    endpoints = station.endpoints
    if not needs_keys(endpoints.observers, endpoints.plaintext):
        return None
    if station.dashboard.key is None:
        remedy = "`linewatch keys new dashboard` and `linewatch keys allow keys/dashboard.pub` make one"
        raise StationError(
            "dashboard.key", f"is needed, because endpoints.observers asks for keys ({remedy})", endpoints.observers
        )
    return ClientKeys.read(station.security.folder / f"{SERVER}.pub", station.dashboard.key)


def _picture_px(station: Station) -> tuple[int, int]:
    with contextlib.suppress(CalibrationError):
        calibration = load_station_calibration(station)
        if calibration is not None:
            return calibration.rectified_px
    return station.camera.width, station.camera.height


def _card_sha256(card: Path) -> str:
    with contextlib.suppress(OSError, yaml.YAMLError, UnicodeDecodeError):
        document = parse_yaml(card.read_text(encoding="utf-8"))
        if isinstance(document, dict):
            return str(document.get("sha256", ""))
    return ""


def _file_sha256(path: Path) -> str:
    with contextlib.suppress(OSError), path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
    return ""
