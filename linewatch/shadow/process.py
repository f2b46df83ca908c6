"""The shadow process: one part at a time from the frame ring, inspected by the candidate, written into its own log."""

import os
from pathlib import Path

import structlog

from linewatch.core.child import Child, controller_channel, runtime_folder
from linewatch.core.clock import MonotonicClock
from linewatch.core.errors import DeviceError, StationError, StorageError, UsageError
from linewatch.core.logs import set_up
from linewatch.core.messages import Cause, Look, Looked, Note
from linewatch.core.ring import StaleFrame
from linewatch.core.station import load_station
from linewatch.inspection.detector import Detector
from linewatch.inspection.inspector import Inspector, Part, assemble
from linewatch.inspection.start import open_detector
from linewatch.line.supervisor import RUN, SHADOW
from linewatch.pictures.frames import RingReader
from linewatch.shadow.book import Book
from linewatch.shadow.isolation import limit_memory

_MOST_ERRORS = 10  # of the network in a row; then the process ends, and another one may do better

log = structlog.get_logger()


class ShadowProcess:
    """The loop between the controller's channel and the candidate. `run` returns when told to stop."""

    def __init__(self, child: Child, frames: RingReader, inspector: Inspector, book: Book) -> None:
        self._child = child
        self._frames = frames
        self._inspector = inspector
        self._book = book
        self._errors = 0

    def run(self, detail: str) -> None:
        """Say Ready with `detail` (what is loaded), then look at what is shown until told to stop.

        Raises DeviceError when the network fails again and again.
        """
        self._child.start(detail)
        while not self._child.stopping:
            for message in self._child.turn():
                if isinstance(message, Look):
                    self._look(message)
                else:
                    log.warning("unexpected_message", type=type(message).__name__)

    def _look(self, look: Look) -> None:
        try:
            picture = self._frames.read(look.seq, look.slot, look.generation)
        except (StaleFrame, StorageError) as exc:
            self._book.write(look, None, None, str(exc))
        else:
            (inspection,) = self._inspector.inspect([Part(look.seq, picture)])
            self._book.write(look, inspection, picture)
            self._count_error(inspection.cause, inspection.reason)
        self._child.progress += 1
        self._child.channel.send(Looked(look.seq))

    def _count_error(self, cause: Cause, reason: str) -> None:
        self._errors = self._errors + 1 if cause is Cause.MODEL_ERROR else 0
        if self._errors >= _MOST_ERRORS:
            raise DeviceError(SHADOW, f"its network failed on {self._errors} parts in a row: {reason}")


def serve(arguments: list[str]) -> None:
    """Be the shadow process until told to stop. arguments: the station file.

    Raises UsageError, StationError, CalibrationError, ModelError or DeviceError before it has said Ready.
    """
    if len(arguments) != 1:
        raise UsageError("linewatch.shadow", "takes one argument: the station file", arguments)
    serve_with(Path(arguments[0]))


def serve_with(path: Path, detector: Detector | None = None) -> None:
    """The same with `detector` in place of the candidate that the station file at `path` names."""
    set_up(SHADOW)
    station = load_station(path).candidate
    if station is None or station.shadow is None:
        raise StationError(f"{path}: shadow", "is not there, so that there is nothing to do")
    limit_memory(station.shadow.memory_mb)
    channel, runtime, clock = controller_channel(), runtime_folder(), MonotonicClock()
    detector = detector or open_detector(station)
    inspector = assemble(station, detector, clock, f"{path}: shadow")
    detector.warm_up()
    child = Child(SHADOW, channel, clock)
    book = Book(station, os.environ[RUN], detector.name, lambda text: _tell(child, text))
    ShadowProcess(child, RingReader(runtime), inspector, book).run(detector.name)


def _tell(child: Child, text: str) -> None:
    log.warning("shadow_trouble", text=text)
    child.channel.send(Note("shadow_trouble", text))
