"""The frame ring: no reader ever takes a torn or reused slot for its part."""

from pathlib import Path

import pytest

from linewatch.core.errors import StorageError
from linewatch.core.ring import RING_FILE, FrameRing, StaleFrame


def test_pixels_come_back_through_another_mapping(tmp_path: Path) -> None:
    camera = FrameRing.create(tmp_path, slots=4, slot_bytes=64)
    reader = FrameRing.open(tmp_path)
    data = bytes(range(24))
    slot, generation = camera.write(7, memoryview(data), 2, 4, 3)
    pixels = reader.read(slot, generation)
    assert (pixels.data, pixels.seq, pixels.height, pixels.width, pixels.channels) == (data, 7, 2, 4, 3)


def test_a_reused_slot_is_noticed(tmp_path: Path) -> None:
    ring = FrameRing.create(tmp_path, slots=2, slot_bytes=16)
    first = ring.write(1, memoryview(bytes(16)), 4, 4, 1)
    ring.write(2, memoryview(bytes(16)), 4, 4, 1)
    third = ring.write(3, memoryview(bytes(16)), 4, 4, 1)
    assert third[0] == first[0]
    with pytest.raises(StaleFrame):
        ring.read(*first)
    assert ring.read(*third).seq == 3


@pytest.mark.parametrize("slot", [-1, 2, 1 << 40])
def test_a_slot_that_is_none_is_stale(tmp_path: Path, slot: int) -> None:
    with pytest.raises(StaleFrame):
        FrameRing.create(tmp_path, slots=2, slot_bytes=16).read(slot, 2)


def test_a_frame_of_another_size_is_refused(tmp_path: Path) -> None:
    ring = FrameRing.create(tmp_path, slots=2, slot_bytes=16)
    with pytest.raises(StorageError):
        ring.write(1, memoryview(bytes(17)), 17, 1, 1)
    with pytest.raises(StorageError):
        ring.write(1, memoryview(bytes(8)), 4, 4, 1)


@pytest.mark.parametrize("damage", [b"", b"x" * 100, None])
def test_a_damaged_ring_is_a_storage_error(tmp_path: Path, damage: bytes | None) -> None:
    FrameRing.create(tmp_path, slots=2, slot_bytes=16).close()
    path = tmp_path / RING_FILE
    path.write_bytes(path.read_bytes()[:5000] if damage is None else damage)
    with pytest.raises(StorageError, match=RING_FILE):
        FrameRing.open(tmp_path)


def test_no_ring_is_a_storage_error(tmp_path: Path) -> None:
    with pytest.raises(StorageError, match=RING_FILE):
        FrameRing.open(tmp_path)
