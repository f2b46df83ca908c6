"""Annotated pictures in memory: the one form that every importer makes and that training and evaluation read."""

import hashlib
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from linewatch.core.errors import DatasetError


@dataclass(frozen=True, slots=True)
class Box:
    """One defect. label: index into the classes. x, y: upper left corner, w, h: size, all in px of its picture."""

    label: int
    x: float
    y: float
    w: float
    h: float


@dataclass(frozen=True, slots=True)
class Picture:
    """One picture; without boxes it shows a good part.

    width, height: px. group: pictures of one group (one board, one part, one shift) stay on one side of a split.
    """

    path: Path
    width: int
    height: int
    group: str
    boxes: tuple[Box, ...]


@dataclass(frozen=True, slots=True)
class Annotations:
    """classes: names in the order of the model's outputs."""

    classes: tuple[str, ...]
    pictures: tuple[Picture, ...]

    @property
    def boxes(self) -> int:
        """How many boxes there are in all."""
        return sum(len(picture.boxes) for picture in self.pictures)


def merge(*parts: Annotations) -> Annotations:
    """All pictures of `parts` in their order. Raises DatasetError on other classes or a picture that stands twice."""
    classes = parts[0].classes
    for part in parts[1:]:
        if part.classes != classes:
            raise DatasetError("merge", f"annotations have other classes than {list(classes)}", list(part.classes))
    pictures = tuple(picture for part in parts for picture in part.pictures)
    for path, count in Counter(picture.path for picture in pictures).items():
        if count > 1:
            raise DatasetError(path, "picture stands in two of the annotations that are merged")
    return Annotations(classes, pictures)


def split_by_group(annotations: Annotations, share: float, seed: int) -> tuple[Annotations, Annotations]:
    """Hold out about `share` of the pictures, whole groups only; the same input gives the same split everywhere.

    share: between 0 and 1, of the pictures. Groups are visited in the order of a hash of seed and name; a group is held
    out when that brings the number of held-out pictures closer to the share.
    Returns (rest, held out). Raises DatasetError when the groups are too few or too large for that.
    """
    if not 0 < share < 1:
        raise DatasetError("split", "share must lie between 0 and 1", share)
    sizes = Counter(picture.group for picture in annotations.pictures)
    wanted, count = share * len(annotations.pictures), 0
    chosen: set[str] = set()
    for group in sorted(sizes, key=lambda name: hashlib.sha256(f"{seed}:{name}".encode()).digest()):
        if abs(count + sizes[group] - wanted) < abs(count - wanted):
            chosen.add(group)
            count += sizes[group]
    if not chosen or len(chosen) == len(sizes):
        raise DatasetError("split", f"{len(sizes)} groups cannot be split by this share", share)
    held_out = tuple(picture for picture in annotations.pictures if picture.group in chosen)
    rest = tuple(picture for picture in annotations.pictures if picture.group not in chosen)
    return Annotations(annotations.classes, rest), Annotations(annotations.classes, held_out)


def check_disjoint(one: Annotations, other: Annotations) -> None:
    """Raise DatasetError when a group or a picture is on both sides, for splits that were made by hand."""
    groups = {picture.group for picture in one.pictures}
    paths = {picture.path.resolve() for picture in one.pictures}
    for picture in other.pictures:
        if picture.path.resolve() in paths:
            raise DatasetError(picture.path, "picture is on both sides of the split")
        if picture.group in groups:
            raise DatasetError(picture.path, "group is on both sides of the split", picture.group)


def group_of(name: str, pattern: re.Pattern[str] | None) -> str:
    """The group of the picture called `name`: the first group of `pattern`, else its whole match, searched in the name.

    Without a pattern each picture is its own group. Raises DatasetError when the pattern does not match.
    """
    if pattern is None:
        return name
    match = pattern.search(name)
    found = match and (match.group(1) if pattern.groups else match.group())
    if not found:
        raise DatasetError(name, "group pattern does not match the picture's name", pattern.pattern)
    return found


def compiled_group(pattern: str | None) -> re.Pattern[str] | None:
    """The group pattern, compiled. Raises DatasetError when it is no regular expression."""
    try:
        return None if pattern is None else re.compile(pattern)
    except re.error as exc:
        raise DatasetError("group", f"is no regular expression: {exc}", pattern) from exc


def relabelled(annotations: Annotations, classes: Sequence[str], where: object) -> Annotations:
    """The same boxes with labels that index `classes`. Raises DatasetError naming `where` when a class is unknown."""
    for name in annotations.classes:
        if name not in classes:
            raise DatasetError(where, f"unknown class; the model has {', '.join(classes)}", name)
    index = [list(classes).index(name) for name in annotations.classes]
    pictures = tuple(
        Picture(
            picture.path, picture.width, picture.height, picture.group,
            tuple(Box(index[box.label], box.x, box.y, box.w, box.h) for box in picture.boxes),
        )
        for picture in annotations.pictures
    )  # fmt: skip
    return Annotations(tuple(classes), pictures)
