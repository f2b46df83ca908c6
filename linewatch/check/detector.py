"""Whether a station's detector would find anything, and whether the acceptance criteria fit it.

torch is loaded for DS-MoE alone: a station with a model of the user's own is checked without it.
"""

import time
from collections.abc import Iterator

import numpy as np

from linewatch.check.answers import Answer, Finding, Looked, warning
from linewatch.core.errors import LinewatchError, ModelError, StationError
from linewatch.core.keeping import ANY
from linewatch.core.station import Station
from linewatch.inspection.acceptance import criteria_errors
from linewatch.inspection.classes import detector_classes
from linewatch.inspection.start import open_detector

_PARTS = 3


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


def strange_retention(station: Station, where: object) -> Iterator[LinewatchError]:
    """Rules of storage.retention for a class that the model does not have: perhaps one of a model before it."""
    try:
        classes = detector_classes(station)
    except LinewatchError:
        return  # said already
    for place, rule in enumerate(station.storage.retention):
        if rule.label not in (None, ANY, *classes):
            reason = f"the model has no such class, only {', '.join(classes)}"
            yield StationError(f"{where}: storage.retention.{place}.class", reason, rule.label)


def missing_device(station: Station) -> Iterator[LinewatchError]:
    """The GPU, when the station asks for one and it is not there."""
    if station.detector.kind == "onnx":
        return
    from linewatch.inspection.dsmoe_detector import choose_device

    try:
        choose_device(station.detector.device)
    except LinewatchError as exc:
        yield exc


def detector_speed(station: Station) -> Looked:
    """How long the network takes to be ready, and for one part; that must leave time before the deadline."""
    camera = station.camera
    part = np.full((camera.height, camera.width) if camera.grey else (camera.height, camera.width, 3), 128, np.uint8)
    try:
        began = time.monotonic()
        detector = open_detector(station)
        detector.warm_up()
        warm = time.monotonic()
        for _ in range(_PARTS):
            detector.detect([part])
    except LinewatchError:
        return  # said already
    part_ms, deadline_ms = (time.monotonic() - warm) * 1000 / _PARTS, station.line.deadline_ms
    yield Answer("detector", f"{detector.name}: warm after {warm - began:.1f} s, {part_ms:.0f} ms a part")
    error = ModelError(
        detector.name, f"ms a part leaves too little of line.deadline_ms = {deadline_ms:g}", round(part_ms)
    )
    if part_ms >= deadline_ms:
        yield Finding(error)
    elif part_ms > deadline_ms / 2:
        yield warning(error)


def _onnx_errors(station: Station) -> Iterator[LinewatchError]:
    """The file is loaded and run, as at start-up: shapes that it leaves open show only then."""
    try:
        open_detector(station).warm_up()
    except LinewatchError as exc:
        yield exc
