"""Reading one picture strictly: what is not whole, or not what a camera gives, is an error and never a guess."""

from pathlib import Path

import cv2
import numpy as np

from linewatch.core.errors import PictureError
from linewatch.pictures.container import TRANSPARENT, Broken, check_whole
from linewatch.pictures.types import Picture

# Every failure becomes a PictureError of one line; OpenCV would print lines of its own beside it.
cv2.utils.logging.setLogLevel(cv2.utils.logging.LOG_LEVEL_SILENT)


def read_picture(path: Path, grey: bool = True) -> Picture:
    """The picture in the file at `path`: PNG, JPEG, BMP or TIFF, 8 bits, no alpha; 1 bit and palette are widened.

    grey: (H, W), colour converted by BT.601 weights; else (H, W, 3) in the order red, green, blue.
    A camera's orientation tag is ignored: annotations count from the sensor's corner.
    Raises PictureError when the file is missing, cut short, damaged, or has 16 bits or an alpha channel.
    """
    try:
        data = path.read_bytes()
    except OSError as exc:
        raise PictureError(path, exc.strerror or "cannot be read") from exc
    return decode_picture(data, path, grey)


def decode_picture(data: bytes, where: object, grey: bool = True) -> Picture:
    """The picture in the encoded bytes `data`, under the rules of `read_picture`. where: named in errors."""
    try:
        kind = check_whole(data)
    except Broken as exc:
        raise PictureError(where, str(exc)) from exc
    picture = _decode(data, kind, where)
    if grey:
        return to_grey(picture)
    return picture if picture.ndim == 3 else np.repeat(picture[:, :, None], 3, axis=2)


def to_grey(picture: Picture) -> Picture:
    """(H, W) of a grey or red-green-blue picture, by BT.601 weights."""
    if picture.ndim == 2:
        return picture
    return np.asarray(cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY), np.uint8)


def _decode(data: bytes, kind: str, where: object) -> Picture:
    """(H, W) or (H, W, 3) red, green, blue, as the file has it."""
    try:
        decoded = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED)
    except cv2.error as exc:
        raise PictureError(where, f"cannot be decoded: {exc.err}") from exc
    if decoded is None:
        raise PictureError(where, f"cannot be decoded: the {kind} data is damaged")
    if decoded.ndim == 3 and decoded.shape[2] == 4:
        raise PictureError(where, TRANSPARENT)
    if decoded.dtype != np.uint8:
        bits = 8 * decoded.dtype.itemsize
        raise PictureError(where, f"has {bits} bits per channel: the camera gives 8, and scaling would be a guess")
    picture = np.asarray(decoded, np.uint8)
    return picture if picture.ndim == 2 else np.asarray(cv2.cvtColor(picture, cv2.COLOR_BGR2RGB), np.uint8)
