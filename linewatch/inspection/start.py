"""Putting the inspector process together from its station file."""

from pathlib import Path

from linewatch.core.child import Child, controller_channel, runtime_folder
from linewatch.core.clock import MonotonicClock
from linewatch.core.errors import UsageError
from linewatch.core.logs import set_up
from linewatch.core.station import Station, load_station
from linewatch.inspection.detector import Detector
from linewatch.inspection.drift import Drift
from linewatch.inspection.inspector import assemble
from linewatch.inspection.process import CHILD, InspectorProcess
from linewatch.pictures.frames import RingReader


def open_detector(station: Station) -> Detector:
    """The detector that the station names, not warm yet. Raises ModelError or DeviceError.

    Only what it needs is loaded: torch for DS-MoE, ONNX Runtime for a model of the user's own.
    """
    channels = 1 if station.camera.grey else 3
    if station.detector.kind == "onnx":
        from linewatch.inspection.onnx_detector import OnnxDetector

        return OnnxDetector.open(station.detector, channels)
    from linewatch.inspection.dsmoe_detector import DsmoeDetector

    return DsmoeDetector.open(station.detector, channels)


def serve(arguments: list[str]) -> None:
    """Be the inspector process until told to stop. arguments: the station file.

    Raises UsageError, StationError, CalibrationError, ModelError or DeviceError before it has said Ready.
    """
    if len(arguments) != 1:
        raise UsageError("linewatch.inspection", "takes one argument: the station file", arguments)
    set_up(CHILD)
    path, clock = Path(arguments[0]), MonotonicClock()
    station, runtime, channel = load_station(path), runtime_folder(), controller_channel()
    detector = open_detector(station)
    inspector = assemble(station, detector, clock, path)
    detector.warm_up()
    child = Child(CHILD, channel, clock)
    InspectorProcess(child, RingReader(runtime), inspector, Drift(station.drift), clock).run(detector.name)
