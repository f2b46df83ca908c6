"""What a triggered camera is to `triggered.py`, whoever made it and whatever library speaks to it."""

from dataclasses import dataclass
from typing import Protocol

from linewatch.cameras.counting import CounterRange
from linewatch.pictures.types import Picture


@dataclass(frozen=True)
class Grabbed:
    """One frame as the library gave it.

    counter: the camera's; none when the frame is so broken that it has none. device_ns: the camera's clock, none
    without one. fault: why the picture is not whole; then there is none.
    """

    counter: int | None
    device_ns: int | None
    picture: Picture | None
    fault: str = ""


class Device(Protocol):
    """One camera. `fire` and `clock_offset_ns` may be called while another thread is in `grab`.

    Every method raises CameraError when the camera is gone or refuses.
    """

    @property
    def name(self) -> str: ...

    def open(self) -> CounterRange:
        """Find it, set it up, and say how its frame counter runs."""
        ...

    def start(self) -> None:
        """Be ready for triggers."""
        ...

    def stop(self) -> None:
        """Forget all frames that are under way."""
        ...

    def close(self) -> None:
        """Let go of it, whatever state it is in; raises nothing."""
        ...

    def fire(self) -> None:
        """The software trigger."""
        ...

    def grab(self, wait_ms: int) -> Grabbed | None:
        """The next frame; none when none came in time and the camera is still there."""
        ...

    def clock_offset_ns(self) -> int | None:
        """Monotonic clock minus the camera's clock, now; none when its clock cannot be read."""
        ...
