"""Whether a station's detector would find anything, and whether the acceptance criteria fit it.

torch is loaded for DS-MoE alone: a station with a model of the user's own is checked without it.
"""

from collections.abc import Iterator

from linewatch.core.errors import LinewatchError
from linewatch.core.station import Station
from linewatch.inspection.acceptance import criteria_errors
from linewatch.inspection.classes import detector_classes
from linewatch.inspection.start import open_detector


def detector_errors(station: Station, where: object) -> Iterator[LinewatchError]:
    """What keeps the network of `station` from inspecting, and the criteria from judging. where: named in errors."""
    if station.detector.kind == "onnx":
        yield from _onnx_errors(station)
    else:
        from linewatch.check.model import network_errors

        yield from network_errors(station.detector.model)
    try:
        classes = detector_classes(station)
    except LinewatchError:
        return  # said already
    # A scale that a broken calibration would give is no second error.
    mm_per_px = station.mm_per_px or (None if station.calibration is None else 1.0)
    yield from criteria_errors(station.acceptance, classes, mm_per_px, where)


def missing_device(station: Station) -> Iterator[LinewatchError]:
    """The GPU, when the station asks for one and it is not there."""
    if station.detector.kind == "onnx":
        return
    from linewatch.inspection.dsmoe_detector import choose_device

    try:
        choose_device(station.detector.device)
    except LinewatchError as exc:
        yield exc


def _onnx_errors(station: Station) -> Iterator[LinewatchError]:
    """The file is loaded and run, as at start-up: shapes that it leaves open show only then."""
    try:
        open_detector(station).warm_up()
    except LinewatchError as exc:
        yield exc
