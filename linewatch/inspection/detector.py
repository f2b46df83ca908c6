"""What finds defects in pictures, as the rest of the inspector sees it."""

from collections.abc import Sequence
from typing import Protocol

from linewatch.core.messages import Detection
from linewatch.pictures.types import Picture


class Detector(Protocol):
    """A network with fixed batch shapes that is warm before the first part."""

    @property
    def classes(self) -> tuple[str, ...]:
        """Every label that a detection may carry."""
        ...

    @property
    def name(self) -> str:
        """Model and digest, for the log and the record."""
        ...

    @property
    def batch_sizes(self) -> tuple[int, ...]:
        """The batch shapes it was warmed up for, rising; the last is the most pictures that one call may bring."""
        ...

    def warm_up(self) -> None:
        """Run every batch shape, so that the first part finds nothing left to compile, allocate or choose."""
        ...

    def detect(self, pictures: Sequence[Picture]) -> list[tuple[Detection, ...]]:
        """The detections of each picture, in pixels of that picture, best score first.

        pictures: 1 to batch_sizes[-1] of them, all of one shape.
        Scores and boxes are as the network gave them: non-finite ones are for the caller to find.
        Raises whatever the network raises; none of the pictures is then inspected.
        """
        ...
