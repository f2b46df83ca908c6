"""Pictures in the frame ring: as the camera puts them there and as others take them out."""

from pathlib import Path

import numpy as np

from linewatch.core.ring import FrameRing, Pixels, StaleFrame
from linewatch.pictures.types import Picture


def put_frame(ring: FrameRing, seq: int, picture: Picture) -> tuple[int, int]:
    """Write the picture of part `seq`; returns (slot, generation). Raises StorageError when it does not fit a slot."""
    whole = np.ascontiguousarray(picture)
    channels = 1 if whole.ndim == 2 else whole.shape[2]
    return ring.write(seq, whole.data, whole.shape[0], whole.shape[1], channels)


def picture_of(pixels: Pixels) -> Picture:
    """(H, W) for one channel, else (H, W, channels); read-only."""
    shape = (pixels.height, pixels.width) + ((pixels.channels,) if pixels.channels > 1 else ())
    return np.frombuffer(pixels.data, np.uint8).reshape(shape)


class RingReader:
    """Takes frames by part, slot and generation; opens the ring anew when a restarted camera has replaced it."""

    def __init__(self, runtime: Path) -> None:
        """runtime: the folder that holds the ring."""
        self._runtime = runtime
        self._ring: FrameRing | None = None

    def read(self, seq: int, slot: int, generation: int) -> Picture:
        """The picture of part `seq`. Raises StaleFrame when it is gone, StorageError when there is no ring."""
        try:
            return self._read_once(seq, slot, generation)
        except StaleFrame:
            self.close()
            return self._read_once(seq, slot, generation)

    def close(self) -> None:
        if self._ring is not None:
            self._ring.close()
        self._ring = None

    def _read_once(self, seq: int, slot: int, generation: int) -> Picture:
        if self._ring is None:
            self._ring = FrameRing.open(self._runtime, read_only=True)
        pixels = self._ring.read(slot, generation)
        if pixels.seq != seq:
            raise StaleFrame(f"slot {slot} holds part {pixels.seq}, asked for {seq}")
        return picture_of(pixels)
