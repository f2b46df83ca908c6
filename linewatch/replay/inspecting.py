"""What becomes of a recorded part before it is decided: a pure function of its picture, here or on another machine."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

from linewatch.core.errors import PictureError
from linewatch.core.messages import Cause, Inspection
from linewatch.inspection.inspector import Inspector, Part
from linewatch.inspection.quality import Doubt
from linewatch.pictures.read import read_picture
from linewatch.pictures.types import Picture
from linewatch.records.decision_log import PictureState
from linewatch.replay.selection import Scheduled

GoesOn = Callable[[Scheduled], bool]
"""Asked before a part is read, and may wait; false ends the replay there."""


@dataclass(frozen=True)
class Inspected:
    """Recorded trigger `seq` of this replay, inspected. doubt: why it has no picture that can be trusted.

    picture: the sensor's, for the crops; without one `missing` says why.
    """

    seq: int
    part: Scheduled
    inspection: Inspection
    doubt: Doubt | None
    picture: Picture | None
    missing: PictureState = "absent"


class Inspecting(Protocol):
    """Whatever inspects the parts of a replay. name: model and digest. notes: what a reader should be told, so far."""

    name: str

    @property
    def notes(self) -> Sequence[str]: ...

    def inspected(self, parts: Sequence[Scheduled], goes_on: GoesOn) -> Iterator[Inspected]:
        """Each of `parts` in their order, until `goes_on` says no."""
        ...


class OneProcess:
    """This process inspects, in batches of `largest` (which changes no inspection)."""

    notes = ()

    def __init__(self, inspector: Inspector, name: str, grey: bool, largest: int) -> None:
        self.name = name
        self._inspector = inspector
        self._grey = grey
        self._largest = largest

    def inspected(self, parts: Sequence[Scheduled], goes_on: GoesOn) -> Iterator[Inspected]:
        for first in range(0, len(parts), self._largest):
            if not goes_on(parts[first]):
                return
            yield from inspect(self._inspector, parts[first : first + self._largest], first + 1, self._grey)


def inspect(inspector: Inspector, parts: Sequence[Scheduled], first: int, grey: bool) -> list[Inspected]:
    """`parts` as one batch, numbered from `first`. grey: read the pictures with one channel."""
    loaded = [load_part(part, seq, grey) for seq, part in enumerate(parts, start=first)]
    return [
        Inspected(one.seq, part, inspection, one.picture, None)
        if isinstance(one.picture, Doubt)
        else Inspected(one.seq, part, inspection, None, one.picture)
        for part, one, inspection in zip(parts, loaded, inspector.inspect(loaded), strict=True)
    ]


def load_part(part: Scheduled, seq: int, grey: bool) -> Part:
    """The recorded trigger with its picture, or with the reason why it has none that can be trusted."""
    if part.entry.path is None:
        return Part(seq, Doubt(Cause.NO_FRAME, part.entry.reason))
    try:
        return Part(seq, read_picture(part.entry.path, grey))
    except PictureError as exc:
        return Part(seq, Doubt(Cause.INCOMPLETE_FRAME, f"{part.source}: {exc.reason}"))
