"""Where a part lies in a picture, beside a picture of the empty line."""

import cv2
import numpy as np

from linewatch.pictures.types import Picture

_LEAST_GREY = 12.0  # a part differs by more from the empty line
_LEAST_SHARE = 0.005  # of the picture
_BLUR_PX = 2.0


def middle_of_part(picture: Picture, empty: Picture) -> tuple[float, float] | None:
    """x and y of the part's middle, px; none when there is none, or when the picture's border cuts it.

    picture, empty: (H, W) grey. The threshold is Otsu's, so that belts and shadows that change less do not count.
    """
    change = cv2.absdiff(_smooth(picture), _smooth(empty))
    limit, _ = cv2.threshold(change, 0, 255, cv2.THRESH_BINARY + cv2.THRESH_OTSU)
    mask = (change > max(limit, _LEAST_GREY)).astype(np.uint8)
    outlines, _ = cv2.findContours(mask, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    if not outlines:
        return None
    hull = cv2.convexHull(max(outlines, key=cv2.contourArea))
    left, top, width, height = cv2.boundingRect(hull)
    if left == 0 or top == 0 or left + width == mask.shape[1] or top + height == mask.shape[0]:
        return None
    moments = cv2.moments(hull)
    if moments["m00"] < _LEAST_SHARE * mask.size:
        return None
    return moments["m10"] / moments["m00"], moments["m01"] / moments["m00"]


def _smooth(picture: Picture) -> Picture:
    return np.asarray(cv2.GaussianBlur(picture, (0, 0), _BLUR_PX), np.uint8)
