"""Copy-paste of defects between black and white parts.

What sets a bad part apart from the picture of the same part without defects is the defect and nothing else. It is put
into another part where that looks, all around the defect, as the defect's own part does: a spur onto another edge, a
pin-hole into other copper. Ours; the usual copy-paste moves whole boxes with whatever else is in them.
"""

from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np

from linewatch.core.errors import DatasetError
from linewatch.training.annotations import Annotations, Box, Picture
from linewatch.training.pasting import LEAST_AREA, REACH_PX, SEAM_PX, TRIES, Patch, grown, place, two_level
from linewatch.training.squares import Boxes, Labels, Pixels, cut

Defect = tuple[int, Patch]  # label and what it looks like
_PIECE = 0.3  # smaller pieces of a difference, measured by the largest, are frayed edges and not the defect


class DefectBank:
    """Defects cut out of bad parts, drawn class by class."""

    def __init__(self, defects: Sequence[Defect]) -> None:
        labels = sorted({label for label, _ in defects})
        self._by_class = [(label, [patch for other, patch in defects if other == label]) for label in labels]

    @classmethod
    def cut_out(cls, annotations: Annotations, pixels: Sequence[Pixels], template: str) -> "DefectBank":
        """The defects of all bad pictures.

        pixels: (H, W) uint8, in the pictures' order. template: file name, in the same folder, of the same part
        without defects, `{stem}` standing for the bad picture's name without its ending.
        Raises DatasetError when a template is missing or of another size, or no defect could be cut out.
        """
        images = {picture.path: image for picture, image in zip(annotations.pictures, pixels, strict=True)}
        defects: list[Defect] = []
        for picture, image in zip(annotations.pictures, pixels, strict=True):
            if picture.boxes:
                defects += _defects(picture, image, _template(picture, image, images, template))
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
            label, patches = self._by_class[int(rng.integers(len(self._by_class)))]
            for _ in range(TRIES):
                box = place(pixels, boxes, patches[int(rng.integers(len(patches)))], rng)
                if box is not None:
                    boxes, labels = np.concatenate([boxes, box]), np.append(labels, np.int64(label))
                    break
        return boxes, labels


def _template(picture: Picture, image: Pixels, images: dict[Path, Pixels], template: str) -> Pixels:
    path = picture.path.parent / template.replace("{stem}", picture.path.stem)
    if path not in images:
        raise DatasetError(picture.path, "its template is not among the pictures that are learnt from", path.name)
    if images[path].shape != image.shape:
        raise DatasetError(picture.path, f"its template {path.name} has another size", list(images[path].shape))
    return images[path]


def _defects(picture: Picture, image: Pixels, template: Pixels) -> list[Defect]:
    found = (_defect(box, image, template) for box in picture.boxes)
    return [defect for defect in found if defect is not None]


def _defect(box: Box, image: Pixels, template: Pixels) -> Defect | None:
    side = int(np.ceil(max(box.w, box.h))) + 2 * REACH_PX
    left, top = round(box.x + box.w / 2 - side / 2), round(box.y + box.h / 2 - side / 2)
    around, bad = (two_level(cut(p, left, top, side)) for p in (template, image))
    corners = np.array([[box.x, box.y, box.x + box.w, box.y + box.h]], np.float32)
    inside = corners - np.array([left, top, left, top], np.float32)
    x1, y1, x2, y2 = inside[0].round().astype(int)
    shape = np.zeros_like(around)
    shape[y1:y2, x1:x2] = _pieces((around ^ bad)[y1:y2, x1:x2])
    if np.count_nonzero(shape) < LEAST_AREA:
        return None
    return box.label, Patch(around, bad, grown(shape, SEAM_PX), inside)


def _pieces(difference: Pixels) -> Pixels:
    """The difference without its small pieces."""
    count, pieces, figures, _ = cv2.connectedComponentsWithStats(difference, connectivity=8)
    areas = figures[:, cv2.CC_STAT_AREA]
    kept = [piece for piece in range(1, count) if areas[piece] >= _PIECE * areas[1:].max()]
    return np.where(np.isin(pieces, kept), np.uint8(255), np.uint8(0))
