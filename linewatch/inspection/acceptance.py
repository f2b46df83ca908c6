"""Acceptance criteria: what each detection does to its part.

Criteria are read in the station file's order. A detection belongs to the first criterion of its class that it meets
(score, size, zone) and whose min_count is reached on this part; classes that no criterion names belong to the criteria
of `*`. What meets no criterion is ignored. One detection with effect reject is enough for a reject.
"""

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import msgspec

from linewatch.core.errors import StationError
from linewatch.core.messages import Cause, Detection
from linewatch.core.station import Criterion, Zone

ANY_CLASS = "*"
_RANK = {"reject": 0, "warn": 1, "ignore": 2}


@dataclass(frozen=True)
class Judgement:
    """cause: ok, defect or non_finite. detections: with their effects; rejecting ones first, then by falling score."""

    cause: Cause
    detections: tuple[Detection, ...] = ()
    reason: str = ""


class Acceptance:
    """The criteria of one station, resolved against the classes of one model."""

    def __init__(
        self, criteria: Sequence[Criterion], classes: Sequence[str], mm_per_px: float | None, where: object = "station"
    ) -> None:
        """mm_per_px: scale of the rectified picture, None when no criterion needs it. where: named in errors.

        Raises StationError when a criterion names a class that the model lacks, a class of the model has no criterion,
        or a size in mm has no scale.
        """
        for error in criteria_errors(criteria, classes, mm_per_px, where):
            raise error
        named = {criterion.label for criterion in criteria}
        self._mm_per_px = mm_per_px
        self._criteria = {
            label: [c for c in criteria if c.label == (label if label in named else ANY_CLASS)] for label in classes
        }

    def judge(self, detections: Iterable[Detection], width_px: int, height_px: int) -> Judgement:
        """The verdict on one part. width_px, height_px: of the rectified picture that the boxes lie in.

        Raises KeyError on a label that is none of the model's classes.
        """
        found = tuple(detections)
        if not all(_is_finite(detection) for detection in found):
            return Judgement(Cause.NON_FINITE, reason="the network gave a score or box that is no finite number")
        by_label: dict[str, list[Detection]] = {}
        for detection in found:
            by_label.setdefault(detection.label, []).append(detection)
        judged = [
            detection
            for label, group in by_label.items()
            for detection in self._apply(self._criteria[label], group, width_px, height_px)
        ]
        judged.sort(key=lambda d: (_RANK[d.effect], -d.score, d.label, d.y, d.x))
        cause = Cause.DEFECT if judged and judged[0].effect == "reject" else Cause.OK
        return Judgement(cause, tuple(judged))

    def _apply(
        self, criteria: Sequence[Criterion], group: list[Detection], width_px: int, height_px: int
    ) -> list[Detection]:
        judged: list[Detection] = []
        left = group
        for criterion in criteria:
            meets = [self._meets(criterion, detection, width_px, height_px) for detection in left]
            if sum(meets) < criterion.min_count:
                continue
            judged += [
                msgspec.structs.replace(d, effect=criterion.effect) for d, met in zip(left, meets, strict=True) if met
            ]
            left = [d for d, met in zip(left, meets, strict=True) if not met]
        return judged + [msgspec.structs.replace(d, effect="ignore") for d in left]

    def _meets(self, criterion: Criterion, detection: Detection, width_px: int, height_px: int) -> bool:
        size_px = max(detection.width, detection.height)
        if detection.score < criterion.min_score:
            return False
        if criterion.min_size_px is not None and size_px < criterion.min_size_px:
            return False
        if criterion.min_size_mm is not None and size_px * (self._mm_per_px or math.inf) < criterion.min_size_mm:
            return False
        return criterion.zone is None or lies_in(criterion.zone, detection, width_px, height_px)


def lies_in(zone: Zone, detection: Detection, width_px: int, height_px: int) -> bool:
    """Whether the centre of the detection's box lies in the zone, its borders included."""
    x = detection.x + detection.width / 2
    y = detection.y + detection.height / 2
    if zone.kind == "box":
        left, top, right, bottom = zone.box
        return left <= x / width_px <= right and top <= y / height_px <= bottom
    centre_x, centre_y = zone.centre
    radius = math.hypot(x - centre_x * width_px, y - centre_y * height_px) / min(width_px, height_px)
    return zone.inner <= radius <= zone.outer


def _is_finite(detection: Detection) -> bool:
    return all(map(math.isfinite, (detection.score, detection.x, detection.y, detection.width, detection.height)))


def criteria_errors(
    criteria: Sequence[Criterion], classes: Sequence[str], mm_per_px: float | None, where: object
) -> Iterator[StationError]:
    """Everything that keeps `criteria` from judging a model with `classes`; as for Acceptance."""
    known = ", ".join(classes)
    for index, criterion in enumerate(criteria):
        key = f"{where}: acceptance.{index}"
        if criterion.label != ANY_CLASS and criterion.label not in classes:
            yield StationError(f"{key}.class", f"the model has no such class, only {known}", criterion.label)
        if criterion.min_size_mm is not None and mm_per_px is None:
            yield StationError(f"{key}.min_size_mm", "needs mm_per_px or calibration", criterion.min_size_mm)
        yield from _zone_errors(criterion.zone, f"{key}.zone")
    named = {criterion.label for criterion in criteria}
    orphans = [label for label in classes if label not in named]
    if orphans and ANY_CLASS not in named:
        yield StationError(
            f"{where}: acceptance", "no criterion for this class of the model; name it or add `*`", orphans[0]
        )


def _zone_errors(zone: Zone | None, key: str) -> Iterator[StationError]:
    if zone is None:
        return
    if zone.kind == "ring" and zone.inner >= zone.outer:
        yield StationError(key, f"inner {zone.inner:g} must be below outer {zone.outer:g}")
    left, top, right, bottom = zone.box
    if zone.kind == "box" and not (left < right and top < bottom):
        yield StationError(key, "box must be left < right and top < bottom", zone.box)
