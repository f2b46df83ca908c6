"""A camera that gives the same picture again is told from one that sees a part that does not change."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from linewatch.cameras.frozen import Frozen
from linewatch.core.messages import Cause, FrameFailed, FrameReady, Note
from linewatch.pictures.types import Picture
from linewatch.pictures.write import write_png

Start = Callable[[dict[str, object]], Any]
PART = np.tile(np.linspace(20, 230, 320, dtype=np.uint8), (240, 1))


def seen(noise: int, seed: int, colour: bool = False) -> Picture:
    """The same still part, as a sensor sees it the `seed`th time; noise: most grey values it is off by."""
    part = np.dstack([PART] * 3) if colour else PART
    off = np.random.default_rng(seed).integers(-noise, noise, part.shape, endpoint=True)
    return np.clip(part + off, 0, 255).astype(np.uint8)


@pytest.mark.parametrize("colour", [False, True])
def test_noise_tells_a_still_part_from_a_frozen_camera(colour: bool) -> None:
    frozen = Frozen(0)
    assert [frozen.repeats(seen(1, seed, colour), seed) for seed in (1, 2, 3, 3, 3, 4)] == [0, 0, 0, 1, 1, 0]
    assert [(note.kind, note.text.split(":")[0], note.seq) for note in frozen.notes()] == [
        ("alarm", "frozen_picture", 3),
        ("alarm_over", "frozen_picture", 4),
    ]
    assert frozen.notes() == []


def test_one_pixel_that_is_looked_at_is_enough_to_differ() -> None:
    other = PART.copy()
    other[-1, -1] += 1
    frozen = Frozen(0)
    assert [frozen.repeats(picture, 1) for picture in (PART, other, PART.copy())] == [False] * 3


@pytest.mark.parametrize(("tolerance", "found"), [(0, False), (1, False), (2, True), (9, True)])
def test_a_stream_that_is_encoded_anew_is_frozen_within_the_tolerance(tolerance: int, found: bool) -> None:
    frozen = Frozen(tolerance)
    frozen.repeats(PART, 1)
    assert frozen.repeats(PART + np.uint8(2), 2) is found


def test_a_picture_of_another_size_is_another_picture() -> None:
    frozen = Frozen(255)
    assert [frozen.repeats(picture, 1) for picture in (PART, PART[:-8], PART[:, :-8])] == [False] * 3


def test_whoever_does_not_look_finds_nothing() -> None:
    frozen = Frozen(None)
    assert [frozen.repeats(PART, seq) for seq in (1, 2)] == [False, False]
    assert frozen.notes() == []


@pytest.fixture
def stuck_folder(tmp_path: Path) -> Path:
    """Pictures 1 and 2 differ, 3 and 4 are 2 once more, 5 is new."""
    folder = tmp_path / "stuck"
    folder.mkdir()
    for number, seed in enumerate((1, 2, 2, 2, 3), 1):
        write_png(folder / f"{number}.png", seen(2, seed))
    return folder


def test_frozen_parts_are_rejected_by_name_and_people_are_called(warm_camera: Start, stuck_folder: Path) -> None:
    size = {"width": 320, "height": 240, "frozen_tolerance": 0}
    camera = warm_camera({"kind": "folder", "path": str(stuck_folder), **size})
    answers = [camera.expose(seq) for seq in range(1, 6)]
    assert [type(answer) for answer in answers] == [FrameReady, FrameReady, FrameFailed, FrameFailed, FrameReady]
    assert answers[2].cause is Cause.NO_FRAME
    assert "frozen" in answers[2].reason and "3.png" in answers[2].reason
    assert camera.wait_for(Note, lambda note: note.kind == "alarm").text.startswith("frozen_picture: ")
    assert camera.wait_for(Note, lambda note: note.kind == "alarm_over") == Note("alarm_over", "frozen_picture", 5)


def test_recorded_folders_may_repeat_unless_told_otherwise(warm_camera: Start, stuck_folder: Path) -> None:
    camera = warm_camera({"kind": "folder", "path": str(stuck_folder), "width": 320, "height": 240})
    assert {type(camera.expose(seq)) for seq in range(1, 6)} == {FrameReady}
