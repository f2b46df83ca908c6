"""Copy-paste of defects between black and white parts.

What sets a bad part apart from the picture of the same part without defects is the defect and nothing else. It is put
into another part where that looks, all around the defect, as the defect's own part does: a spur onto another edge, a
pin-hole into other copper. Ours; the usual copy-paste moves whole boxes with whatever else is in them.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from linewatch.core.errors import DatasetError
from linewatch.training.annotations import Annotations, Box, Picture
from linewatch.training.squares import Boxes, Labels, Pixels, cut, turned

REACH_PX = 5  # so far around a defect the other part must look alike
_SEAM_PX = 2  # so far around a defect its own part comes along, so that no frayed edge is left over
_UNLIKE = 0.06  # share of those pixels that may differ: edges of one part are not another's to the pixel
_TRIES = 8  # draws of a defect of the class that is to be pasted, until one has a place
_PIECE = 0.3  # smaller pieces of a difference, measured by the largest, are frayed edges and not the defect
_LEAST_AREA = 12  # px; less than that is no defect that could be seen


@dataclass(frozen=True)
class Defect:
    """A defect in a square of S px. around: (S, S) its part without it; bad: (S, S) with it; 0 or 255.

    shape: (S, S), 255 where the defect and its seam are. box: (1, 4) x1, y1, x2, y2 in px of the square.
    """

    around: Pixels
    bad: Pixels
    shape: Pixels
    box: Boxes
    label: int


class DefectBank:
    """Defects cut out of bad parts, drawn class by class."""

    def __init__(self, defects: Sequence[Defect]) -> None:
        self._by_class = [[d for d in defects if d.label == label] for label in sorted({d.label for d in defects})]

    @classmethod
    def cut_out(cls, annotations: Annotations, pixels: Sequence[Pixels], template: str) -> "DefectBank":
        """The defects of all bad pictures.

        pixels: (H, W) uint8, in the pictures' order. template: file name of the same part without defects, `{stem}`
        standing for the bad picture's name without its ending.
        Raises DatasetError when a template is missing or of another size, or no defect could be cut out.
        """
        named = {picture.path.name: image for picture, image in zip(annotations.pictures, pixels, strict=True)}
        defects: list[Defect] = []
        for picture, image in zip(annotations.pictures, pixels, strict=True):
            if picture.boxes:
                defects += _defects(picture, image, _template(picture, image, named, template))
        if not defects:
            raise DatasetError("data.template", "no bad picture differs from its template inside a box", template)
        return cls(defects)

    def paste(
        self, pixels: Pixels, boxes: Boxes, labels: Labels, count: int, rng: np.random.Generator
    ) -> tuple[Boxes, Labels]:
        """Put up to `count` defects into `pixels` (S, S), in place, beside those that are there.

        boxes: (n, 4) and labels: (n,) of those. Returns both with the new ones, fewer where none finds its place.
        """
        for _ in range(count):
            kind = self._by_class[int(rng.integers(len(self._by_class)))]
            for _ in range(_TRIES):
                found = _place(pixels, boxes, kind[int(rng.integers(len(kind)))], rng)
                if found is not None:
                    box, label = found
                    boxes, labels = np.concatenate([boxes, box]), np.append(labels, np.int64(label))
                    break
        return boxes, labels


def _place(pixels: Pixels, boxes: Boxes, defect: Defect, rng: np.random.Generator) -> tuple[Boxes, int] | None:
    """Put `defect`, turned, into a place that looks like its own. Returns its box (1, 4) and label; None: no place."""
    defect = _turned(defect, int(rng.integers(8)))
    side = len(defect.shape)
    if side > len(pixels):
        return None
    unlike = _unlike(pixels, defect)
    for x1, y1, x2, y2 in boxes - defect.box[0][[2, 3, 0, 1]]:  # corners at which the two boxes would overlap
        unlike[_range(y1, y2), _range(x1, x2)] = np.inf
    rows, columns = np.nonzero(unlike <= _UNLIKE)
    if not len(rows):
        return None
    which = int(rng.integers(len(rows)))
    top, left = int(rows[which]), int(columns[which])
    np.copyto(pixels[top : top + side, left : left + side], defect.bad, where=defect.shape > 0)
    return defect.box + np.array([left, top, left, top], np.float32), defect.label


def _range(first: float, last: float) -> slice:
    return slice(max(0, int(np.floor(first))), max(0, int(np.ceil(last)) + 1))


def _unlike(pixels: Pixels, defect: Defect) -> npt.NDArray[np.float32]:
    """Share of the pixels at and around the defect that differ, for each upper left corner in `pixels`."""
    cared = _grown(defect.shape, REACH_PX - _SEAM_PX) // 255
    wrong = cv2.matchTemplate(pixels // 255, defect.around // 255, cv2.TM_SQDIFF, mask=cared)
    share: npt.NDArray[np.float32] = wrong / np.float32(cared.sum())
    return share


def _turned(defect: Defect, turn: int) -> Defect:
    around, box = turned(defect.around, defect.box, turn)
    bad, _ = turned(defect.bad, defect.box, turn)
    shape, _ = turned(defect.shape, defect.box, turn)
    return Defect(np.ascontiguousarray(around), bad, np.ascontiguousarray(shape), box, defect.label)


def _template(picture: Picture, image: Pixels, named: dict[str, Pixels], template: str) -> Pixels:
    name = template.replace("{stem}", picture.path.stem)
    if name not in named:
        raise DatasetError(picture.path, "its template is not among the pictures that are learnt from", name)
    if named[name].shape != image.shape:
        raise DatasetError(picture.path, f"its template {name} has another size", list(named[name].shape))
    return named[name]


def _defects(picture: Picture, image: Pixels, template: Pixels) -> list[Defect]:
    found = (_defect(box, image, template) for box in picture.boxes)
    return [defect for defect in found if defect is not None]


def _defect(box: Box, image: Pixels, template: Pixels) -> Defect | None:
    side = int(np.ceil(max(box.w, box.h))) + 2 * REACH_PX
    left, top = round(box.x + box.w / 2 - side / 2), round(box.y + box.h / 2 - side / 2)
    around, bad = (_two_level(cut(p, left, top, side)) for p in (template, image))
    corners = np.array([[box.x, box.y, box.x + box.w, box.y + box.h]], np.float32)
    inside = corners - np.array([left, top, left, top], np.float32)
    x1, y1, x2, y2 = inside[0].round().astype(int)
    shape = np.zeros_like(around)
    shape[y1:y2, x1:x2] = _pieces((around ^ bad)[y1:y2, x1:x2])
    if np.count_nonzero(shape) < _LEAST_AREA:
        return None
    return Defect(around, bad, _grown(shape, _SEAM_PX), inside, box.label)


def _grown(shape: Pixels, by: int) -> Pixels:
    return cv2.dilate(shape, np.ones((2 * by + 1, 2 * by + 1), np.uint8)).astype(np.uint8, copy=False)


def _two_level(pixels: Pixels) -> Pixels:
    return np.where(pixels > 127, np.uint8(255), np.uint8(0))


def _pieces(difference: Pixels) -> Pixels:
    """The difference without its small pieces."""
    count, pieces, figures, _ = cv2.connectedComponentsWithStats(difference, connectivity=8)
    areas = figures[:, cv2.CC_STAT_AREA]
    kept = [piece for piece in range(1, count) if areas[piece] >= _PIECE * areas[1:].max()]
    return np.where(np.isin(pieces, kept), np.uint8(255), np.uint8(0))
