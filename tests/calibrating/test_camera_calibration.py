"""`linewatch calibrate camera`: known lens, scale and light are found; what is not good is named."""

import stat
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import cv2
import numpy as np
import pytest
import yaml

from linewatch.cli import main
from linewatch.core.errors import CalibrationError
from linewatch.pictures.calibration import Calibration, described, load_calibration
from linewatch.pictures.rectify import Rectifier
from linewatch.pictures.write import write_png

WriteStation = Callable[..., Path]
Fields = Callable[..., tuple[Path, Path]]
TARGET = ("--columns", "9", "--rows", "6", "--square-mm", "12")


def calibrate(station: Path, *arguments: object) -> int:
    return main(["calibrate", "camera", str(station), *TARGET, *map(str, arguments)])


def written(station: Path, name: str = "") -> Path:
    folders = sorted((station.parent.parent / "calibration" / "cam").iterdir())
    return folders[-1] if not name else station.parent.parent / "calibration" / "cam" / name


def rectified_error_mm(found: Calibration, rendering: ModuleType) -> float:
    """How far places of the parts' plane lie from where the rectified picture says, at most, within 80 x 56 mm."""
    x, y = np.meshgrid(np.linspace(-40, 40, 17), np.linspace(-28, 28, 13))
    where = np.stack([x.ravel(), y.ravel(), np.full(x.size, rendering.PLANE_MM)], axis=1)
    sensor, _ = cv2.projectPoints(where, np.zeros(3), np.zeros(3), rendering.MATRIX, rendering.DISTORTION)
    matrix, lens = np.array(found.camera_matrix), np.array(found.distortion)
    rectified = cv2.undistortPoints(sensor, matrix, lens, P=matrix)[:, 0] * found.mm_per_px
    off = rectified - where[:, :2]
    return float(np.abs(off - off.mean(axis=0)).max())


def test_lens_scale_and_light_are_found_and_the_line_uses_them(
    charuco_views: Path, rendering: ModuleType, write_station: WriteStation, fields: Fields,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    station, (flat, dark) = write_station(), fields()
    assert calibrate(station, "--pictures", charuco_views, "--flat", flat, "--dark", dark) == 0
    folder = written(station)
    assert f"station file: calibration: calibration/cam/{folder.name}\n" in capsys.readouterr().out
    found = load_calibration(folder)
    assert found.camera_matrix is not None and found.reprojection_px is not None
    (fx, _, cx), (_, fy, cy), _ = found.camera_matrix
    assert np.allclose((fx, fy), (615, 618), rtol=0.002)
    assert np.allclose((cx, cy), (245, 175), atol=1.5)
    assert found.reprojection_px < 0.15 and found.views == 12
    assert rectified_error_mm(found, rendering) < 0.15
    assert found.mm_per_px == pytest.approx(rendering.MM_PER_PX, rel=0.002)
    assert (found.hot_pixels, found.dead_pixels, found.faults) == (((60, 50),), ((200, 100),), ())
    assert_nothing_can_be_changed(folder)
    assert_light_is_even(found, charuco_views)


def assert_nothing_can_be_changed(folder: Path) -> None:
    names = {path.name for path in folder.iterdir()}
    assert names == {
        "calibration.yaml", "flat.png", "dark.png", "corners.jpg", "residuals.png", "before_after.jpg", "profile.png",
        "sheet.html",
    }  # fmt: skip
    assert all(stat.S_IMODE(path.stat().st_mode) == 0o444 for path in folder.iterdir())
    page = (folder / "sheet.html").read_text()
    assert all(f'src="{name}"' in page for name in names if name.endswith(".jpg")) and "reprojection error" in page


def assert_light_is_even(found: Calibration, views: Path) -> None:
    y, x = np.mgrid[-1:1:360j, -1:1:480j]
    light = 1 - 0.2 * (x**2 + y**2)
    sensor = np.rint(150 * light + 5).astype(np.uint8)
    sensor[50, 60], sensor[100, 200] = 255, 0
    even = Rectifier(found)(sensor)[30:-30, 30:-30].astype(float)
    assert np.ptp(sensor[30:-30, 30:-30][10:20]) > 20
    assert even.std() < 1.3 and np.ptp(cv2.GaussianBlur(even, (0, 0), 4)) < 2
    assert np.abs(Rectifier(found)(sensor)[[50, 100], [60, 200]] - even.mean()).max() < 6
    assert even.mean() == pytest.approx(150 * light.mean(), abs=1.5)
    assert views.exists()


def test_what_was_changed_afterwards_is_refused(write_station: WriteStation, fields: Fields) -> None:
    station, (flat, dark) = write_station(mm_per_px=0.2), fields()
    assert calibrate(station, "--flat", flat, "--dark", dark) == 0
    folder = written(station)
    load_calibration(folder)
    numbers = folder / "calibration.yaml"
    original = numbers.read_text()
    numbers.chmod(0o644)
    numbers.write_text(original.replace("mm_per_px: 0.2", "mm_per_px: 0.3"))
    with pytest.raises(CalibrationError, match=r"sha256\.numbers: does not fit the numbers"):
        load_calibration(folder)
    numbers.write_text(original + "# a comment changes nothing\n")
    load_calibration(folder)
    (folder / "flat.png").chmod(0o644)
    write_png(folder / "flat.png", np.full((360, 480), 99, np.uint8))
    with pytest.raises(CalibrationError, match=r"flat\.png: it was changed after it was made"):
        load_calibration(folder)
    (folder / "flat.png").unlink()
    with pytest.raises(CalibrationError, match=r"flat\.png: No such file"):
        load_calibration(folder)
    stripped = yaml.safe_load(original)
    del stripped["sha256"]["flat.png"]
    numbers.write_text(yaml.safe_dump(stripped))
    with pytest.raises(CalibrationError, match=r"'flat\.png': must name each file"):
        load_calibration(folder)


@pytest.mark.slow
def test_a_second_one_of_the_day_gets_a_name_of_its_own_and_keeps_the_rest(
    write_station: WriteStation, fields: Fields, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    station, (flat, dark) = write_station(mm_per_px=0.2), fields()
    assert calibrate(station, "--flat", flat) == 0
    first = written(station)
    station = write_station(mm_per_px=0.2, calibration=str(first))
    assert calibrate(station, "--dark", dark) == 0
    second = written(station)
    assert second.name == f"{first.name}-2"
    assert (second / "flat.png").read_bytes() == (first / "flat.png").read_bytes()
    assert load_calibration(second).dark_field == second / "dark.png"
    assert calibrate(station, "--dark", dark, "--output", first) == 5
    assert f"{first}: is there already" in capsys.readouterr().err
    station = write_station(calibration=str(first), camera={"kind": "folder", "path": "x", "width": 64, "height": 48})
    assert calibrate(station, "--dark", dark) == 3
    assert "--from: [480, 360]: was of another picture size" in capsys.readouterr().err
    assert not list(tmp_path.rglob("*.new"))


@pytest.mark.parametrize(
    ("kind", "reason"),
    [
        ("saturated", "flat field: 100.0% of it is saturated"),
        ("exchanged", "is not brighter than the dark one: are the folders exchanged?"),
        ("few", "flat field: 2: pictures: 8 are needed"),
        ("lit", "dark field: 60.0: mean grey is above 30: cover the lens"),
        ("size", "flat field: 9.png: '64 x 48': the station's camera gives 480 x 360"),
    ],
)
def test_a_wrong_field_is_named_and_nothing_is_written(
    kind: str, reason: str, write_station: WriteStation, fields: Fields, capsys: pytest.CaptureFixture[str]
) -> None:
    station = write_station(mm_per_px=0.2)
    made: dict[str, dict[str, float]] = {"saturated": {"bright": 500}, "lit": {"offset": 60, "bright": 120}}
    flat, dark = fields(count=2 if kind == "few" else 8, **made.get(kind, {}))
    if kind == "exchanged":
        flat, dark = dark, flat
    if kind == "size":
        write_png(flat / "9.png", np.full((48, 64), 100, np.uint8))
    assert calibrate(station, "--flat", flat, "--dark", dark) == 3
    said = capsys.readouterr()
    assert "error: " in said.err and reason in said.err and "nothing is written" in said.out
    assert not (station.parent.parent / "calibration").exists()


@pytest.mark.slow
def test_force_writes_and_names_what_was_wrong(
    write_station: WriteStation, fields: Fields, capsys: pytest.CaptureFixture[str]
) -> None:
    station, (flat, _) = write_station(mm_per_px=0.2), fields(count=2)
    assert calibrate(station, "--flat", flat, "--force") == 0
    assert "accepted: flat field: 2: pictures" in capsys.readouterr().err
    assert load_calibration(written(station)).faults[0].startswith("flat field: 2: pictures")
    assert "accepted by --force: flat field" in (written(station) / "sheet.html").read_text()


@pytest.mark.slow
def test_what_was_wrong_stays_wrong_until_it_is_done_anew(
    write_station: WriteStation, fields: Fields, tmp_path: Path
) -> None:
    faults = ["reprojection error: 0.9: px rms", "flat field: 2: pictures", "timing: 3.0: px rms"]
    document = {
        "camera": "cam", "date": "2026-01-05", "size_px": [480, 360], "mm_per_px": 0.2, "faults": faults,
        "camera_matrix": [[600.0, 0, 240.0], [0, 600.0, 180.0], [0, 0, 1.0]], "distortion": [0.0, 0.0, 0.0, 0.0],
    }  # fmt: skip
    (tmp_path / "old").mkdir()
    (tmp_path / "old" / "calibration.yaml").write_text(yaml.safe_dump(document))
    station, (flat, dark) = write_station(calibration="old"), fields()
    assert calibrate(station, "--dark", dark) == 0
    kept = load_calibration(written(station))
    assert kept.faults == tuple(faults)
    assert (str(kept.lens_date), kept.camera_matrix is not None) == ("2026-01-05", True)
    assert calibrate(station, "--flat", flat, "--from", written(station)) == 0
    assert load_calibration(written(station)).faults == (faults[0], faults[2])
    assert "lens of 2026-01-05" in described(written(station), load_calibration(written(station)))


def test_nothing_to_calibrate_from_is_said(
    write_station: WriteStation, charuco_views: Path, fields: Fields, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    station = write_station()
    assert calibrate(station) == 2
    assert "needs --pictures, --plane, --flat or --dark" in capsys.readouterr().err
    assert calibrate(station, "--flat", fields()[0]) == 2
    assert "--plane: nothing tells the scale" in capsys.readouterr().err
    tilted = tmp_path / "tilted"
    tilted.mkdir()
    for number in range(3):
        (tilted / f"{number}.png").write_bytes((charuco_views / f"view-0{number + 1}.png").read_bytes())
    assert calibrate(station, "--pictures", tilted) == 3
    said = capsys.readouterr().err
    assert "3: views can be used, 8 are needed" in said and "--plane: or a picture called plane.png is needed" in said
    assert calibrate(station, "--pictures", tmp_path / "none") == 5
    assert "none: No such file" in capsys.readouterr().err
    assert calibrate(station, "--plane", charuco_views / "plane.png", "--square-mm", "nan") == 2
    assert "--square-mm: nan: must be above 0" in capsys.readouterr().err
