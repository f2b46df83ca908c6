"""`linewatch calibrate take` and `target`, as commands."""

import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import pytest

from linewatch.cli import main
from linewatch.core.errors import StationError
from linewatch.core.station import load_station
from linewatch.pictures.calibration import load_calibration
from linewatch.pictures.read import read_picture
from linewatch.sim.gate import VirtualGate

PROJECT = Path(__file__).parents[2]
WriteStation = Callable[..., Path]
TARGET = ("--columns", "9", "--rows", "6", "--square-mm", "12")


@pytest.fixture
def station(write_station: WriteStation, charuco_views: Path) -> Path:
    """A station whose camera shows the views of the target."""
    return write_station(camera={"kind": "folder", "path": str(charuco_views), "width": 480, "height": 360})


@pytest.mark.slow
def test_pictures_are_taken_at_enter_and_judged(
    station: Path, charuco_views: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    output = tmp_path / "taken"
    command = [sys.executable, "-m", "linewatch", "calibrate", "take", str(station), "--output", str(output), *TARGET]
    there = {**os.environ, "PYTHONPATH": str(PROJECT)}
    # Two, and nobody wants a third.
    done = subprocess.run(command, input="\n\n", env=there, capture_output=True, text=True, check=True)
    assert "picture 1 of 15: Enter takes it" in done.stdout and "001.png: 40 of 40 corners" in done.stdout
    assert f"2 pictures in {output}" in done.stdout
    first = read_picture(sorted(charuco_views.iterdir())[0])
    assert (read_picture(output / "001.png") == first).all()
    again = ["calibrate", "take", str(station), "--output", str(output), "--count", "2", "--every", "0"]
    assert main(again) == 5
    assert "taken: is not empty" in capsys.readouterr().err


def test_pictures_that_show_no_such_target_are_said(
    station: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = ["calibrate", "take", str(station), "--count", "1", "--every", "0"]
    assert main([*arguments, "--output", str(tmp_path / "a"), "--kind", "charuco"]) == 0
    assert "not usable: 001.png: its markers lie otherwise" in capsys.readouterr().out
    assert main([*arguments, "--output", str(tmp_path / "b"), "--plain"]) == 0
    assert "usable" not in capsys.readouterr().out


def test_the_light_is_fired_for_each_picture(write_station: WriteStation, charuco_views: Path, tmp_path: Path) -> None:
    camera = {"kind": "folder", "path": str(charuco_views), "width": 480, "height": 360}
    with VirtualGate() as gate:
        port = {"kind": "framed", "port": gate.path}
        station = write_station(camera=camera, gate=port, light={"kind": "serial_command", "duration_us": 300})
        arguments = ["--count", "2", "--every", "0.05", "--plain", "--output", str(tmp_path / "lit")]
        assert main(["calibrate", "take", str(station), *arguments]) == 0
        until = time.monotonic() + 5
        while len(gate.flashes) < 2 and time.monotonic() < until:
            time.sleep(0.01)
        assert [(flash.counter, flash.duration_us) for flash in gate.flashes] == [(1, 300), (2, 300)]


@pytest.mark.slow
def test_the_plane_alone_gives_the_scale(
    station: Path, charuco_views: Path, rendering: ModuleType, capsys: pytest.CaptureFixture[str]
) -> None:
    plane = charuco_views / "plane.png"
    # Without the lens its distortion is in the way of the scale: good enough for a telecentric lens alone.
    ended = main(["calibrate", "camera", str(station), "--plane", str(plane), *TARGET, "--force"])
    assert ended == 0
    found = load_calibration(next((station.parent.parent / "calibration" / "cam").iterdir()))
    assert found.camera_matrix is None and "no lens" in capsys.readouterr().out
    assert found.mm_per_px == pytest.approx(rendering.MM_PER_PX, rel=0.03)


def test_a_target_is_printed_by_the_command(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["calibrate", "target", "--kind", "chessboard", "--output", str(tmp_path / "t.pdf")]) == 0
    assert "chessboard, 11 x 8 squares of 20 mm, on a4" in capsys.readouterr().out
    assert main(["calibrate", "target", "--output", str(tmp_path / "none" / "t.pdf")]) == 5
    assert "No such file" in capsys.readouterr().err


def test_a_delay_that_would_make_every_part_late_is_refused(write_station: WriteStation) -> None:
    camera = {"kind": "basler", "width": 64, "height": 64, "delay_ms": 40}
    with pytest.raises(StationError, match=r"camera\.delay_ms = 40 ms must be less than line\.max_capture_ms = 40"):
        load_station(write_station(camera=camera))
    station = load_station(write_station(camera=camera, line={"max_capture_ms": 50}))
    assert getattr(station.camera, "delay_ms", None) == 40
