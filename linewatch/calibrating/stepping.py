"""One picture of each part, at stepped delays after it broke the gate: the station's own gate, light and camera."""

import select
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager

from linewatch.calibrating.motion import Seen
from linewatch.calibrating.place import middle_of_part
from linewatch.calibrating.taking import open_camera
from linewatch.cameras.camera import Camera
from linewatch.core.clock import MonotonicClock
from linewatch.core.errors import CameraError, GateError, PictureError, UsageError
from linewatch.core.station import Station
from linewatch.pictures.read import to_grey
from linewatch.pictures.types import Picture, Rectify
from linewatch.triggers.gate import Edge, Gate
from linewatch.triggers.keeper import build_gate

_PATIENCE_S = 120.0  # somebody walks to the line and puts the part on
_TURN_S = 0.02
_MOST_DELAYS = 500


def parse_delays(text: str) -> list[float]:
    """The delays, ms, that `FROM:TO:STEP` means, both ends included. Raises UsageError."""
    try:
        first, last, step = (float(part) for part in text.split(":"))
    except ValueError:
        raise UsageError("--delays", "must be FROM:TO:STEP in ms, as in 20:80:4", text) from None
    if not (0 <= first < last < 60_000 and step > 0 and (last - first) / step < _MOST_DELAYS):
        raise UsageError("--delays", f"must rise from 0 or more, in {_MOST_DELAYS} steps at most", text)
    return [first + number * step for number in range(int((last - first) / step + 1e-9) + 1)]


def step_through(
    station: Station, delays_ms: Sequence[float], rectify: Rectify | None, say: Callable[[str], object]
) -> list[Seen]:
    """Where the part was in each picture that shows it whole; one part is waited for for each delay.

    rectify: the correction that inspected pictures get. Raises GateError, CameraError or StationError.
    """
    seen: list[Seen] = []
    with _open(station, max(delays_ms)) as (gate, camera):
        gate.fire_light(0)
        empty = _grey(camera.capture(1, time.monotonic_ns()).pixels, rectify)
        say(f"the empty line is photographed; now send a part through {len(delays_ms)} times, one at a time")
        for number, delay_ms in enumerate(delays_ms, start=2):
            edge = _next_edge(gate, camera)
            _sleep_until(edge.t_ns + round(delay_ms * 1e6))
            gate.fire_light(edge.counter)
            try:
                captured = camera.capture(number, edge.t_ns)
            except (CameraError, PictureError) as exc:
                say(f"{delay_ms:g} ms: no picture: {exc}")
                continue
            after_ms = (captured.t_exposed_ns - edge.t_ns) / 1e6
            middle = middle_of_part(_grey(captured.pixels, rectify), empty)
            say(
                f"{after_ms:.1f} ms: "
                + ("no whole part" if middle is None else f"part at {middle[0]:.1f}, {middle[1]:.1f}")
            )
            if middle is not None:
                seen.append(Seen(after_ms, *middle))
    return seen


@contextmanager
def _open(station: Station, longest_ms: float) -> Iterator[tuple[Gate, Camera]]:
    """Gate and camera of the station, for as long as this lasts."""
    gate = build_gate(station, MonotonicClock())
    gate.open()
    with closing(gate), closing(open_camera(station, longest_ms + 1000.0)) as camera:
        yield gate, camera


def _next_edge(gate: Gate, camera: Camera) -> Edge:
    """The next part that breaks the gate from now on. Raises GateError when none comes."""
    gate.read()  # whatever came while the last picture was looked at is too old
    until = time.monotonic() + _PATIENCE_S
    while time.monotonic() < until:
        descriptor = gate.fileno()
        if descriptor >= 0:
            select.select([descriptor], [], [], _TURN_S)
        else:
            time.sleep(_TURN_S)
        edges = [news for news in gate.read() if isinstance(news, Edge) and not news.missed]
        if edges:
            return edges[-1]
        camera.idle()
    raise GateError("gate", f"no part came within {_PATIENCE_S:.0f} s: does it run, and is its port right?")


def _sleep_until(t_ns: int) -> None:
    time.sleep(max(0, t_ns - time.monotonic_ns()) / 1e9)


def _grey(picture: Picture, rectify: Rectify | None) -> Picture:
    return to_grey(picture if rectify is None else rectify(picture))
