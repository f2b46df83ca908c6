"""A GigE Vision or USB3 Vision camera of any vendor over Aravis (PyGObject and the system's gir1.2-aravis-0.8)."""

import contextlib
from collections.abc import Iterator
from typing import Any

import numpy as np

from linewatch.cameras.counting import GIGE_16_BIT, WIDE, CounterRange
from linewatch.cameras.device import Grabbed
from linewatch.cameras.features import Value, clock_offset_ns, is_extended, set_up
from linewatch.cameras.pixels import as_picture
from linewatch.core.cameras import GenicamCamera
from linewatch.core.errors import CameraError, PictureError

_BUFFERS = 16
_ALIVE_EVERY = 5  # waits without a frame after which the camera is asked whether it is there
_PACKAGES = "Debian's gir1.2-aravis-0.8, and python3-gi or, in a virtual environment, pip install 'linewatch[genicam]'"


class GenicamDevice:
    """One camera that Aravis sees."""

    def __init__(self, settings: GenicamCamera) -> None:
        """Raises CameraError when Aravis or PyGObject is not installed."""
        self._settings = settings
        self.name = f"genicam {settings.device}".strip()
        try:
            import gi

            gi.require_version("Aravis", "0.8")
            from gi.repository import Aravis, GLib
        except (ImportError, ValueError) as exc:
            raise CameraError(self.name, f"needs {_PACKAGES} ({exc})") from exc
        self._aravis, self._glib = Aravis, GLib
        self._camera: Any = None
        self._stream: Any = None
        self._waits = 0

    def open(self) -> CounterRange:
        with self._told():
            self._camera = self._aravis.Camera.new(self._settings.device or self._only_one())
            self._device = self._camera.get_device()
            set_up(self, self._settings)
            self._format = self.word("PixelFormat")
            self._stream = self._camera.create_stream(None, None)
            payload = self._camera.get_payload()
            for _ in range(_BUFFERS):
                self._stream.push_buffer(self._aravis.Buffer.new_allocate(payload))
            return GIGE_16_BIT if self._camera.is_gv_device() and not is_extended(self) else WIDE

    def start(self) -> None:
        with self._told():
            self._camera.start_acquisition()

    def stop(self) -> None:
        """Also give back the frames that nobody has taken."""
        with self._told():
            self._camera.stop_acquisition()
            while (buffer := self._stream.try_pop_buffer()) is not None:
                self._stream.push_buffer(buffer)

    def close(self) -> None:
        if self._camera is not None:
            with contextlib.suppress(self._glib.Error):
                self._camera.stop_acquisition()
        self._stream = self._device = self._camera = None

    def fire(self) -> None:
        with self._told():
            self._camera.software_trigger()

    def grab(self, wait_ms: int) -> Grabbed | None:
        with self._told():
            buffer = self._stream.timeout_pop_buffer(wait_ms * 1000)
            if buffer is None:
                self._ask_whether_alive()
                return None
            self._waits = 0
            try:
                return self._grabbed(buffer)
            finally:
                self._stream.push_buffer(buffer)

    def clock_offset_ns(self) -> int | None:
        return clock_offset_ns(self)

    # Features

    def choices(self, feature: str) -> tuple[str, ...]:
        with self._told():
            if not self.has(feature):
                return ()
            return tuple(self._device.dup_available_enumeration_feature_values_as_strings(feature))

    def has(self, feature: str) -> bool:
        with self._told():
            return bool(self._device.is_feature_available(feature))

    def set(self, feature: str, value: Value) -> None:
        try:
            if not self.has(feature):
                raise CameraError(self.name, f"has no {feature}", value)
            self._check_bounds(feature, value)
            text = str(value).lower() if isinstance(value, bool) else str(value)
            self._device.get_feature(feature).set_value_from_string(text)
        except self._glib.Error as exc:
            raise CameraError(self.name, f"does not take this {feature}: {exc.message}", value) from exc

    def number(self, feature: str) -> float:
        with self._told():
            return float(self._device.get_feature(feature).get_value())

    def word(self, feature: str) -> str:
        with self._told():
            return str(self._device.get_feature(feature).get_value_as_string())

    def run(self, feature: str) -> None:
        with self._told():
            self._device.execute_command(feature)

    # Inside

    def _only_one(self) -> str:
        aravis = self._aravis
        aravis.update_device_list()
        names = [aravis.get_device_id(number) for number in range(aravis.get_n_devices())]
        if len(names) != 1:
            found = ", ".join(names) or "none"
            raise CameraError(self.name, f"device must be told: there is not exactly one camera (found: {found})")
        return str(names[0])

    def _check_bounds(self, feature: str, value: Value) -> None:
        """Aravis writes whatever it is told into a register of a camera."""
        node = self._device.get_feature(feature)
        if isinstance(value, bool | str) or not hasattr(node, "get_min"):
            return
        least, most = node.get_min(), node.get_max()
        if not least <= value <= most:
            raise CameraError(self.name, f"takes a {feature} from {least:g} to {most:g}", value)

    def _ask_whether_alive(self) -> None:
        """Silence is normal between triggers, and also what a pulled cable gives. Raises GLib.Error."""
        self._waits += 1
        if self._waits >= _ALIVE_EVERY:
            self._waits = 0
            self._device.get_feature("Width").get_value()

    def _grabbed(self, buffer: Any) -> Grabbed:
        counter, device_ns = buffer.get_frame_id(), buffer.get_timestamp() or None
        if buffer.get_status() != self._aravis.BufferStatus.SUCCESS:
            return Grabbed(counter, device_ns, None, f"the frame is not whole: {buffer.get_status().value_nick}")
        try:
            data = np.frombuffer(buffer.get_data(), np.uint8)  # a copy: the buffer goes back to the stream
            size = buffer.get_image_width(), buffer.get_image_height()
            picture = as_picture(data, *size, self._format, self.name)
        except PictureError as exc:
            return Grabbed(counter, device_ns, None, exc.reason)
        return Grabbed(counter, device_ns, picture)

    @contextlib.contextmanager
    def _told(self) -> Iterator[None]:
        """Errors of Aravis as ours."""
        try:
            yield
        except self._glib.Error as exc:
            raise CameraError(self.name, exc.message) from exc
