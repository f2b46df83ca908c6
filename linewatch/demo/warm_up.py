"""How fast this machine inspects: one bottle after the other, each fired when the one before is decided."""

import statistics
import time
from collections.abc import Sequence

from linewatch.core.errors import CheckFailed
from linewatch.core.messages import Cause
from linewatch.core.wire import WireDecision
from linewatch.demo.figures import Speed
from linewatch.demo.interrupt import Interrupt
from linewatch.demo.standing import decision_ms
from linewatch.demo.virtual_line import VirtualLine

WARM_UP_S = 3.0
_LEAST_PARTS = 4
_STEP_MS = 50
_GRACE_S = 2.0  # past the deadline even a fail-safe reject must have been heard


def warm_up(line: VirtualLine, interrupt: Interrupt, seconds: float) -> None:
    """Send bottles one at a time for `seconds`, four at least, or until interrupted.

    Raises CheckFailed when a bottle gets no decision.
    """
    end = time.monotonic() + seconds
    while not interrupt and (time.monotonic() < end or len(line.observer.decisions) < _LEAST_PARTS):
        _one(line, interrupt)


def _one(line: VirtualLine, interrupt: Interrupt) -> None:
    wanted = len(line.observer.decisions) + 1
    give_up = time.monotonic() + line.station.line.deadline_ms / 1000 + _GRACE_S
    line.fire()
    while len(line.observer.decisions) < wanted and not interrupt:
        line.follow(_STEP_MS)
        if time.monotonic() > give_up:
            raise CheckFailed("warm-up", f"no decision came for bottle {wanted}")


def speed_of(decisions: Sequence[WireDecision]) -> Speed:
    """The median over the later half of the warm-up: the first pictures were rendered ahead, and caches were cold.

    Raises CheckFailed when no bottle was inspected.
    """
    later = decisions[len(decisions) // 2 :]
    inspected = [decision_ms(one) for one in later if one.cause in (Cause.OK, Cause.DEFECT)]
    if not inspected:
        causes = ", ".join(sorted({one.cause.value for one in decisions})) or "no decision"
        raise CheckFailed("warm-up", f"no bottle was inspected, only {causes}; see line.log in the output folder")
    return Speed(len(decisions), statistics.median(inspected))
