"""What every annotation format has to be held to: the picture is there, has the size said, and holds its boxes."""

import math
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from PIL import Image, UnidentifiedImageError

from linewatch.core.errors import DatasetError, PictureError
from linewatch.training.annotations import Box

SUFFIXES = (".png", ".jpg", ".jpeg", ".bmp", ".tif", ".tiff", ".webp")

# Rounding to whole pixels and back moves an edge by up to this much.
TOLERANCE_PX = 1.0
_EXIF_ORIENTATION = 0x0112


class Refused:
    """Pictures that cannot be used, gathered so that one error names them all: none is skipped, none hides another."""

    def __init__(self) -> None:
        self._reasons: list[str] = []

    @contextmanager
    def gather(self) -> Iterator[None]:
        """Keep the error of one picture for later."""
        try:
            yield
        except (DatasetError, PictureError) as exc:
            self._reasons.append(str(exc))

    def check(self, where: object, total: int) -> None:
        """Raise one DatasetError naming `where` and every gathered picture of `total`, when there are any."""
        if self._reasons:
            count = f"{len(self._reasons)} of {total} pictures cannot be used: "
            raise DatasetError(where, count + "; ".join(self._reasons))


def picture_size(path: Path) -> tuple[int, int]:
    """(width, height) in px from the file's header.

    Raises DatasetError when the picture is missing, is no picture, or is turned by its orientation flag: readers
    disagree on whether to obey the flag, so boxes could belong to either view.
    """
    try:
        with Image.open(path) as image:
            turned = image.getexif().get(_EXIF_ORIENTATION, 1) not in (0, 1)
            size = image.size
    except FileNotFoundError as exc:
        raise DatasetError(path, "no such picture") from exc
    except (UnidentifiedImageError, OSError, SyntaxError, Image.DecompressionBombError) as exc:
        raise DatasetError(path, f"is no picture: {exc}") from exc
    if turned:
        raise DatasetError(path, "is turned by its orientation flag; save it upright")
    return size


def check_size(path: Path, width: int, height: int) -> None:
    """Raise DatasetError unless the picture at `path` is width x height px."""
    actual = picture_size(path)
    if actual != (width, height):
        raise DatasetError(path, f"picture is {actual[0]} x {actual[1]} px, its annotations say", f"{width} x {height}")


def fitted_box(where: str, box: Box, width: int, height: int) -> Box:
    """`box`, cut to a picture of width x height px.

    Raises DatasetError naming `where` when it has no area or lies outside by more than TOLERANCE_PX.
    """
    shown = [box.x, box.y, box.w, box.h]
    if not all(map(math.isfinite, shown)):
        raise DatasetError(where, "box must be finite numbers x, y, width, height", shown)
    if box.w <= 0 or box.h <= 0:
        raise DatasetError(where, "box must be wider and higher than 0", shown)
    outside = max(-box.x, -box.y, box.x + box.w - width, box.y + box.h - height)
    if outside > TOLERANCE_PX:
        raise DatasetError(where, f"box lies {outside:g} px outside its picture of {width} x {height} px", shown)
    x0, y0 = max(box.x, 0.0), max(box.y, 0.0)
    x1, y1 = min(box.x + box.w, float(width)), min(box.y + box.h, float(height))
    if x1 <= x0 or y1 <= y0:
        raise DatasetError(where, f"box lies outside its picture of {width} x {height} px", shown)
    return Box(box.label, x0, y0, x1 - x0, y1 - y0)


def picture_beside(folder: Path, stem: str, where: object) -> Path:
    """The one picture called `stem` in `folder`. Raises DatasetError naming `where` when there is none, or are two."""
    found = [path for suffix in SUFFIXES for path in (folder / f"{stem}{suffix}", folder / f"{stem}{suffix.upper()}")]
    found = [path for path in found if path.is_file()]
    if len(found) == 1:
        return found[0]
    raise DatasetError(where, f"{'two pictures' if found else 'no picture'} of this name in {folder}", stem)


def read_text(path: Path) -> str:
    """The text of `path`. Raises DatasetError when it cannot be read."""
    try:
        return path.read_text(encoding="utf-8")
    except OSError as exc:
        raise DatasetError(path, exc.strerror or "cannot be read") from exc
    except UnicodeDecodeError as exc:
        raise DatasetError(path, f"is no text: {exc}") from exc
