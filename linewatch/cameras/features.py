"""Setting up a camera by the standard names of its features (GenICam SFNC, and the older names of GigE cameras)."""

import time
from typing import Protocol

from linewatch.core.cameras import TriggeredCamera
from linewatch.core.errors import CameraError

Value = int | float | str | bool
_EDGES = {"rising": "RisingEdge", "falling": "FallingEdge"}
_COLOURS = ("RGB8", "RGB8Packed", "BGR8", "BGR8Packed", "BayerRG8", "BayerGR8", "BayerGB8", "BayerBG8")
_OTHER_TRIGGERS = ("AcquisitionStart", "FrameBurstStart")
_CHUNKS = ("Timestamp", "FrameID", "Framecounter")


class Features(Protocol):
    """The features of one open camera. `set` raises CameraError that names feature and value."""

    @property
    def name(self) -> str: ...

    def choices(self, feature: str) -> tuple[str, ...]:
        """What an enumeration takes now; empty when there is no such feature."""
        ...

    def has(self, feature: str) -> bool:
        """Whether it is there now."""
        ...

    def set(self, feature: str, value: Value) -> None: ...

    def number(self, feature: str) -> float: ...

    def word(self, feature: str) -> str:
        """The value as text."""
        ...

    def run(self, feature: str) -> None:
        """Execute a command."""
        ...


def set_up(features: Features, settings: TriggeredCamera) -> None:
    """Size, pixel format, exposure, trigger and chunks. Raises CameraError."""
    _try(features, "AcquisitionMode", "Continuous")
    _try(features, "AcquisitionFrameRateEnable", False)  # a limit would swallow triggers
    features.set("PixelFormat", _pixel_format(features, settings))
    features.set("Width", settings.width)
    features.set("Height", settings.height)
    if settings.exposure_us is not None:
        _try(features, "ExposureAuto", "Off")
        features.set("ExposureTime" if features.has("ExposureTime") else "ExposureTimeAbs", settings.exposure_us)
    _set_trigger(features, settings)
    _set_chunks(features)


def clock_offset_ns(features: Features) -> int | None:
    """Monotonic clock minus the camera's, to some 0.1 ms; none when the camera cannot latch its clock."""
    for latch, value in (("TimestampLatch", "TimestampLatchValue"), ("GevTimestampControlLatch", "GevTimestampValue")):
        if features.has(latch) and features.has(value):
            before_ns = time.monotonic_ns()
            features.run(latch)
            after_ns = time.monotonic_ns()
            return (before_ns + after_ns) // 2 - round(features.number(value) * tick_ns(features))
    return None


def tick_ns(features: Features) -> float:
    """ns per tick of the camera's clock."""
    older = "GevTimestampTickFrequency"
    return 1e9 / (features.number(older) or 1e9) if features.has(older) else 1.0


def is_extended(features: Features) -> bool:
    """Whether a GigE camera counts its frames in 64 bits instead of 16."""
    mode = "GevGVSPExtendedIDMode"
    return features.has(mode) and features.word(mode) == "On"


def _set_trigger(features: Features, settings: TriggeredCamera) -> None:
    for selector in _OTHER_TRIGGERS:
        if selector in features.choices("TriggerSelector"):
            features.set("TriggerSelector", selector)
            features.set("TriggerMode", "Off")
    features.set("TriggerSelector", "FrameStart")
    features.set("TriggerMode", "On")
    if settings.delay_ms is not None:
        features.set("TriggerDelayAbs" if features.has("TriggerDelayAbs") else "TriggerDelay", settings.delay_ms * 1000)
    if settings.trigger == "software":
        features.set("TriggerSource", "Software")
        return
    features.set("TriggerSource", settings.line)
    features.set("TriggerActivation", _EDGES[settings.activation])


def _set_chunks(features: Features) -> None:
    """Time stamp and frame counter inside each frame, where the camera has them."""
    chunks = [chunk for chunk in _CHUNKS if chunk in features.choices("ChunkSelector")]
    if chunks:
        features.set("ChunkModeActive", True)
    for chunk in chunks:
        features.set("ChunkSelector", chunk)
        features.set("ChunkEnable", True)


def _pixel_format(features: Features, settings: TriggeredCamera) -> str:
    if settings.pixel_format is not None:
        return settings.pixel_format
    if settings.grey:
        return "Mono8"
    offered = features.choices("PixelFormat")
    found = next((name for name in _COLOURS if name in offered), None)
    if found is None:
        raise CameraError(features.name, f"has no colour format of 8 bits, only {', '.join(offered)}")
    return found


def _try(features: Features, feature: str, value: Value) -> None:
    if features.has(feature):
        features.set(feature, value)
