"""Training batches: square crops with their boxes, drawn so that batch n is the same after any restart.

Every crop is a function of (seed, step, index) alone; that is what lets a resumed run go on like an unbroken one.
"""

from collections import Counter
from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from linewatch.core.errors import DatasetError
from linewatch.training.annotations import Annotations
from linewatch.training.config import Augmentation
from linewatch.training.defect_bank import DefectBank
from linewatch.training.designs import draw_designs
from linewatch.training.look_alikes import LookAlikes
from linewatch.training.squares import Boxes, Labels, Pixels, cut, turned, visible
from linewatch.training.strokes import StrokePainter
from linewatch.training.thinning import thin_out


@dataclass(frozen=True)
class Sample:
    """pixels: (S, S) uint8; boxes: (n, 4) x1, y1, x2, y2 in px of the crop; labels: (n,); name: file it came from."""

    pixels: Pixels
    boxes: Boxes
    labels: Labels
    name: str


class CropSource:
    """Annotated pictures in memory, cut into crops."""

    def __init__(
        self,
        annotations: Annotations,
        pixels: list[Pixels],
        augmentation: Augmentation,
        seed: int,
        template: str | None = None,
    ) -> None:
        """pixels: (H, W) uint8 of each picture of `annotations`, in their order.

        template: file name of the same part without defects (`Data.template`); pasting needs it. Raises DatasetError.
        """
        self._bank = None
        if augmentation.paste:
            if template is None:
                raise DatasetError("augmentation.paste", "needs data.template, that defects can be cut out against")
            self._bank = DefectBank.cut_out(annotations, pixels, template)
        self._look_alikes = LookAlikes(annotations, pixels) if augmentation.look_alikes else None
        self._strokes = StrokePainter(augmentation.strokes, annotations.classes) if augmentation.strokes.mean else None
        self._names = [picture.path.name for picture in annotations.pictures]
        self._pixels = pixels
        self._boxes = [
            np.array([[b.x, b.y, b.x + b.w, b.y + b.h] for b in p.boxes], np.float32).reshape(-1, 4)
            for p in annotations.pictures
        ]
        self._labels = [np.array([b.label for b in p.boxes], np.int64) for p in annotations.pictures]
        self._bad = [index for index, boxes in enumerate(self._boxes) if len(boxes)]
        self._good = [index for index, boxes in enumerate(self._boxes) if not len(boxes)]
        weights = np.array([augmentation.emphasis.get(name, 1.0) for name in annotations.classes])
        self._box_odds = [_odds(weights[labels]) for labels in self._labels]
        groups = [picture.group for picture in annotations.pictures]
        self._bad_odds = _odds(
            np.array([weights[self._labels[index]].max() for index in self._bad])
            * _group_weights([groups[index] for index in self._bad], augmentation.even_groups)
        )
        self._good_odds = _odds(_group_weights([groups[index] for index in self._good], augmentation.even_groups))
        self._augmentation = augmentation
        self._seed = seed

    def batch(self, step: int, size: int) -> list[Sample]:
        """The `size` crops of step number `step`."""
        return [self._sample(np.random.default_rng((self._seed, step, index))) for index in range(size)]

    def _sample(self, rng: np.random.Generator) -> Sample:
        rules = self._augmentation
        draw = rng.random()
        good = bool(self._good) and draw < rules.on_good
        from_good = good or not self._bad
        if from_good and not rules.even_groups:
            which = int(rng.choice(self._good))  # numpy draws otherwise, if as often, when told that odds are even
        else:
            pictures, odds = (self._good, self._good_odds) if from_good else (self._bad, self._bad_odds)
            which = int(rng.choice(pictures, p=odds))
        scale = float(rng.uniform(*rules.scale))
        side = round(rules.crop_px / scale)
        on_defect = not good and draw < rules.on_good + rules.on_defect
        left, top = self._corner(rng, which, side, on_defect)
        pixels = cut(self._pixels[which], left, top, side)
        boxes, labels = visible(
            self._boxes[which] - np.array([left, top, left, top], np.float32), self._labels[which], side
        )
        if self._bank is not None and not from_good:
            boxes, labels = self._bank.paste(pixels, boxes, labels, int(rng.poisson(rules.paste)), rng)
        if self._look_alikes is not None:
            self._look_alikes.paste(pixels, boxes, int(rng.poisson(rules.look_alikes)), rng)
        if rules.thin_out and rng.random() < rules.thin_out:
            thin_out(pixels, boxes, rng)
        if rules.designs:
            draw_designs(pixels, boxes, int(rng.poisson(rules.designs)), rng)
        if self._strokes is not None and not from_good:
            boxes, labels = self._strokes.draw(pixels, boxes, labels, rng)
        if side != rules.crop_px:
            pixels, boxes = _resized(pixels, rules), boxes * (rules.crop_px / side)
        if rules.line_width_px:
            pixels = _widened(pixels, int(rng.integers(-rules.line_width_px, rules.line_width_px + 1)))
        if rules.turn:
            pixels, boxes = turned(pixels, boxes, int(rng.integers(8)))
        pixels = _lit(pixels, rng, rules)
        return Sample(np.ascontiguousarray(pixels), boxes, labels, self._names[which])

    def _corner(self, rng: np.random.Generator, which: int, side: int, on_defect: bool) -> tuple[int, int]:
        """Upper left corner of a crop of `side` px: somewhere, or so that one drawn defect lies inside."""
        height, width = self._pixels[which].shape
        box = None
        if on_defect and len(self._boxes[which]):
            box = self._boxes[which][int(rng.choice(len(self._boxes[which]), p=self._box_odds[which]))]
        corner = []
        for axis, length in ((0, width), (1, height)):
            low, high = min(0, length - side), max(0, length - side)
            if box is not None:
                first, last = int(box[axis + 2]) + 1 - side, int(box[axis])
                low, high = max(low, min(first, last)), min(high, max(first, last))
            corner.append(int(rng.integers(low, max(low, high) + 1)))
        return corner[0], corner[1]


def _odds(weights: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Weights as probabilities; empty stays empty."""
    odds: npt.NDArray[np.float64] = weights / weights.sum() if len(weights) else weights
    return odds


def _group_weights(groups: list[str], even: float) -> npt.NDArray[np.float64]:
    """A weight for each picture: 1 at even = 0; at even = 1 the same sum for each group, however many it has."""
    count = Counter(groups)
    return np.array([float(count[group]) ** -even for group in groups])


def _resized(pixels: Pixels, rules: Augmentation) -> Pixels:
    method = cv2.INTER_AREA if len(pixels) > rules.crop_px else cv2.INTER_LINEAR
    resized = cv2.resize(pixels, (rules.crop_px, rules.crop_px), interpolation=method).astype(np.uint8, copy=False)
    return np.where(resized > 127, np.uint8(255), np.uint8(0)) if rules.two_level else resized


def _widened(pixels: Pixels, grow: int) -> Pixels:
    """White parts wider by `grow` px on each side; below 0 they are narrower."""
    method = cv2.dilate if grow > 0 else cv2.erode
    cross = cv2.getStructuringElement(cv2.MORPH_CROSS, (3, 3))
    return method(pixels, cross, iterations=abs(grow)).astype(np.uint8, copy=False)


def _lit(pixels: Pixels, rng: np.random.Generator, rules: Augmentation) -> Pixels:
    if not rules.contrast and not rules.brightness:
        return pixels
    gain = rng.uniform(1 - rules.contrast, 1 + rules.contrast)
    table = np.clip(np.arange(256) * gain + rng.uniform(-rules.brightness, rules.brightness), 0, 255)
    lit: Pixels = table.astype(np.uint8)[pixels]
    return lit
