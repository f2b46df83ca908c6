"""A camera that exposes when it is triggered, by command or by the gate's own pulse; frames are matched by counter.

Threads of their own take the frames and give the commands, so that a device that hangs never silences the process.
After the start and after each doubt, a camera that is triggered by command is started anew and takes one picture of
nobody, which ties its counter to the commands; a frame from before cannot come.

Where the camera's clock cannot be read, frames have the time of their arrival: one that the camera exposed unasked
while a part waited for its own would pass for it.
"""

import queue
import threading
import time
from dataclasses import dataclass

from linewatch.cameras.camera import Captured, Tell, check_shape
from linewatch.cameras.device import Device, Grabbed
from linewatch.cameras.matching import Frame, Matching, Miss
from linewatch.core.cameras import TriggeredCamera
from linewatch.core.errors import CameraError, ExtraFrameError, PictureError
from linewatch.core.messages import Cause

_GRAB_MS = 200
_REOPEN_S = 1.0
_CLOSE_S = 2.0
_TEST_NS = 2_000_000_000
_CLOCK_EVERY_NS = 5_000_000_000  # clocks of cameras run some 50 ppm apart: a quarter of a millisecond meanwhile


@dataclass
class _Order:
    """One picture that is wanted. request: as in `matching`, none before the command. fired_ns: when it was given."""

    began_ns: int
    request: int | None = None
    fired_ns: int = 0


class TriggeredSource:
    """Frames of one triggered device, each for the part whose trigger exposed it."""

    def __init__(self, device: Device, settings: TriggeredCamera, max_capture_ms: float, tell: Tell) -> None:
        """max_capture_ms: trigger to exposure, at most. tell: takes what is worth an event, called by `capture`."""
        self._device = device
        self._settings = settings
        self._software = settings.trigger == "software"
        self._capture_ns = round(max_capture_ms * 1e6)
        self._transfer_ns = round(settings.transfer_ms * 1e6)
        self._tell = tell
        self._changed = threading.Condition()
        self._trouble = ""
        self._commands = 0
        self._orders: queue.SimpleQueue[_Order] = queue.SimpleQueue()
        self._using = threading.Lock()  # held by whoever fires, opens or closes
        self._closing = threading.Event()
        self._offset_ns: int | None = None
        self._clock_due_ns = 0

    @property
    def trouble(self) -> str:
        return self._trouble

    def open(self) -> None:
        """Raises CameraError when the camera is not there, refuses a setting, or gives no first frame."""
        try:
            self._start()
        except CameraError:
            self._device.close()
            raise
        # Daemons: a driver that hangs must not keep the process from exiting.
        self._thread = threading.Thread(target=self._keep_taking, name="frames", daemon=True)
        self._thread.start()
        threading.Thread(target=self._keep_firing, name="fire", daemon=True).start()

    def close(self) -> None:
        self._closing.set()
        self._thread.join(_CLOSE_S)
        if not self._thread.is_alive():
            self._device.close()

    def capture(self, seq: int, t_trigger_ns: int) -> Captured:
        """The frame of this trigger, awaited until transfer_ms after its latest exposure."""
        order = _Order(time.monotonic_ns()) if self._software else _Order(t_trigger_ns, seq)
        if self._software:
            self._orders.put(order)
        frame = self._await(order)
        grabbed = frame.content
        if grabbed.picture is None:
            raise PictureError(self._device.name, grabbed.fault)
        settings = self._settings
        check_shape(grabbed.picture, settings.width, settings.height, settings.grey, self._device.name)
        fired_ns = order.fired_ns + round((settings.delay_ms or 0.0) * 1e6)
        exposed_ns = fired_ns if self._software and self._offset_ns is None else frame.t_ns
        return Captured(grabbed.picture, exposed_ns, f"{self._device.name}#{grabbed.counter}")

    def idle(self) -> bool:
        return False

    def _next_command(self) -> int:
        with self._changed:
            self._commands += 1
            return self._commands

    def _await(self, order: "_Order") -> Frame[Grabbed]:
        until_ns = order.began_ns + self._capture_ns + self._transfer_ns
        found: Frame[Grabbed] | Miss | None = None
        with self._changed:
            while found is None:
                if self._trouble:
                    raise CameraError(self._device.name, self._trouble)
                left_ns = until_ns - time.monotonic_ns()
                if order.request is not None:
                    found = self._matching.claim(order.request, order.began_ns, final=left_ns <= 0)
                elif left_ns <= 0:
                    found = Miss(Cause.NO_FRAME, "the software trigger could not be given in time")
                if found is None:
                    self._changed.wait(max(0.0, left_ns / 1e9))
            notes = self._matching.notes()
        for note in notes:
            self._tell(note)
        if isinstance(found, Miss):
            error = ExtraFrameError if found.cause is Cause.EXTRA_FRAME else CameraError
            raise error(self._device.name, found.reason)
        return found

    # The threads

    def _keep_firing(self) -> None:
        while not self._closing.is_set():
            order = self._orders.get()
            with self._using:
                if not self._trouble and time.monotonic_ns() - order.began_ns <= self._capture_ns:
                    self._fire(order)

    def _fire(self, order: _Order) -> None:
        order.request = self._next_command()
        try:
            self._device.fire()
        except CameraError as exc:
            self._say(f"the camera is gone: {exc.reason}")
        except Exception as exc:  # noqa: BLE001 - as below
            self._say(f"the camera is gone: {type(exc).__name__}: {exc}")
        order.fired_ns = time.monotonic_ns()

    def _keep_taking(self) -> None:
        """Take frames until the camera is gone, open it again every second, until closed."""
        while not self._closing.is_set():
            try:
                self._take()
            except CameraError as exc:
                self._say(f"the camera is gone: {exc.reason}")
            except Exception as exc:  # noqa: BLE001 - whatever a driver raises, the camera is opened again
                self._say(f"the camera is gone: {type(exc).__name__}: {exc}")
            with self._using:
                self._device.close()
            while self._trouble and not self._closing.wait(_REOPEN_S):
                with self._using:
                    self._reopen()

    def _take(self) -> None:
        while not self._closing.is_set() and not self._trouble:
            if self._software and not self._matching.tied:
                with self._using:
                    self._begin()
            self._read_clock()
            grabbed = self._device.grab(_GRAB_MS)
            if grabbed is not None:
                self._put(grabbed)

    def _reopen(self) -> None:
        try:
            self._start()
        except CameraError as exc:
            self._device.close()
            self._say(f"the camera is gone: {exc.reason}")
        else:
            self._say("")

    def _start(self) -> None:
        counters = self._device.open()
        self._clock_due_ns = 0
        self._read_clock()
        if not self._software and self._offset_ns is None:
            reason = "its clock cannot be read, so that frames of a hardware trigger cannot be matched to parts"
            raise CameraError(self._device.name, reason)
        late_ns = self._capture_ns + (self._transfer_ns if self._software else 0)
        early_ns = 0 if self._software and self._offset_ns is None else round(self._settings.early_ms * 1e6)
        with self._changed:
            self._matching: Matching[Grabbed] = Matching(counters, early_ns, late_ns, by_time=not self._software)
        self._begin()

    def _begin(self) -> None:
        """Start the acquisition anew; by command, with one picture of nobody."""
        self._device.stop()
        self._untie()
        self._device.start()
        if not self._software:
            return
        request = self._next_command()
        self._device.fire()
        give_up_ns = time.monotonic_ns() + _TEST_NS
        while time.monotonic_ns() < give_up_ns and not self._closing.is_set():
            grabbed = self._device.grab(_GRAB_MS)
            if grabbed is not None and grabbed.counter is not None:
                with self._changed:
                    self._matching.arrived(grabbed.counter, time.monotonic_ns(), grabbed)
                    self._matching.tie(request)
                return
        raise CameraError(self._device.name, "is open but gives no frame for a software trigger")

    def _put(self, grabbed: Grabbed) -> None:
        now_ns, offset_ns = time.monotonic_ns(), self._offset_ns
        t_ns = now_ns if offset_ns is None or grabbed.device_ns is None else grabbed.device_ns + offset_ns
        with self._changed:
            if grabbed.counter is not None:
                self._matching.arrived(grabbed.counter, t_ns, grabbed)
            self._changed.notify_all()

    def _read_clock(self) -> None:
        now_ns = time.monotonic_ns()
        if now_ns >= self._clock_due_ns:
            self._clock_due_ns = now_ns + _CLOCK_EVERY_NS
            self._offset_ns = self._device.clock_offset_ns()

    def _untie(self) -> None:
        with self._changed:
            self._matching.restart()

    def _say(self, trouble: str) -> None:
        with self._changed:
            self._trouble = trouble
            self._changed.notify_all()
