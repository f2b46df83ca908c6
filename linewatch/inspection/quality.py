"""Whether a picture can be trusted at all: its size and sharpness before rectification, its brightness after."""

from dataclasses import dataclass

from linewatch.core.cameras import Camera
from linewatch.core.messages import Cause
from linewatch.core.station import Exposure, Focus
from linewatch.inspection.drift import sharpness
from linewatch.pictures.types import Picture


@dataclass(frozen=True)
class Doubt:
    """Why a part cannot be inspected."""

    cause: Cause
    reason: str


def check_size(picture: Picture, camera: Camera) -> Doubt | None:
    """incomplete_frame unless the sensor picture has the camera's height, width and channels."""
    wanted = (camera.height, camera.width) if camera.grey else (camera.height, camera.width, 3)
    if picture.shape == wanted:
        return None
    return Doubt(Cause.INCOMPLETE_FRAME, f"picture is {_shape(picture.shape)}, station says {_shape(wanted)}")


def check_exposure(picture: Picture, exposure: Exposure) -> Doubt | None:
    """exposure when the mean grey value of the rectified picture leaves [min_mean, max_mean]."""
    if exposure.min_mean <= 0 and exposure.max_mean >= 255:
        return None
    mean = float(picture.mean())
    if exposure.min_mean <= mean <= exposure.max_mean:
        return None
    return Doubt(
        Cause.EXPOSURE, f"mean grey value {mean:.1f} is outside {exposure.min_mean:g} to {exposure.max_mean:g}"
    )


def check_focus(picture: Picture, focus: Focus) -> Doubt | None:
    """blur when the sensor picture is less sharp than min_sharpness; asked after exposure: the dark is never sharp."""
    if focus.min_sharpness <= 0:
        return None
    sharp = sharpness(picture)
    if sharp >= focus.min_sharpness:
        return None
    return Doubt(Cause.BLUR, f"sharpness {sharp:.3g} is below {focus.min_sharpness:g}")


def _shape(shape: tuple[int, ...]) -> str:
    """Width x height, as the station file and the cameras say it."""
    return f"{shape[1]} x {shape[0]} {'grey' if len(shape) == 2 else 'colour'}"
