"""What a camera is to the rest of the station, and what its failures mean for a part."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from linewatch.core.errors import CameraError, ExtraFrameError, PictureError, StorageError
from linewatch.core.messages import Cause, Note
from linewatch.pictures.types import Picture

Tell = Callable[[Note], object]


@dataclass(frozen=True)
class Captured:
    """One part's picture.

    pixels: (H, W) grey or (H, W, 3) red, green, blue, sensor coordinates. t_exposed_ns: monotonic clock.
    source: where it came from: a file's name, a device.
    """

    pixels: Picture
    t_exposed_ns: int
    source: str


class Camera(Protocol):
    """One camera. All methods are called from one thread; only `open` may take long.

    A device that goes away after `open` is opened again by its adapter, about once a second.
    """

    @property
    def trouble(self) -> str:
        """Why the device does not answer at the moment, in words; empty while it does."""
        ...

    def open(self) -> None:
        """Make it ready to answer. Raises CameraError, ConfigError or StorageError that names the source."""
        ...

    def close(self) -> None: ...

    def capture(self, seq: int, t_trigger_ns: int) -> Captured:
        """The picture of part `seq`, whose trigger came at `t_trigger_ns`.

        Raises CameraError when no picture of this part can be had, PictureError when there is one that is not whole.
        """
        ...

    def idle(self) -> bool:
        """Use spare time between triggers, at most some tens of milliseconds; true when there is more to do."""
        ...


def cause_of(error: CameraError | StorageError) -> Cause:
    """What a failed capture is for the part: no picture, one that is not whole, or one of who knows which part."""
    if isinstance(error, ExtraFrameError):
        return Cause.EXTRA_FRAME
    return Cause.INCOMPLETE_FRAME if isinstance(error, PictureError) else Cause.NO_FRAME


def check_shape(picture: Picture, width: int, height: int, grey: bool, source: str) -> None:
    """Raises PictureError when `picture` is not (height, width) for grey or (height, width, 3) for colour."""
    wanted = (height, width) if grey else (height, width, 3)
    if picture.shape != wanted:
        raise PictureError(source, f"the station says {width} x {height}", f"{picture.shape[1]} x {picture.shape[0]}")
