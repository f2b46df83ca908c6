"""A Basler camera over pylon (pypylon). PYLON_CAMEMU=1 in the environment gives pylon's emulated camera."""

import contextlib
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np

from linewatch.cameras.counting import CHUNK_32_BIT, GIGE_16_BIT, WIDE, CounterRange
from linewatch.cameras.device import Grabbed
from linewatch.cameras.features import Value, clock_offset_ns, is_extended, set_up, tick_ns
from linewatch.cameras.pixels import as_picture
from linewatch.core.cameras import BaslerCamera
from linewatch.core.errors import CameraError, PictureError

if TYPE_CHECKING:
    from pypylon import pylon

_BUFFERS = 16
_READY_MS = 1000
_NO_BLOCK = 2**64 - 1  # pylon's mark for a frame without a number
_COUNTER_CHUNKS = ("ChunkFrameID", "ChunkFramecounter")


class BaslerDevice:
    """One Basler camera."""

    def __init__(self, settings: BaslerCamera) -> None:
        """Raises CameraError when pypylon is not installed."""
        self._settings = settings
        self.name = f"basler {settings.serial}".strip()
        try:
            from pypylon import genicam, pylon
        except ImportError as exc:
            raise CameraError(self.name, f"needs pypylon: pip install 'linewatch[basler]' ({exc})") from exc
        self._pylon, self._genicam = pylon, genicam
        self._camera: Any = None

    def open(self) -> CounterRange:
        with self._told():
            self._camera = self._pylon.InstantCamera(self._found())
            self._camera.Open()
            self._nodes = self._camera.GetNodeMap()
            self._camera.MaxNumBuffer.Value = _BUFFERS
        set_up(self, self._settings)
        self._format = self.word("PixelFormat")
        return self._counters()

    def start(self) -> None:
        with self._told():
            self._camera.StartGrabbing(self._pylon.GrabStrategy_OneByOne)

    def stop(self) -> None:
        with self._told():
            self._camera.StopGrabbing()

    def close(self) -> None:
        if self._camera is not None:
            with contextlib.suppress(self._genicam.GenericException):
                self._camera.DestroyDevice()
            self._camera = None

    def fire(self) -> None:
        with self._told():
            camera = self._camera
            if camera.CanWaitForFrameTriggerReady() and not camera.WaitForFrameTriggerReady(
                _READY_MS, self._pylon.TimeoutHandling_Return
            ):
                raise CameraError(self.name, "was not ready for the trigger")
            camera.ExecuteSoftwareTrigger()

    def grab(self, wait_ms: int) -> Grabbed | None:
        with self._told():
            if self._camera.IsCameraDeviceRemoved():
                raise CameraError(self.name, "was removed")
            result = self._camera.RetrieveResult(wait_ms, self._pylon.TimeoutHandling_Return)
            if not result.IsValid():
                return None
            try:
                return self._grabbed(result)
            finally:
                result.Release()

    def clock_offset_ns(self) -> int | None:
        return clock_offset_ns(self)

    # Features

    def choices(self, feature: str) -> tuple[str, ...]:
        with self._told():
            return tuple(self._nodes.GetNode(feature).GetSymbolics()) if self.has(feature) else ()

    def has(self, feature: str) -> bool:
        with self._told():
            node = self._nodes.GetNode(feature)
            return node is not None and bool(self._genicam.IsWritable(node) or self._genicam.IsReadable(node))

    def set(self, feature: str, value: Value) -> None:
        try:
            self._nodes.GetNode(feature).FromString(str(int(value) if isinstance(value, bool) else value))
        except self._genicam.GenericException as exc:
            raise CameraError(self.name, f"does not take this {feature}: {_first(exc)}", value) from exc

    def number(self, feature: str) -> float:
        with self._told():
            return float(self._nodes.GetNode(feature).GetValue())

    def word(self, feature: str) -> str:
        with self._told():
            return str(self._nodes.GetNode(feature).ToString())

    def run(self, feature: str) -> None:
        with self._told():
            self._nodes.GetNode(feature).Execute()

    # Inside

    def _found(self) -> "pylon.IPylonDevice":
        factory = self._pylon.TlFactory.GetInstance()
        serial, there = self._settings.serial, factory.EnumerateDevices()
        found = [info for info in there if serial in ("", info.GetSerialNumber())]
        if len(found) != 1:
            names = ", ".join(info.GetSerialNumber() for info in there) or "none"
            which = "names no camera that is there" if serial else "must be told: there is not exactly one camera"
            raise CameraError(self.name, f"serial {which} (found: {names})")
        self._gige = found[0].GetDeviceClass() == "BaslerGigE"
        return factory.CreateDevice(found[0])

    def _counters(self) -> CounterRange:
        self._tick_ns = tick_ns(self)
        if any(name.removeprefix("Chunk") in self.choices("ChunkSelector") for name in _COUNTER_CHUNKS):
            return CHUNK_32_BIT
        return GIGE_16_BIT if self._gige and not is_extended(self) else WIDE

    def _grabbed(self, result: Any) -> Grabbed:
        ticks = self._chunk(result, ("ChunkTimestamp",)) or result.TimeStamp
        device_ns = round(ticks * self._tick_ns) if ticks else None
        counter = self._chunk(result, _COUNTER_CHUNKS)
        if counter is None and result.BlockID != _NO_BLOCK:
            counter = result.BlockID
        if not result.GrabSucceeded():
            return Grabbed(counter, device_ns, None, result.GetErrorDescription() or "the frame is not whole")
        try:
            data = np.frombuffer(result.GetBuffer(), np.uint8)
            picture = as_picture(data, result.Width, result.Height, self._format, self.name)
        except PictureError as exc:
            return Grabbed(counter, device_ns, None, exc.reason)
        return Grabbed(counter, device_ns, picture)

    def _chunk(self, result: Any, names: tuple[str, ...]) -> int | None:
        """The first of these numbers that the frame carries with it."""
        if not result.IsChunkDataAvailable():
            return None
        nodes = result.GetChunkDataNodeMap()
        found = (nodes.GetNode(name) for name in names)
        return next((int(n.GetValue()) for n in found if n is not None and self._genicam.IsReadable(n)), None)

    @contextlib.contextmanager
    def _told(self) -> Iterator[None]:
        """pylon's errors as ours."""
        try:
            yield
        except self._genicam.GenericException as exc:
            raise CameraError(self.name, _first(exc)) from exc


def _first(exc: Exception) -> str:
    """What went wrong, without where in pylon."""
    return str(exc).rsplit(" : ", 1)[0].strip()
