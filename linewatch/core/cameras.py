"""The `camera` section of a station file: live cameras, a recorded folder, and rendered bottles."""

from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field

from linewatch.core.section import Section

_FROZEN = (
    "pictures in a row that nowhere differ by more grey values than this are one picture: the camera is frozen and the "
    "part has no frame; none never looks, for sources without noise"
)


class OpenCvCamera(Section):
    """V4L2 device, GStreamer pipeline or stream through OpenCV."""

    kind: Literal["opencv"]
    source: str = Field(description="device path or index, GStreamer pipeline, or stream address")
    width: int = Field(gt=0, description="px; another width is an incomplete frame")
    height: int = Field(gt=0, description="px")
    grey: bool = Field(True, description="keep one channel instead of three")
    exposure_us: int | None = Field(None, gt=0, description="fixed exposure; none leaves the camera's own setting")
    max_age_ms: float = Field(
        40.0, gt=0, description="a frame older than its trigger by more than this is not its picture"
    )
    frozen_tolerance: int | None = Field(0, ge=0, le=254, description=_FROZEN)


class TriggeredCamera(Section):
    """What cameras have in common whose frames are matched to triggers by their frame counter."""

    width: int = Field(gt=0, description="px; set in the camera")
    height: int = Field(gt=0, description="px; set in the camera")
    grey: bool = Field(True, description="Mono8 instead of colour")
    pixel_format: str | None = Field(None, description="GenICam name of an 8-bit format; none takes what fits `grey`")
    exposure_us: float | None = Field(None, gt=0, description="fixed exposure; none leaves the camera's own setting")
    trigger: Literal["software", "hardware"] = Field(
        "software", description="by command with each trigger, or by the gate's own pulse on `line`"
    )
    line: str = Field("Line1", description="input that the gate is wired to, for hardware")
    activation: Literal["rising", "falling"] = Field("rising", description="edge of `line` that exposes")
    delay_ms: float | None = Field(
        None,
        ge=0,
        description="from the trigger to the exposure, kept by the camera itself (TriggerDelay); none leaves its own",
    )
    early_ms: float = Field(
        5.0,
        ge=0,
        description="hardware: so much before its trigger a frame may seem exposed, by two clocks that differ",
    )
    transfer_ms: float = Field(100.0, gt=0, description="how long a frame may take from exposure until it is here")
    frozen_tolerance: int | None = Field(0, ge=0, le=254, description=_FROZEN)


class BaslerCamera(TriggeredCamera):
    """Basler camera over pylon (the extra `linewatch[basler]`)."""

    kind: Literal["basler"]
    serial: str = Field("", description="serial number; empty is the only Basler camera there is")


class GenicamCamera(TriggeredCamera):
    """GigE Vision or USB3 Vision camera of any vendor over Aravis (gir1.2-aravis-0.8, `linewatch[genicam]`)."""

    kind: Literal["genicam"]
    device: str = Field("", description="its address, serial number or Aravis name; empty is the only camera there is")


class FolderCamera(Section):
    """Recorded folder as camera: picture n answers trigger n."""

    kind: Literal["folder"]
    path: Path = Field(description="folder of pictures or a recording")
    width: int = Field(gt=0, description="px")
    height: int = Field(gt=0, description="px")
    grey: bool = Field(True, description="keep one channel instead of three")
    frozen_tolerance: int | None = Field(None, ge=0, le=254, description=_FROZEN)


class SimulatedCamera(Section):
    """Rendered bottle bottoms with known truth."""

    kind: Literal["simulated"]
    width: int = Field(448, gt=0, description="px")
    height: int = Field(448, gt=0, description="px")
    grey: Literal[True] = Field(True, description="the simulated camera is monochrome")
    seed: int = Field(0, ge=0, description="same seed, same bottles")
    defect_rate: float = Field(0.15, ge=0, le=1, description="share of bottles with a defect")
    speed_px_per_ms: float = Field(0.0, description="the bottle moves down so fast; 0 stands in the middle")
    centred_ms: float = Field(0.0, description="when it is in the middle, after its trigger; for a bottle that moves")
    frozen_tolerance: int | None = Field(None, ge=0, le=254, description=_FROZEN)


Camera = Annotated[
    OpenCvCamera | BaslerCamera | GenicamCamera | FolderCamera | SimulatedCamera, Field(discriminator="kind")
]
