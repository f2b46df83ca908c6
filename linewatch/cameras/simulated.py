"""The camera of the virtual bottle line: rendered bottle bottoms, part n is bottle n - 1 of the seed."""

import time
from dataclasses import replace

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

    def capture(self, seq: int, t_trigger_ns: int) -> Captured:
        t_exposed_ns = time.monotonic_ns()
        settings = self._settings
        if settings.speed_px_per_ms:
            late_ms = (t_exposed_ns - t_trigger_ns) / 1e6 - settings.centred_ms
            picture = self._render(seq, late_ms * settings.speed_px_per_ms / settings.height)
        else:
            picture = self._ahead.take(seq)
        return Captured(picture, t_exposed_ns, f"simulated:{settings.seed}/{seq - 1}")

    def idle(self) -> bool:
        # Where a moving bottle is only its exposure tells.
        return False if self._settings.speed_px_per_ms else self._ahead.prepare()

    def _render(self, seq: int, below: float | None = None) -> Picture:
        """below: the bottle's middle under that of the picture, as a share of its height; none is where it was put."""
        # Imported here: a station with a real camera needs no simulator.
        from linewatch.sim.render import render
        from linewatch.sim.scene import describe

        scene = describe(self._settings.seed, seq - 1, self._settings.defect_rate)
        if below is not None:
            scene = replace(scene, pose=replace(scene.pose, y=0.5 + below))
        return render(scene, self._settings.width).pixels
