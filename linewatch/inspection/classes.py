"""The classes of the model that a station names, without loading its weights."""

from linewatch.core.station import Station


def detector_classes(station: Station) -> tuple[str, ...]:
    """In the model's order. Raises ModelError when its card cannot be read."""
    if station.detector.kind == "onnx":
        return station.detector.classes
    from linewatch.dsmoe.weights import read_card  # loads torch

    return read_card(station.detector.model).classes
