"""The frame ring: pixels are written once by the camera and read by inspector and recorder, each at its own pace.

A file in the runtime folder, mapped by every process: `slots` slots of a header and `slot_bytes` pixels. Each slot has
a generation that is odd while the camera writes and even when the pixels stand; a reader that finds another generation
than it was told, before or after copying, knows that the slot was reused or torn.
"""

import mmap
import os
import struct
from dataclasses import dataclass
from pathlib import Path

from linewatch.core.errors import StorageError

RING_FILE = "frames.ring"
_FILE_HEADER = struct.Struct("<8sQQ")  # magic, slots, slot_bytes
_SLOT_HEADER = struct.Struct("<QQIII")  # generation, seq, height, width, channels
_MAGIC = b"LWRING01"
_PAGE = 4096


class StaleFrame(Exception):
    """The slot no longer holds the generation that was asked for."""


@dataclass(frozen=True)
class Pixels:
    """A copy of one frame's pixels: `data` is height x width x channels bytes, row by row."""

    data: bytes
    seq: int
    height: int
    width: int
    channels: int


class FrameRing:
    """One process's view of the ring. Only the camera calls `write`."""

    def __init__(self, mapped: mmap.mmap, slots: int, slot_bytes: int) -> None:
        self._map = mapped
        self.slots = slots
        self.slot_bytes = slot_bytes
        self._next = 0

    @classmethod
    def create(cls, folder: Path, slots: int, slot_bytes: int) -> "FrameRing":
        """A new ring in `folder`, in place of an older one (whose readers keep their own mapping)."""
        path = folder / RING_FILE
        stride = _stride(slot_bytes)
        temporary = path.with_suffix(".new")
        try:
            with temporary.open("wb") as file:
                file.write(_FILE_HEADER.pack(_MAGIC, slots, slot_bytes))
                os.posix_fallocate(file.fileno(), 0, _PAGE + slots * stride)
            temporary.replace(path)
        except OSError as exc:
            raise StorageError(path, exc.strerror or "cannot be written") from exc
        return cls.open(folder)

    @classmethod
    def open(cls, folder: Path, *, read_only: bool = False) -> "FrameRing":
        """The ring that lies in `folder`. Raises StorageError when there is none or it is damaged.

        read_only: nothing that goes wrong in this process can harm a frame.
        """
        path = folder / RING_FILE
        try:
            with path.open("rb" if read_only else "r+b") as file:
                mapped = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ if read_only else mmap.ACCESS_WRITE)
        except (OSError, ValueError) as exc:
            raise StorageError(path, getattr(exc, "strerror", None) or "is empty") from exc
        if len(mapped) < _PAGE:
            raise StorageError(path, "is no frame ring or is cut short")
        magic, slots, slot_bytes = _FILE_HEADER.unpack_from(mapped, 0)
        if magic != _MAGIC or len(mapped) < _PAGE + slots * _stride(slot_bytes):
            raise StorageError(path, "is no frame ring or is cut short")
        return cls(mapped, slots, slot_bytes)

    def write(self, seq: int, data: memoryview, height: int, width: int, channels: int) -> tuple[int, int]:
        """Write the pixels of part `seq` into the next slot; returns (slot, generation)."""
        size = height * width * channels
        if size > self.slot_bytes or data.nbytes != size:
            raise StorageError(RING_FILE, f"frame of {data.nbytes} bytes for {height} x {width} x {channels}")
        slot = self._next
        self._next = (slot + 1) % self.slots
        offset = self._offset(slot)
        generation = int(_SLOT_HEADER.unpack_from(self._map, offset)[0])
        writing = generation + 1 if generation % 2 == 0 else generation + 2  # odd, also after a writer that died inside
        _SLOT_HEADER.pack_into(self._map, offset, writing, seq, height, width, channels)
        start = offset + _SLOT_HEADER.size
        self._map[start : start + size] = data.cast("B")
        _SLOT_HEADER.pack_into(self._map, offset, writing + 1, seq, height, width, channels)
        return slot, writing + 1

    def read(self, slot: int, generation: int) -> Pixels:
        """A copy of the frame in `slot`. Raises StaleFrame when it is no longer that generation."""
        if not 0 <= slot < self.slots:
            raise StaleFrame(f"slot {slot} of {self.slots}")
        offset = self._offset(slot)
        found, seq, height, width, channels = _SLOT_HEADER.unpack_from(self._map, offset)
        if found != generation:
            raise StaleFrame(f"slot {slot} holds generation {found}, asked for {generation}")
        start = offset + _SLOT_HEADER.size
        data = self._map[start : start + height * width * channels]
        if _SLOT_HEADER.unpack_from(self._map, offset)[0] != generation:
            raise StaleFrame(f"slot {slot} was overwritten while it was read")
        return Pixels(data, seq, height, width, channels)

    def close(self) -> None:
        self._map.close()

    def _offset(self, slot: int) -> int:
        return _PAGE + slot * _stride(self.slot_bytes)


def _stride(slot_bytes: int) -> int:
    return (_SLOT_HEADER.size + slot_bytes + _PAGE - 1) // _PAGE * _PAGE
