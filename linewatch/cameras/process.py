"""The camera process: an Expose comes in, the part's pixels go into the ring, FrameReady or FrameFailed goes out."""

import math
from pathlib import Path

import structlog

from linewatch.cameras.camera import Camera, cause_of
from linewatch.cameras.choose import camera_for
from linewatch.cameras.frozen import Frozen
from linewatch.core import logs
from linewatch.core.child import Child, controller_channel, runtime_folder
from linewatch.core.errors import CameraError, StorageError, UsageError
from linewatch.core.messages import Cause, Expose, FrameFailed, FrameReady, Note
from linewatch.core.ring import FrameRing
from linewatch.core.station import Station, load_station
from linewatch.pictures.frames import put_frame

CHILD = "camera"
_READERS_RESERVE = 16  # slots that the recorder may lag behind the decisions
_LEAST_SLOTS, _MOST_SLOTS = 32, 128
_SHORTEST_GAP_MS = 20.0


class CameraProcess:
    """The loop between the controller's channel and one camera. `run` returns when told to stop."""

    def __init__(self, child: Child, camera: Camera, ring: FrameRing, frozen: Frozen) -> None:
        """camera: open already."""
        self._child = child
        self._camera = camera
        self._ring = ring
        self._frozen = frozen
        self._trouble = ""
        self._log: structlog.stdlib.BoundLogger = structlog.get_logger()

    def run(self, detail: str) -> None:
        """Say Ready with `detail`, then answer until Stop, SIGTERM or the controller's death."""
        self._child.start(detail)
        more = True
        while not self._child.stopping:
            messages = self._child.turn(0.0) if more else self._child.turn()
            for message in messages:
                if isinstance(message, Expose):
                    self._answer(message)
                else:
                    self._log.warning("unexpected_message", type=type(message).__name__)
            self._report_trouble()
            # Spare time is what is left when no part waits.
            more = self._camera.idle() if not messages else True

    def _answer(self, expose: Expose) -> None:
        reply = self._photograph(expose)
        self._child.progress += 1
        if not self._child.channel.send(reply):
            self._log.warning("answer_lost", seq=expose.seq)
        for note in self._frozen.notes():
            self._log.warning(note.kind, text=note.text, seq=note.seq)
            self._child.channel.send(note)
        self._child.say_health()

    def _photograph(self, expose: Expose) -> FrameReady | FrameFailed:
        try:
            captured = self._camera.capture(expose.seq, expose.t_trigger_ns)
            if self._frozen.repeats(captured.pixels, expose.seq):
                raise CameraError(captured.source, "the picture is that of the part before again: the camera is frozen")
            slot, generation = put_frame(self._ring, expose.seq, captured.pixels)
        except (CameraError, StorageError) as exc:
            return FrameFailed(expose.seq, cause_of(exc), str(exc))
        except Exception as exc:  # noqa: BLE001 - whatever a driver does, this part is rejected and the next one photographed
            self._log.exception("capture_failed", seq=expose.seq)
            return FrameFailed(expose.seq, Cause.NO_FRAME, f"{type(exc).__name__}: {exc}")
        return FrameReady(expose.seq, slot, generation, captured.t_exposed_ns, captured.source)

    def _report_trouble(self) -> None:
        """Tell the controller once when the device goes and once when it is back."""
        trouble = self._camera.trouble
        if bool(trouble) == bool(self._trouble):
            return
        self._trouble = trouble
        kind = "camera_lost" if trouble else "camera_back"
        self._log.warning(kind, reason=trouble)
        self._child.channel.send(Note(kind, trouble or "the camera gives frames again"))


def ring_slots(station: Station) -> int:
    """Slots for every part that can be in flight until its deadline, and for a recorder that lags: 32 to 128."""
    in_flight = math.ceil(station.line.deadline_ms / max(station.line.min_gap_ms, _SHORTEST_GAP_MS))
    return min(max(in_flight + _READERS_RESERVE, _LEAST_SLOTS), _MOST_SLOTS)


def serve(arguments: list[str]) -> None:
    """The camera process of the station file in `arguments`. Raises what keeps it from starting."""
    if len(arguments) != 1:
        raise UsageError("linewatch.cameras", "takes one argument, the station file")
    station = load_station(Path(arguments[0]))
    channel, runtime = controller_channel(), runtime_folder()
    logs.set_up(CHILD)
    camera = camera_for(station, channel.send)
    camera.open()
    settings = station.camera
    frame_bytes = settings.width * settings.height * (1 if settings.grey else 3)
    ring = FrameRing.create(runtime, ring_slots(station), frame_bytes)
    try:
        process = CameraProcess(Child(CHILD, channel), camera, ring, Frozen(settings.frozen_tolerance))
        process.run(f"{settings.kind} {settings.width} x {settings.height}")
    finally:
        camera.close()
        ring.close()
