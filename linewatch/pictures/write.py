"""Writing files so that a killed process leaves the old one or the new one, never half of one."""

import contextlib
from pathlib import Path

import cv2
import numpy as np

from linewatch.core.errors import StorageError
from linewatch.pictures.types import Picture

TEMPORARY_SUFFIX = ".new"
_FASTEST = 1  # PNG level: the recorder shares the machine with the inspector


def encode_png(picture: Picture) -> bytes:
    """`picture` as PNG, lossless. picture: (H, W) or (H, W, 3) red, green, blue."""
    return _encode(".png", picture, [cv2.IMWRITE_PNG_COMPRESSION, _FASTEST])


def encode_jpeg(picture: Picture, quality: int = 82) -> bytes:
    """`picture` as JPEG, for looking at and nothing else. quality: 0 .. 100."""
    return _encode(".jpg", picture, [cv2.IMWRITE_JPEG_QUALITY, quality])


def write_png(path: Path, picture: Picture) -> int:
    """Write `picture` to `path` at once and without loss; returns the bytes written. Raises StorageError."""
    return write_whole(path, encode_png(picture))


def write_whole(path: Path, data: bytes) -> int:
    """Write `data` to `path` so that no reader ever sees a part of it; returns its length. Raises StorageError."""
    temporary = path.with_name(path.name + TEMPORARY_SUFFIX)
    try:
        temporary.write_bytes(data)
        temporary.replace(path)
    except OSError as exc:
        with contextlib.suppress(OSError):
            temporary.unlink()
        raise StorageError(path, exc.strerror or "cannot be written") from exc
    return len(data)


def _encode(suffix: str, picture: Picture, options: list[int]) -> bytes:
    ordered = picture if picture.ndim == 2 else cv2.cvtColor(picture, cv2.COLOR_RGB2BGR)
    done, data = cv2.imencode(suffix, ordered, options)
    if not done:
        raise StorageError(suffix, f"picture of shape {picture.shape} cannot be encoded")
    return np.asarray(data, np.uint8).tobytes()
