"""The frame ring: torn, reused and damaged slots are noticed, never read as pictures."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from linewatch.core.errors import StorageError
from linewatch.core.ring import FrameRing, StaleFrame
from linewatch.pictures.frames import RingReader, put_frame

SMALL = np.arange(48, dtype=np.uint8).reshape(6, 8)
PROJECT = Path(__file__).parents[2]

WRITER = """
import sys, numpy as np
from pathlib import Path
from linewatch.core.ring import FrameRing
from linewatch.pictures.frames import put_frame
ring = FrameRing.open(Path(sys.argv[1]))
pictures = [np.full((2000, 2000), value, np.uint8) for value in range(8)]
print("writing", flush=True)
seq = 0
while True:
    seq += 1
    put_frame(ring, seq, pictures[seq % 8])
"""


@pytest.mark.parametrize("shape", [(6, 8), (6, 8, 3)])
def test_a_frame_comes_back_as_it_was(tmp_path: Path, shape: tuple[int, ...]) -> None:
    picture = np.random.default_rng(0).integers(0, 256, shape, dtype=np.uint8)
    slot, generation = put_frame(FrameRing.create(tmp_path, 4, 200), 7, picture)
    assert np.array_equal(RingReader(tmp_path).read(7, slot, generation), picture)


def test_a_view_that_is_not_contiguous_is_written_whole(tmp_path: Path) -> None:
    slot, generation = put_frame(FrameRing.create(tmp_path, 4, 200), 1, SMALL[::2, ::-1])
    assert np.array_equal(RingReader(tmp_path).read(1, slot, generation), SMALL[::2, ::-1])


def test_a_reused_slot_is_stale(tmp_path: Path) -> None:
    ring = FrameRing.create(tmp_path, 2, 48)
    first = put_frame(ring, 1, SMALL)
    for seq in (2, 3):
        put_frame(ring, seq, SMALL)
    with pytest.raises(StaleFrame):
        RingReader(tmp_path).read(1, *first)


def test_another_part_in_the_right_generation_is_stale(tmp_path: Path) -> None:
    slot, generation = put_frame(FrameRing.create(tmp_path, 2, 48), 5, SMALL)
    with pytest.raises(StaleFrame, match="holds part 5, asked for 4"):
        RingReader(tmp_path).read(4, slot, generation)


@pytest.mark.parametrize("slot", [-1, 2, 10**6])
def test_a_slot_that_is_not_there_is_stale(tmp_path: Path, slot: int) -> None:
    ring = FrameRing.create(tmp_path, 2, 48)
    with pytest.raises(StaleFrame):
        ring.read(slot, 2)


def test_a_frame_that_does_not_fit_is_refused(tmp_path: Path) -> None:
    with pytest.raises(StorageError):
        put_frame(FrameRing.create(tmp_path, 2, 47), 1, SMALL)


def test_readers_follow_a_restarted_camera(tmp_path: Path) -> None:
    """The new ring counts its generations from the start: only the part's number tells old from new."""
    reader = RingReader(tmp_path)
    old = put_frame(FrameRing.create(tmp_path, 2, 48), 1, SMALL)
    assert np.array_equal(reader.read(1, *old), SMALL)
    new = put_frame(FrameRing.create(tmp_path, 2, 48), 2, SMALL + 1)
    assert new == old
    assert np.array_equal(reader.read(2, *new), SMALL + 1)
    with pytest.raises(StaleFrame):
        reader.read(1, *old)


@pytest.mark.parametrize("size", [0, 10, 4096, 5000])
def test_a_damaged_ring_is_named(tmp_path: Path, size: int) -> None:
    FrameRing.create(tmp_path, 4, 5000)
    os.truncate(tmp_path / "frames.ring", size)
    with pytest.raises(StorageError, match=r"frames\.ring"):
        FrameRing.open(tmp_path)


def test_a_file_that_is_no_ring_is_refused(tmp_path: Path) -> None:
    (tmp_path / "frames.ring").write_bytes(b"\0" * 10_000)
    with pytest.raises(StorageError, match="no frame ring"):
        FrameRing.open(tmp_path)


def test_no_ring_and_no_folder_are_named(tmp_path: Path) -> None:
    with pytest.raises(StorageError, match="No such file"):
        RingReader(tmp_path).read(1, 0, 2)
    with pytest.raises(StorageError, match="No such file"):
        FrameRing.create(tmp_path / "none", 2, 48)


def test_a_writer_killed_inside_a_frame_leaves_no_readable_half(tmp_path: Path) -> None:
    """Every slot of a killed writer is whole or refused; afterwards the ring takes frames again."""
    FrameRing.create(tmp_path, 2, 4_000_000)
    ring = FrameRing.open(tmp_path)
    torn = 0
    for _ in range(12):
        torn += _killed_writer_left_torn(tmp_path, ring)
        if torn >= 2:
            break
    assert torn, "no writer was hit inside a frame"
    for seq in (1, 2, 3, 4):
        slot, generation = put_frame(ring, seq, SMALL)
        assert np.array_equal(RingReader(tmp_path).read(seq, slot, generation), SMALL)


def _killed_writer_left_torn(folder: Path, ring: FrameRing) -> int:
    """Kill a writer at work; returns how many slots it left odd. Whole slots must hold one value only."""
    writer = subprocess.Popen(
        [sys.executable, "-c", WRITER, str(folder)],
        stdout=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": str(PROJECT)},
    )
    assert writer.stdout is not None
    writer.stdout.readline()
    time.sleep(0.02)
    writer.send_signal(signal.SIGKILL)
    writer.communicate()
    torn = 0
    for slot in range(ring.slots):
        generation = _generation(folder, ring, slot)
        if generation % 2:
            torn += 1
            for guess in (generation - 1, generation + 1):
                with pytest.raises(StaleFrame):
                    ring.read(slot, guess)
        elif generation:
            assert len(set(ring.read(slot, generation).data[::997])) == 1
    return torn


def _generation(folder: Path, ring: FrameRing, slot: int) -> int:
    """The first eight bytes of a slot, read from the file as it lies there."""
    stride = -(-(28 + ring.slot_bytes) // 4096) * 4096
    with (folder / "frames.ring").open("rb") as file:
        file.seek(4096 + slot * stride)
        return int.from_bytes(file.read(8), "little")
