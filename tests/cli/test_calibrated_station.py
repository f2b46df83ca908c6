"""A station with what `linewatch calibrate` wrote: said by `check`, used by the line."""

import json
import subprocess
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import yaml

from linewatch.check.answers import Answer
from linewatch.check.station import check, look
from linewatch.cli import main
from linewatch.pictures.write import write_png
from linewatch.sim.gate import VirtualGate

Run = Callable[..., subprocess.CompletedProcess[str]]
WriteStation = Callable[..., Path]
SIDE_PX = 64
OFFSET = 20


def pictures(folder: Path, grey: int, count: int = 8) -> Path:
    folder.mkdir()
    rng = np.random.default_rng(grey)
    for number in range(count):
        picture = np.clip(np.rint(rng.normal(grey, 2, (SIDE_PX, SIDE_PX))), 0, 255).astype(np.uint8)
        write_png(folder / f"{number}.png", picture)
    return folder


@pytest.fixture
def calibrated(write_station: WriteStation, tmp_path: Path) -> Path:
    """The folder that `calibrate camera` wrote for the station of this test: dark field at 20 grey levels."""
    flat, dark = pictures(tmp_path / "flat", 150), pictures(tmp_path / "dark", OFFSET)
    station = write_station(mm_per_px=0.2)
    assert main(["calibrate", "camera", str(station), "--flat", str(flat), "--dark", str(dark)]) == 0
    return next((tmp_path / "calibration" / "t").iterdir())


def answers(station: Path) -> list[str]:
    return [str(one) for one in look(station, offline=True) if isinstance(one, Answer)]


@pytest.mark.slow
def test_check_says_which_calibration_is_in_use(
    calibrated: Path, write_station: WriteStation, capsys: pytest.CaptureFixture[str]
) -> None:
    with VirtualGate() as gate:
        port = {"kind": "framed", "port": gate.path}
        assert main(["check", str(write_station(gate=port, calibration=str(calibrated)))]) == 0
        said = capsys.readouterr()
        assert f"ok: calibration: {calibrated}: 0 days old, 0.2 mm/px, no lens, flat field" in said.out
        assert "0 errors, 0 warnings" in said.out
    assert "calibration: none, raw pixels" in answers(write_station())
    (calibrated / "dark.png").chmod(0o644)
    write_png(calibrated / "dark.png", np.zeros((SIDE_PX, SIDE_PX), np.uint8))
    station = write_station(calibration=str(calibrated))
    assert not any(answer.startswith("calibration") for answer in answers(station))
    assert any("dark.png: it was changed after" in str(one.error) for one in check(station, offline=True))


@pytest.mark.slow
def test_check_warns_of_what_was_forced_and_of_another_transport_time(
    write_station: WriteStation, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    timing = {
        "capture_delay_ms": 12.0, "travel_px_per_ms": [0.0, 1.5], "speed_mm_per_s": 300.0, "residual_px": 0.4,
        "places": 9, "transport_ms": 28_000.0, "transport_from": "sensor",
    }  # fmt: skip
    document = {
        "camera": "t", "date": "2026-11-20", "size_px": [SIDE_PX, SIDE_PX], "mm_per_px": 0.2, "timing": timing,
        "reprojection_px": 0.31, "views": 14, "faults": ["reprojection error: 0.31: px rms, 0.2 at most"],
    }  # fmt: skip
    (tmp_path / "old").mkdir()
    (tmp_path / "old" / "calibration.yaml").write_text(yaml.safe_dump(document))
    with VirtualGate() as gate:
        station = write_station(gate={"kind": "framed", "port": gate.path}, calibration="old")
        assert main(["check", str(station)]) == 0
    said = capsys.readouterr()
    assert "warning: " in said.err and "was written by --force although: reprojection error" in said.err
    assert "rejecter.transport_ms: 30000.0: the calibration found 28000 ms" in said.err
    assert "reprojection error 0.310 px, part in the middle 12.0 ms after the gate" in said.out


@pytest.mark.slow
@pytest.mark.timeout(240)
def test_replay_inspects_the_corrected_pictures(
    calibrated: Path, write_station: WriteStation, run: Run, tmp_path: Path
) -> None:
    parts = pictures(tmp_path / "parts", 100 + OFFSET, count=3)
    causes = []
    for number, calibration in enumerate(({}, {"calibration": str(calibrated)})):
        # Only without the sensor's own grey are they dark enough.
        station = write_station(exposure={"max_mean": 100 + OFFSET / 2}, **calibration)
        done = run("replay", parts, "--station", station, "--output", f"out-{number}")
        assert done.returncode == 0, done.stderr
        lines = (tmp_path / f"out-{number}" / "decisions.jsonl").read_text().splitlines()
        causes.append({json.loads(line)["cause"] for line in lines})
    assert causes[0] == {"exposure"}
    assert causes[1] <= {"ok", "defect"} and causes[1]
