"""How a picture comes into a network's square, and how the boxes come back.

`corner` is what linewatch's own models are evaluated with (letterbox.py); `centre` is what YOLO's tools do, with a fill
of 114; `stretch` is what most DETRs are trained with. A picture of the square's size is the same under all three.
"""

from dataclasses import dataclass
from typing import Literal

import cv2
import numpy as np
import numpy.typing as npt

from linewatch.inspection.letterbox import scale_into
from linewatch.pictures.types import Picture


@dataclass(frozen=True)
class Fitting:
    """how: where the picture lies in the square. side_px: of the square. fill: grey value around the picture."""

    how: Literal["corner", "centre", "stretch"]
    side_px: int
    fill: int = 0

    def square(self, picture: Picture) -> Picture:
        """(side, side, channels) of an (H, W) or (H, W, 3) picture."""
        left, top, across, down = self._place(*picture.shape[:2])
        if picture.shape[:2] != (down, across):
            method = cv2.INTER_AREA if max(picture.shape[:2]) > self.side_px else cv2.INTER_LINEAR
            picture = np.asarray(cv2.resize(picture, (across, down), interpolation=method), np.uint8)
        whole = picture if picture.ndim == 3 else picture[:, :, None]
        square = np.full((self.side_px, self.side_px, whole.shape[2]), self.fill, np.uint8)
        square[top : top + down, left : left + across] = whole
        return square

    def back(self, boxes: npt.NDArray[np.float32], height_px: int, width_px: int) -> npt.NDArray[np.float32]:
        """(n, 4) corners in px of the square, as corners in px of the height_px x width_px picture."""
        left, top, _, _ = self._place(height_px, width_px)
        across = down = scale_into(height_px, width_px, self.side_px)
        if self.how == "stretch":
            across, down = self.side_px / width_px, self.side_px / height_px
        shift = np.array([left, top, left, top], np.float32)
        return np.asarray((boxes - shift) / np.array([across, down, across, down], np.float32), np.float32)

    def _place(self, height_px: int, width_px: int) -> tuple[int, int, int, int]:
        """left, top, width and height of the picture in the square."""
        if self.how == "stretch":
            return 0, 0, self.side_px, self.side_px
        scale = scale_into(height_px, width_px, self.side_px)
        across, down = max(1, round(width_px * scale)), max(1, round(height_px * scale))
        if self.how == "corner":
            return 0, 0, across, down
        return (self.side_px - across) // 2, (self.side_px - down) // 2, across, down
