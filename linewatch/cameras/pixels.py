"""Pictures of the bytes that a GenICam camera sends."""

import cv2
import numpy as np
import numpy.typing as npt

from linewatch.core.errors import PictureError
from linewatch.pictures.types import Picture

_COLOUR = {
    "RGB8": None,
    "RGB8Packed": None,
    "BGR8": cv2.COLOR_BGR2RGB,
    "BGR8Packed": cv2.COLOR_BGR2RGB,
    "BayerRG8": cv2.COLOR_BayerRGGB2RGB,
    "BayerGR8": cv2.COLOR_BayerGRBG2RGB,
    "BayerGB8": cv2.COLOR_BayerGBRG2RGB,
    "BayerBG8": cv2.COLOR_BayerBGGR2RGB,
}


def as_picture(data: npt.NDArray[np.uint8], width: int, height: int, pixel_format: str, source: str) -> Picture:
    """(H, W) of Mono8, else (H, W, 3). data: the bytes of the picture, without padding; not copied for Mono8 and RGB8.

    Raises PictureError for a format that is not of 8 bits, and for too few bytes.
    """
    code = None
    channels = 3 if pixel_format.startswith(("RGB", "BGR")) else 1
    if pixel_format != "Mono8":
        if pixel_format not in _COLOUR:
            raise PictureError(source, f"takes one of Mono8, {', '.join(_COLOUR)} as pixel format", pixel_format)
        code = _COLOUR[pixel_format]
    if data.size < width * height * channels:
        raise PictureError(source, f"a picture of {width} x {height} {pixel_format} is cut short", data.size)
    shape = (height, width, channels) if channels == 3 else (height, width)
    picture = data[: width * height * channels].reshape(shape)
    return picture if code is None else np.asarray(cv2.cvtColor(picture, code), np.uint8)
