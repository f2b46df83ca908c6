"""What a person changed: exported boxes beside corrected ones."""

from collections.abc import Sequence
from typing import Literal

import msgspec

from linewatch.training.annotations import Box
from linewatch.training.matching import MATCH_IOU, iou

Change = Literal["kept", "moved", "renamed", "removed", "added"]
_STILL_PX = 1.0  # tools round, and cut at the picture's edge


class Counts(msgspec.Struct):
    """Boxes of one class. removed and renamed: by the exported class. added: by the corrected one.

    kept: as exported. moved: another place or size. renamed: another class now. A box that overlaps none of the other
    set by half counts as removed and added.
    """

    kept: int = 0
    moved: int = 0
    renamed: int = 0
    removed: int = 0
    added: int = 0

    @property
    def exported(self) -> int:
        return self.kept + self.moved + self.renamed + self.removed

    @property
    def right(self) -> float | None:
        """Share of the exported boxes whose class stood and that a person found where they were, or nearby."""
        return (self.kept + self.moved) / self.exported if self.exported else None

    @property
    def changed(self) -> int:
        return self.moved + self.renamed + self.removed + self.added

    def count(self, change: Change) -> None:
        setattr(self, change, getattr(self, change) + 1)


def changes(before: Sequence[Box], after: Sequence[Box]) -> list[tuple[Change, int]]:
    """What became of each box of one picture, with its class.

    Boxes belong together that overlap by half: those of one class first, the most overlapping ones first of all.
    """
    left, right = list(range(len(before))), list(range(len(after)))
    found: list[tuple[Change, int]] = []
    for one, other in _pairs(before, after):
        if one in left and other in right:
            left.remove(one)
            right.remove(other)
            found.append((_change(before[one], after[other]), before[one].label))
    found += [("removed", before[index].label) for index in left]
    return found + [("added", after[index].label) for index in right]


def _pairs(before: Sequence[Box], after: Sequence[Box]) -> list[tuple[int, int]]:
    """All that overlap enough, the likeliest first."""
    pairs = [
        (one.label == other.label, overlap, number, index)
        for number, one in enumerate(before)
        for index, other in enumerate(after)
        if (overlap := iou(one, (other.label, 1.0, other.x, other.y, other.w, other.h))) >= MATCH_IOU
    ]
    return [(number, index) for _, _, number, index in sorted(pairs, key=lambda pair: (not pair[0], -pair[1]))]


def _change(one: Box, other: Box) -> Change:
    if one.label != other.label:
        return "renamed"
    edges = ((one.x, other.x), (one.y, other.y), (one.x + one.w, other.x + other.w), (one.y + one.h, other.y + other.h))
    return "kept" if all(abs(a - b) <= _STILL_PX for a, b in edges) else "moved"
