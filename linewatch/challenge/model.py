"""Which model a station file names, by what its files say: the network itself is not loaded."""

import hashlib
from dataclasses import dataclass

import yaml

from linewatch.core.errors import ModelError
from linewatch.core.station import Station
from linewatch.core.yamltext import parse_yaml

_CARD = "model.yaml"


@dataclass(frozen=True)
class Inspecting:
    """name: as the line says it in its decisions. sha256: of the weights. classes: that it can see."""

    name: str
    sha256: str
    classes: tuple[str, ...]


def inspecting(station: Station) -> Inspecting:
    """The model of the station. Raises ModelError when its files do not say which it is."""
    detector = station.detector
    path = detector.model if detector.kind == "onnx" else detector.model / _CARD
    try:
        data = path.read_bytes()
        if detector.kind == "onnx":
            return Inspecting(path.name, hashlib.sha256(data).hexdigest(), detector.classes)
        card = parse_yaml(data.decode("utf-8"))
        return Inspecting(detector.model.name, str(card["sha256"]), tuple(map(str, card["classes"])))
    except OSError as exc:
        raise ModelError(path, exc.strerror or "cannot be read") from exc
    except (yaml.YAMLError, UnicodeDecodeError, LookupError, TypeError) as exc:
        raise ModelError(path, "does not say which model it is: sha256 and classes are needed") from exc
