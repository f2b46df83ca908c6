"""Gate, light, camera and rejecter, as the daemon would use them; each is let go of again."""

import time
from itertools import pairwise
from pathlib import Path

import zmq

from linewatch.cameras.camera import Camera, Captured
from linewatch.cameras.choose import camera_for
from linewatch.check.answers import Answer, Finding, Looked, warning
from linewatch.core.cameras import FolderCamera, OpenCvCamera, TriggeredCamera
from linewatch.core.clock import MonotonicClock
from linewatch.core.errors import CameraError, EndpointError, GateError, LinewatchError
from linewatch.core.station import Station
from linewatch.core.wire import Register, WireError, unpack_from_actuator
from linewatch.line.publisher import Publisher
from linewatch.line.runtime import lock, private_folder, resolve, runtime_folder
from linewatch.triggers.keeper import build_gate
from linewatch.triggers.port import USB_SERIAL, latency_file, latency_ms

_FRAMES = 5
_REGISTER_S = 1.0  # an actuator asks every 200 ms


def gate_and_light(station: Station, usb_serial: Path = USB_SERIAL) -> Looked:
    """The port opens, and the light takes its command. usb_serial: where the kernel lists USB serial adapters."""
    try:
        gate = build_gate(station, MonotonicClock())
        gate.open()
    except LinewatchError as exc:
        yield Finding(exc)
        return
    try:
        yield Answer("gate", f"{station.gate.port} opens")
        if station.light.kind in ("serial_command", "control_line"):
            gate.fire_light(0)
            time.sleep(station.light.duration_us / 1e6)
            yield Answer("light", f"told to flash for {station.light.duration_us} us; it does not answer: did it?")
    finally:
        gate.close()
    held_ms = latency_ms(station.gate.port, usb_serial)
    if held_ms is not None and held_ms <= 1:
        yield Answer("gate", f"{latency_file(station.gate.port, usb_serial)} is {held_ms} ms")


def slow_adapter(station: Station, usb_serial: Path = USB_SERIAL) -> Looked:
    """An adapter that holds every trigger back."""
    held_ms = latency_ms(station.gate.port, usb_serial)
    if held_ms is not None and held_ms > 1:
        reason = "ms is how long a trigger may be held back; write 1 there (the udev rules of `linewatch install` do)"
        yield warning(GateError(latency_file(station.gate.port, usb_serial), reason, held_ms))


def camera(station: Station) -> Looked:
    """It opens and gives pictures of the right size, in time."""
    try:
        found = camera_for(station)
        found.open()
    except LinewatchError as exc:
        yield Finding(exc)
        return
    try:
        yield from _pictures(found, station)
    finally:
        found.close()


def _pictures(found: Camera, station: Station) -> Looked:
    settings = station.camera
    if isinstance(settings, TriggeredCamera) and settings.trigger == "hardware":
        yield Answer("camera", f"opens; exposes by the pulse on {settings.line} alone, so no picture was taken")
        return
    taken: list[Captured] = []
    slowest_ms = 0.0
    try:
        for seq in range(1, (1 if isinstance(settings, FolderCamera) else _FRAMES) + 1):
            began_ns = time.monotonic_ns()
            taken.append(found.capture(seq, began_ns))
            slowest_ms = max(slowest_ms, (time.monotonic_ns() - began_ns) / 1e6)
    except LinewatchError as exc:
        yield Finding(exc)
        return
    text = f"{len(taken)} of {len(taken)} pictures are {settings.width} x {settings.height}"
    yield Answer("camera", f"{text}, the slowest {slowest_ms:.0f} ms after its trigger{_rate(taken, settings)}")
    if slowest_ms >= station.line.deadline_ms:
        reason = f"ms from trigger to picture; line.deadline_ms = {station.line.deadline_ms:g} is over by then"
        yield Finding(CameraError(f"camera {taken[0].source}", reason, round(slowest_ms)))


def _rate(taken: list[Captured], settings: object) -> str:
    """How fast a free-running camera gives pictures."""
    gaps = [later.t_exposed_ns - one.t_exposed_ns for one, later in pairwise(taken)]
    if not isinstance(settings, OpenCvCamera) or not gaps or min(gaps) <= 0:
        return ""
    return f", {1e9 / min(gaps):.0f} a second"


def rejecter(station: Station) -> Looked:
    """Who wants to act on this line: heard on its own endpoint, and not answered, so that nobody trusts it yet."""
    try:
        names = _registering(station)
    except LinewatchError as exc:
        yield Finding(exc)
        return
    endpoint = resolve(station.endpoints.actuators, runtime_folder(station.name))
    if names:
        yield Answer("rejecter", f"{', '.join(sorted(names))} wants to register at {endpoint}")
    else:
        reason = "no actuator asked to register within 1 s: does the rejecter run, with this endpoint and station name?"
        yield warning(EndpointError(endpoint, reason))


def _registering(station: Station) -> set[str]:
    """Names in the register messages that come. Raises EndpointError where another line runs."""
    folder = private_folder(runtime_folder(station.name))
    names: set[str] = set()
    with lock(folder):
        publisher = Publisher(station, "check", folder)
        try:
            end = time.monotonic() + _REGISTER_S
            while not names and time.monotonic() < end:
                _listen(publisher, names)
        finally:
            publisher.close()
    return names


def _listen(publisher: Publisher, names: set[str]) -> None:
    handlers = {} if publisher.admission is None else publisher.admission.handlers()
    poller = zmq.Poller()
    for socket in (publisher.actuators.socket, *handlers):
        poller.register(socket, zmq.POLLIN)
    for socket, _ in poller.poll(50):
        if socket in handlers:
            handlers[socket]()
            continue
        try:
            message = unpack_from_actuator(publisher.actuators.socket.recv_multipart(zmq.DONTWAIT)[-1])
        except WireError:
            continue
        if isinstance(message, Register):
            names.add(message.name)
