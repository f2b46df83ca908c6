"""Pictures that stand on two sides of a split under different names: what is measured on them is no measurement."""

import hashlib
from collections import defaultdict
from collections.abc import Iterable
from pathlib import Path

from linewatch.core.errors import DatasetError
from linewatch.training.annotations import Annotations


def check_contents(*parts: Annotations) -> None:
    """Raise one DatasetError that lists every file whose content stands in two of `parts`.

    The same bytes are noticed, whatever the files are called; the same picture saved anew with other settings is not.
    """
    sides: dict[Path, int] = {picture.path: side for side, part in enumerate(parts) for picture in part.pictures}
    by_size: dict[int, list[Path]] = defaultdict(list)
    for path in sides:
        by_size[path.stat().st_size].append(path)
    doubled = [
        f"{same[0]} = {' = '.join(other.name for other in same[1:])}"
        for alike in by_size.values()
        if _sides(alike, sides) > 1
        for same in _same_content(alike)
        if _sides(same, sides) > 1
    ]
    if doubled:
        raise DatasetError("split", f"{len(doubled)} pictures are on both sides of the split: {'; '.join(doubled)}")


def _sides(paths: Iterable[Path], sides: dict[Path, int]) -> int:
    return len({sides[path] for path in paths})


def _same_content(paths: Iterable[Path]) -> list[list[Path]]:
    """`paths`, by their files' content."""
    found: dict[bytes, list[Path]] = defaultdict(list)
    for path in paths:
        found[hashlib.sha256(path.read_bytes()).digest()].append(path)
    return list(found.values())
