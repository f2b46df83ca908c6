"""Calibration files: every error names file, key, value and reason; rectification does what it says."""

from datetime import date
from pathlib import Path

import cv2
import numpy as np
import pytest
import yaml

from linewatch.core.errors import CalibrationError
from linewatch.core.station import load_station, parse_station
from linewatch.pictures.calibration import load_calibration, load_station_calibration
from linewatch.pictures.rectify import Rectifier, rectifier_for
from linewatch.pictures.write import write_png

PROJECT = Path(__file__).parents[2]
GOOD: dict[str, object] = {"camera": "cam", "date": date(2026, 11, 22), "size_px": [64, 48], "mm_per_px": 0.2}
LENS: dict[str, object] = {
    "camera_matrix": [[40.0, 0.0, 31.5], [0.0, 40.0, 23.5], [0.0, 0.0, 1.0]],
    "distortion": [-0.3, 0.05, 0.0, 0.0],
}


def folder_with(folder: Path, changes: dict[str, object]) -> Path:
    (folder / "calibration.yaml").write_text(yaml.safe_dump({**GOOD, **changes}))
    return folder


def test_the_example_loads_and_fits_the_simulated_station() -> None:
    station = load_station(PROJECT / "stations/bottle-sim.yaml")
    with_calibration = station.model_copy(update={"calibration": PROJECT / "calibration/bottle-sim/2026-11-22"})
    found = load_station_calibration(with_calibration)
    assert found is not None
    assert (found.size_px, found.mm_per_px, found.date) == ((448, 448), 0.18, date(2026, 11, 22))
    assert load_station_calibration(station) is None


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"mm_per_px": 0}, "mm_per_px: 0: Input should be greater than 0"),
        ({"mm_per_px": float("nan")}, "mm_per_px: nan"),
        ({"size_px": [0, 48]}, "size_px.0: 0"),
        ({"lens": 1}, "lens: 1: unknown key"),
        ({"camera_matrix": LENS["camera_matrix"]}, "must be given together"),
        ({**LENS, "distortion": [0.1]}, "coefficients, has 1"),
        ({**LENS, "camera_matrix": [[0.0, 0.0, 1.0], [0.0, 1.0, 1.0], [0.0, 0.0, 1.0]]}, "fx, fy > 0"),
        ({"region": [40, 0, 30, 48]}, "reaches beyond size_px 64 x 48"),
    ],
)
def test_wrong_values_are_named(tmp_path: Path, changes: dict[str, object], reason: str) -> None:
    with pytest.raises(CalibrationError) as caught:
        load_calibration(folder_with(tmp_path, changes))
    assert str(caught.value).startswith(str(tmp_path / "calibration.yaml"))
    assert reason in str(caught.value)


@pytest.mark.parametrize(
    ("text", "reason"), [("[1, 2]", "YAML mapping"), ("a: [", "is not YAML"), ("", "YAML mapping")]
)
def test_what_is_no_mapping_is_refused(tmp_path: Path, text: str, reason: str) -> None:
    (tmp_path / "calibration.yaml").write_text(text)
    with pytest.raises(CalibrationError, match=reason):
        load_calibration(tmp_path)


def test_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(CalibrationError, match=r"none/calibration\.yaml: No such file"):
        load_calibration(tmp_path / "none")


def test_station_with_another_picture_size_is_refused(tmp_path: Path) -> None:
    document = yaml.safe_load((PROJECT / "stations/bottle-sim.yaml").read_text())
    document["calibration"] = str(folder_with(tmp_path, {}))
    station = parse_station(document, PROJECT / "stations/bottle-sim.yaml")
    with pytest.raises(CalibrationError, match="448 x 448"):
        rectifier_for(station)


def test_bare_calibration_changes_nothing(tmp_path: Path) -> None:
    picture = np.random.default_rng(0).integers(0, 256, (48, 64), dtype=np.uint8)
    assert np.array_equal(Rectifier(load_calibration(folder_with(tmp_path, {})))(picture), picture)


def test_picture_of_another_size_is_refused(tmp_path: Path) -> None:
    rectify = Rectifier(load_calibration(folder_with(tmp_path, {})))
    with pytest.raises(CalibrationError, match="the picture is 48 x 64"):
        rectify(np.zeros((64, 48), np.uint8))


def test_flat_field_makes_an_uneven_light_even(tmp_path: Path) -> None:
    light = np.linspace(60, 200, 64, dtype=np.float32)[None, :].repeat(48, axis=0)
    write_png(tmp_path / "flat.png", light.astype(np.uint8))
    rectify = Rectifier(load_calibration(folder_with(tmp_path, {"flat_field": "flat.png"})))
    even = rectify((light * 0.8).astype(np.uint8)).astype(float)
    assert even[:, 8:-8].std() < 3 < (light * 0.8).std()
    assert rectify(np.full((48, 64, 3), 100, np.uint8)).shape == (48, 64, 3)


def test_lens_makes_a_bent_edge_straight(tmp_path: Path) -> None:
    calibration = load_calibration(folder_with(tmp_path, LENS))
    # A straight bar, seen through the lens: each sensor pixel looks where the lens lets it look.
    matrix, lens = np.array(LENS["camera_matrix"]), np.array(LENS["distortion"])
    sensor = np.stack(np.meshgrid(np.arange(64.0), np.arange(48.0)), axis=-1).reshape(-1, 1, 2)
    straight = cv2.undistortPoints(sensor, matrix, lens, P=matrix).reshape(48, 64, 2)
    bent = (255 * np.exp(-(((straight[:, :, 1] - 8) / 2) ** 2))).astype(np.uint8)

    def row_of_bar(picture: np.ndarray) -> np.ndarray:
        return np.asarray((picture * np.arange(48)[:, None]).sum(0)[6:-6] / picture.sum(0)[6:-6])

    assert np.ptp(row_of_bar(bent.astype(float))) > 1.5
    assert np.ptp(row_of_bar(Rectifier(calibration)(bent).astype(float))) < 0.4


def test_region_is_cut_out(tmp_path: Path) -> None:
    calibration = load_calibration(folder_with(tmp_path, {"region": [10, 4, 20, 30]}))
    picture = np.arange(48 * 64, dtype=np.int64).reshape(48, 64).astype(np.uint8)
    assert calibration.rectified_px == (20, 30)
    assert np.array_equal(Rectifier(calibration)(picture), picture[4:34, 10:30])


def test_flat_field_that_does_not_fit_is_named(tmp_path: Path) -> None:
    write_png(tmp_path / "flat.png", np.full((4, 4), 100, np.uint8))
    with pytest.raises(CalibrationError, match=r"flat\.png: '4 x 4': must be 64 x 48"):
        Rectifier(load_calibration(folder_with(tmp_path, {"flat_field": "flat.png"})))
    with pytest.raises(CalibrationError, match="No such file"):
        Rectifier(load_calibration(folder_with(tmp_path, {"flat_field": "none.png"})))
