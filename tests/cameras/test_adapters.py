"""The adapters without a process: which picture answers which trigger, and what is no picture."""

import time
from pathlib import Path

import cv2
import numpy as np
import pytest

from linewatch.cameras.ahead import Ahead
from linewatch.cameras.camera import cause_of
from linewatch.cameras.folder import FolderSource
from linewatch.cameras.simulated import SimulatedSource
from linewatch.cameras.video import VideoSource
from linewatch.core.cameras import FolderCamera, OpenCvCamera, SimulatedCamera
from linewatch.core.errors import CameraError, PictureError, StationError, StorageError
from linewatch.core.messages import Cause
from linewatch.pictures.write import write_png


def folder_camera(path: Path, grey: bool = True) -> FolderSource:
    camera = FolderSource(FolderCamera(kind="folder", path=path, width=64, height=48, grey=grey))
    camera.open()
    return camera


def test_picture_n_answers_trigger_n_whether_read_ahead_or_not(numbered_folder: Path) -> None:
    camera = folder_camera(numbered_folder)
    assert camera.capture(1, 0).pixels[0, 0] == 10
    while camera.idle():
        pass
    assert camera.capture(2, 0).pixels[0, 0] == 20
    assert camera.capture(4, 0).pixels[0, 0] == 40
    assert camera.capture(4, 0).source == "4.png"


def test_behind_the_end_of_the_folder_there_is_no_frame(numbered_folder: Path) -> None:
    camera = folder_camera(numbered_folder)
    while camera.idle():
        pass
    assert camera.capture(5, 0).pixels[0, 0] == 50
    with pytest.raises(CameraError, match="no picture for this trigger, only 5") as caught:
        camera.capture(6, 0)
    assert cause_of(caught.value) is Cause.NO_FRAME


def test_a_broken_picture_is_an_error_of_its_own_part_only(numbered_folder: Path) -> None:
    (numbered_folder / "2.png").write_bytes((numbered_folder / "2.png").read_bytes()[:40])
    write_png(numbered_folder / "3.png", np.zeros((10, 10), np.uint8))
    camera = folder_camera(numbered_folder)
    while camera.idle():
        pass
    assert camera.capture(1, 0).pixels[0, 0] == 10
    for seq, reason in ((2, "cut short"), (3, "the station says 64 x 48")):
        with pytest.raises(PictureError, match=reason) as caught:
            camera.capture(seq, 0)
        assert cause_of(caught.value) is Cause.INCOMPLETE_FRAME
    assert camera.capture(4, 0).pixels[0, 0] == 40


def test_a_recording_is_answered_by_its_recorded_numbers(tmp_path: Path) -> None:
    (tmp_path / "frames").mkdir()
    write_png(tmp_path / "frames/00000003.png", np.full((48, 64), 30, np.uint8))
    (tmp_path / "triggers.jsonl").write_text(
        '{"seq": 2, "t_ns": 1, "counter": 2, "file": null, "reason": "absent"}\n'
        '{"seq": 3, "t_ns": 2, "counter": 3, "file": "frames/00000003.png"}\n'
    )
    camera = folder_camera(tmp_path)
    assert camera.capture(3, 0).pixels[0, 0] == 30
    for seq in (1, 2):
        with pytest.raises(CameraError):
            camera.capture(seq, 0)


def test_colour_is_kept_when_the_station_wants_it(numbered_folder: Path) -> None:
    colour = np.zeros((48, 64, 3), np.uint8)
    colour[:, :, 2] = 200
    write_png(numbered_folder / "1.png", colour)
    assert folder_camera(numbered_folder, grey=False).capture(1, 0).pixels[0, 0].tolist() == [0, 0, 200]


def test_an_empty_folder_keeps_the_camera_from_opening(tmp_path: Path) -> None:
    with pytest.raises(StorageError, match="holds no picture"):
        folder_camera(tmp_path)


def test_same_seed_and_part_give_the_same_bottle_also_after_a_restart() -> None:
    settings = SimulatedCamera(kind="simulated", width=96, height=96, seed=3)
    first, second = SimulatedSource(settings), SimulatedSource(settings)
    first.open()
    pictures = [first.capture(seq, 0).pixels for seq in (1, 2, 3)]
    second.open()
    assert np.array_equal(second.capture(3, 0).pixels, pictures[2])
    assert not np.array_equal(pictures[1], pictures[2])
    assert pictures[0].shape == (96, 96)


def test_bottles_rendered_ahead_are_answered_at_once() -> None:
    camera = SimulatedSource(SimulatedCamera(kind="simulated", seed=3))
    camera.open()
    while camera.idle():
        pass
    started = time.perf_counter()
    for seq in range(1, 9):
        camera.capture(seq, 0)
    assert time.perf_counter() - started < 0.05


def test_the_simulated_camera_is_square() -> None:
    with pytest.raises(StationError, match=r"camera\.height: 100:"):
        SimulatedSource(SimulatedCamera(kind="simulated", width=96, height=100))


def test_ahead_keeps_its_depth_and_forgets_what_was_passed() -> None:
    made: list[int] = []

    def make(seq: int) -> int:
        made.append(seq)
        return seq

    ahead = Ahead(make, depth=3)
    while ahead.prepare():
        pass
    assert made == [1, 2, 3]
    assert ahead.take(3) == 3
    assert ahead.take(10) == 10
    while ahead.prepare():
        pass
    assert made == [1, 2, 3, 10, 11, 12, 13]


@pytest.fixture
def video(tmp_path: Path) -> Path:
    """Six pictures of 64 x 48, lossless; picture n is grey n * 20."""
    path = tmp_path / "line.avi"
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"FFV1"), 25.0, (64, 48))
    assert writer.isOpened()
    for number in range(1, 7):
        writer.write(np.full((48, 64, 3), number * 20, np.uint8))
    writer.release()
    return path


def video_camera(source: Path, width: int = 64) -> VideoSource:
    camera = VideoSource(OpenCvCamera(kind="opencv", source=str(source), width=width, height=48))
    camera.open()
    return camera


def test_a_video_file_is_played_by_trigger_number(video: Path) -> None:
    camera = video_camera(video)
    camera.idle()
    for seq in (1, 2, 5):
        assert abs(int(camera.capture(seq, 0).pixels.mean()) - seq * 20) <= 2
    with pytest.raises(CameraError, match="played already"):
        camera.capture(3, 0)
    assert abs(int(camera.capture(6, 0).pixels.mean()) - 120) <= 2
    with pytest.raises(CameraError, match="no picture for this trigger, only 6"):
        camera.capture(7, 0)
    camera.close()


def test_a_video_of_another_size_gives_incomplete_frames(video: Path) -> None:
    camera = video_camera(video, width=80)
    with pytest.raises(PictureError, match="'64 x 48': the station says 80 x 48"):
        camera.capture(1, 0)
    camera.close()


def test_a_file_that_is_no_video_is_named(tmp_path: Path) -> None:
    (tmp_path / "line.avi").write_bytes(b"nonsense" * 100)
    with pytest.raises(CameraError, match=r"line\.avi: cannot be opened"):
        video_camera(tmp_path / "line.avi")
