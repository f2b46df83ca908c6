"""The acceptance criteria of a station file: which detections count, where, and what they then do."""

from typing import Literal

from pydantic import Field

from linewatch.core.section import Section


class Zone(Section):
    """Where on the part a criterion applies, in fractions of the picture's width and height."""

    kind: Literal["ring", "box"] = Field(description="ring around a centre, or upright box")
    centre: tuple[float, float] = Field((0.5, 0.5), description="centre of the ring")
    inner: float = Field(0.0, ge=0, description="inner radius of the ring, fraction of the smaller side")
    outer: float = Field(1.0, gt=0, description="outer radius of the ring, fraction of the smaller side")
    box: tuple[float, float, float, float] = Field((0.0, 0.0, 1.0, 1.0), description="left, top, right, bottom")


class Criterion(Section):
    """From when on detections of one class count, and what they then do."""

    label: str = Field(
        alias="class", description="class of the model, or `*` for every class that no other criterion names"
    )
    min_score: float = Field(0.5, ge=0, le=1, description="detections below are ignored")
    min_size_mm: float | None = Field(None, ge=0, description="longer side of the box; needs mm_per_px")
    min_size_px: float | None = Field(
        None, ge=0, description="longer side of the box in pixels of the rectified picture"
    )
    zone: Zone | None = Field(None, description="only detections whose centre lies here; none is the whole picture")
    min_count: int = Field(1, ge=1, description="so many at least, on one part, before they count")
    effect: Literal["reject", "warn"] = Field("reject", description="what they do then")
