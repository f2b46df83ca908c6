"""The camera of the virtual bottle line: rendered bottle bottoms, part n is bottle n - 1 of the seed."""

import time

from linewatch.cameras.ahead import Ahead
from linewatch.cameras.camera import Captured
from linewatch.core.cameras import SimulatedCamera
from linewatch.core.errors import StationError
from linewatch.pictures.types import Picture

_DEPTH = 12  # a burst of so many triggers is answered at once


class SimulatedSource:
    """Renders ahead in spare time. Same seed and part, same picture."""

    def __init__(self, settings: SimulatedCamera) -> None:
        """Raises StationError when the picture would not be square."""
        if settings.width != settings.height:
            raise StationError(
                "camera.height", f"the simulated camera is square, width is {settings.width}", settings.height
            )
        self._settings = settings
        self._ahead = Ahead(self._render, _DEPTH)

    @property
    def trouble(self) -> str:
        return ""

    def open(self) -> None:
        """Render the first bottle, which loads the renderer and finds its errors before the first part."""
        self._ahead.prepare()

    def close(self) -> None: ...

    def capture(self, seq: int, t_trigger_ns: int) -> Captured:  # noqa: ARG002
        t_exposed_ns = time.monotonic_ns()
        return Captured(self._ahead.take(seq), t_exposed_ns, f"simulated:{self._settings.seed}/{seq - 1}")

    def idle(self) -> bool:
        return self._ahead.prepare()

    def _render(self, seq: int) -> Picture:
        # Imported here: a station with a real camera needs no simulator.
        from linewatch.sim.render import render
        from linewatch.sim.scene import describe

        scene = describe(self._settings.seed, seq - 1, self._settings.defect_rate)
        return render(scene, self._settings.width).pixels
