"""Times of a station that cannot all hold: each would end in parts that pass undecided or are all rejected.

Also how long the line waits for a word of its own processes, because a capture must be over by then.
"""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from linewatch.core.cameras import BaslerCamera, GenicamCamera, OpenCvCamera, TriggeredCamera

if TYPE_CHECKING:
    from linewatch.core.station import Station

HEALTH_MS = 100.0  # between two signs of life of a process that has time
_LEAST_SILENCE_MS = 500.0
_LEAST_CAMERA_SILENCE_MS = 1000.0
_MESSAGE_CHARACTERS = 30  # of the gate's message about one part
_BITS_A_CHARACTER = 10


def silence_ms(deadline_ms: float) -> float:
    """How long a process may be silent: as long as a batch on a CPU may take, so it follows the deadline."""
    return max(_LEAST_SILENCE_MS, 3 * deadline_ms)


def camera_silence_ms(deadline_ms: float) -> float:
    """The same of the camera process, which says nothing while it waits for a frame."""
    return max(_LEAST_CAMERA_SILENCE_MS, silence_ms(deadline_ms))


def contradictions(station: "Station") -> Iterator[str]:
    """Each with the keys, their values, what would come of it, and what to change."""
    yield from _too_late_for_the_rejecter(station)
    yield from _capture(station)
    yield from _exposure(station)
    yield from _parts_too_close(station)
    yield from _slow_port(station)


def _too_late_for_the_rejecter(station: "Station") -> Iterator[str]:
    needed = station.line.deadline_ms + station.rejecter.reaction_ms
    if needed > station.rejecter.transport_ms:
        yield (
            f"line.deadline_ms + rejecter.reaction_ms = {needed:g} ms exceeds rejecter.transport_ms = "
            f"{station.rejecter.transport_ms:g} ms: parts would pass the rejecter undecided"
        )


def _capture(station: "Station") -> Iterator[str]:
    line, camera = station.line, station.camera
    patience_ms = camera_silence_ms(line.deadline_ms)
    longest_ms = patience_ms - HEALTH_MS
    dead = f"a camera silent for {patience_ms:g} ms is taken for dead and replaced, here with every lost frame"
    if isinstance(camera, OpenCvCamera) and line.max_capture_ms > longest_ms:
        yield f"line.max_capture_ms = {line.max_capture_ms:g} ms must be at most {longest_ms:g} ms: {dead}; lower it"
    if not isinstance(camera, TriggeredCamera):
        return
    waited_ms = line.max_capture_ms + camera.transfer_ms
    if waited_ms > longest_ms:
        yield (
            f"line.max_capture_ms + camera.transfer_ms = {waited_ms:g} ms must be at most {longest_ms:g} ms: {dead}; "
            "lower camera.transfer_ms"
        )
    if camera.delay_ms is not None and camera.delay_ms >= line.max_capture_ms:
        yield (
            f"camera.delay_ms = {camera.delay_ms:g} ms must be less than line.max_capture_ms = {line.max_capture_ms:g} "
            "ms: every part would be REJECT(capture_jitter)"
        )
    window_ms = camera.early_ms + line.max_capture_ms
    if camera.trigger == "hardware" and window_ms >= line.min_gap_ms:
        yield (
            f"camera.early_ms + line.max_capture_ms = {window_ms:g} ms must be less than line.min_gap_ms = "
            f"{line.min_gap_ms:g} ms: a frame could be of either of two parts"
        )


def _exposure(station: "Station") -> Iterator[str]:
    line, camera = station.line, station.camera
    if not isinstance(camera, OpenCvCamera | BaslerCamera | GenicamCamera) or camera.exposure_us is None:
        return
    exposure_ms = camera.exposure_us / 1000
    if exposure_ms >= line.deadline_ms:
        yield (
            f"camera.exposure_us = {camera.exposure_us:g} us is not over by line.deadline_ms = {line.deadline_ms:g} "
            "ms: every part would be REJECT(timeout); expose shorter, with more light"
        )
    elif isinstance(camera, TriggeredCamera) and exposure_ms >= line.max_capture_ms + camera.transfer_ms:
        yield (
            f"camera.exposure_us = {camera.exposure_us:g} us is not over when the frame is given up, after "
            f"line.max_capture_ms + camera.transfer_ms = {line.max_capture_ms + camera.transfer_ms:g} ms: every part "
            "would be REJECT(no_frame); raise camera.transfer_ms or expose shorter"
        )


def _parts_too_close(station: "Station") -> Iterator[str]:
    """Two parts that come as close as the line says they may. A gap of 0 says nothing."""
    gap_ms, gate, light = station.line.min_gap_ms, station.gate, station.light
    if not gap_ms:
        return
    if gate.kind == "edge" and gate.debounce_ms >= gap_ms:
        yield (
            f"gate.debounce_ms = {gate.debounce_ms:g} ms must be less than line.min_gap_ms = {gap_ms:g} ms: the second "
            "of two parts would be taken for bounce and pass undecided"
        )
    if light.kind in ("serial_command", "control_line") and light.duration_us / 1000 >= gap_ms:
        yield (
            f"light.duration_us = {light.duration_us} us must be less than line.min_gap_ms = {gap_ms:g} ms: the light "
            "of one part would still be on with the next"
        )


def _slow_port(station: "Station") -> Iterator[str]:
    gate, window_ms = station.gate, station.line.max_capture_ms
    if gate.kind != "framed":
        return
    message_ms = _MESSAGE_CHARACTERS * _BITS_A_CHARACTER / gate.baud * 1000
    if message_ms >= window_ms:
        yield (
            f"gate.baud = {gate.baud}: the message of a part takes {message_ms:.0f} ms, and its exposure must begin "
            f"within line.max_capture_ms = {window_ms:g} ms; raise gate.baud"
        )
