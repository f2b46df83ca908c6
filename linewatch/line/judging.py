"""From an inspection to a verdict. Only one combination passes; whatever does not fit together is a reject."""

import math
from collections.abc import Sequence

from linewatch.core.messages import Cause, Detection, Inspection

_RANK = {"reject": 2, "warn": 1}


def judge(inspection: Inspection) -> tuple[Cause, str]:
    """The cause that `inspection` amounts to, and the reason when the inspection contradicts itself.

    Returns Cause.OK only for an inspection that says ok, whose numbers are finite, whose scores lie in 0 .. 1, and
    whose detections are none of them to be rejected.
    """
    numbers = [value for found in inspection.detections for value in _numbers(found)]
    if not all(map(math.isfinite, numbers)):
        return Cause.NON_FINITE, "a score or box is not a finite number"
    if not all(0.0 <= found.score <= 1.0 for found in inspection.detections):
        return Cause.MODEL_ERROR, "a score lies outside 0 .. 1"
    if inspection.cause is Cause.OK and any(found.effect == "reject" for found in inspection.detections):
        return Cause.MODEL_ERROR, "the inspection says ok beside a defect to reject"
    return inspection.cause, inspection.reason


def strongest(detections: Sequence[Detection]) -> Detection | None:
    """The detection that a decision names: what rejects before what warns, then the highest score; none without any."""
    usable = [found for found in detections if math.isfinite(found.score) and 0.0 <= found.score <= 1.0]
    return max(usable, key=lambda found: (_RANK.get(found.effect, 0), found.score), default=None)


def _numbers(found: Detection) -> tuple[float, ...]:
    return found.score, found.x, found.y, found.width, found.height
