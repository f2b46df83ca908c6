"""Pictures of the target: each that cannot be used is named, with what to do."""

from collections.abc import Sequence
from pathlib import Path
from types import ModuleType

import cv2
import numpy as np
import pytest

from linewatch.calibrating.lens import Lens, coverage_faults, error_faults, find_lens
from linewatch.calibrating.printing import print_target
from linewatch.calibrating.scale import find_scale, scale_faults
from linewatch.calibrating.target import Target
from linewatch.calibrating.views import View, look, never_seen, read_views
from linewatch.core.errors import CalibrationError, UsageError
from linewatch.pictures.read import read_picture

CHARUCO, CHESSBOARD = Target("charuco", 9, 6, 12.0), Target("chessboard", 9, 6, 12.0)
SIZE_PX = (480, 360)


def look_at(rendering: ModuleType, target: Target, flat: np.ndarray, pose: object = None, **how: float) -> View:
    return look(rendering.photograph(flat, pose or rendering.Pose(), **how), target, "view.png", SIZE_PX)


@pytest.mark.parametrize("target", [CHARUCO, CHESSBOARD], ids=["charuco", "chessboard"])
def test_corners_are_found_to_parts_of_a_pixel(target: Target, rendering: ModuleType) -> None:
    view = look_at(rendering, target, rendering.texture(target.kind))
    assert len(view.at) == 8 * 5
    middle = np.array([4.5 * 12, 3 * 12, 0])
    true, _ = cv2.projectPoints(
        view.where_mm - middle,
        np.zeros(3),
        np.array([0, 0, rendering.PLANE_MM]),
        rendering.MATRIX,
        rendering.DISTORTION,
    )
    off = np.abs(view.at - true[:, 0])
    if np.median(off) > 5:  # a chessboard looks the same when it is turned by half
        off = np.abs(view.at[::-1] - true[:, 0])
    assert off.max() < 0.7 and np.median(off) < 0.15


@pytest.mark.parametrize(
    ("target", "how", "reason"),
    [
        (CHARUCO, {"blur": 2.2}, "view.png: blurred: edges spread over"),
        (CHARUCO, {"gain": 1.6}, "view.png: over-exposed:"),
        (CHARUCO, {"gain": 0.12}, "view.png: black and white squares differ by"),
        (Target("charuco", 7, 5, 12.0), {}, "marker 26, 7 x 5 squares have 0 to 16"),
        (Target("charuco", 10, 6, 12.0), {}, "markers lie otherwise than on a target of 10 x 6"),
        (
            Target("charuco", 9, 6, 12.0, markers="6x6"),
            {},
            "no target found: is it in the picture, sharp, with markers 6x6?",
        ),
    ],
)
def test_a_picture_that_cannot_be_used_says_why(
    target: Target, how: dict[str, float], reason: str, rendering: ModuleType
) -> None:
    with pytest.raises(CalibrationError) as caught:
        look_at(rendering, target, rendering.texture("charuco"), **how)
    assert reason in str(caught.value)


@pytest.mark.parametrize(
    ("columns", "rows"), [(8, 6), *(pytest.param(*size, marks=pytest.mark.slow) for size in ((9, 5), (10, 7)))]
)
def test_a_chessboard_of_another_size_is_counted(columns: int, rows: int, rendering: ModuleType) -> None:
    with pytest.raises(CalibrationError, match=r"shows 9 x 6 squares, not .*: give --columns 9 --rows 6"):
        look_at(rendering, Target("chessboard", columns, rows, 12.0), rendering.texture("chessboard"))


def test_another_picture_size_and_no_picture_at_all_are_said(rendering: ModuleType, tmp_path: Path) -> None:
    picture = rendering.photograph(rendering.texture("charuco"), rendering.Pose())
    with pytest.raises(
        CalibrationError, match=r"v\.png: '480 x 300': the station's camera gives 480 x 360: leave it out"
    ):
        look(picture[:300], CHARUCO, "v.png", SIZE_PX)
    with pytest.raises(CalibrationError, match="no chessboard of 9 x 6 squares found"):
        look(np.full((360, 480), 90, np.uint8), CHESSBOARD, "v.png", SIZE_PX)
    (tmp_path / "torn.png").write_bytes(b"\x89PNG")
    views, faults = read_views(tmp_path, CHARUCO, SIZE_PX)
    assert views == [] and "torn.png" in str(faults[0])


def test_a_target_with_fewer_rows_than_said_is_noticed(rendering: ModuleType) -> None:
    view = look_at(rendering, Target("charuco", 9, 8, 12.0), rendering.texture("charuco"))
    fault = never_seen([view], Target("charuco", 9, 8, 12.0))
    assert fault is not None and "target: '9 x 8': only 9 x 6 squares were ever seen" in str(fault)
    assert never_seen([look_at(rendering, CHARUCO, rendering.texture("charuco"))], CHARUCO) is None


@pytest.fixture(scope="session")
def same_angle(rendering: ModuleType) -> Sequence[View]:
    flat = rendering.texture("charuco")
    return [look_at(rendering, CHARUCO, flat, pose) for pose in rendering.SAME_ANGLE]


@pytest.mark.slow
def test_views_that_do_not_tell_enough_are_refused(same_angle: Sequence[View], rendering: ModuleType) -> None:
    assert "views can be used, 8 are needed" in str(coverage_faults(same_angle[:5], SIZE_PX)[0])
    same = str(coverage_faults(same_angle, SIZE_PX)[-1])
    assert "all views are from the same angle" in same and "tilt the target" in same
    middle = [look_at(rendering, CHARUCO, rendering.texture("charuco"), rendering.Pose(z=210))] * 8
    said = [str(fault) for fault in coverage_faults(middle, SIZE_PX)]
    assert any("the lower left corner of the picture is never covered" in words for words in said)


def test_an_error_above_the_limit_names_the_worst_view(same_angle: Sequence[View]) -> None:
    lens = Lens(np.eye(3), np.zeros(5), 0.9, (0.2, 1.7, 0.3), np.zeros((0, 2)))
    (fault,) = error_faults(lens, same_angle[:3], 0.5)
    assert "reprojection error: 0.9: px rms, 0.5 at most; worst is view.png with 1.70" in str(fault)
    assert error_faults(lens, same_angle[:3], 1.0) == []


@pytest.mark.slow
def test_a_bent_target_has_a_large_error(charuco_views: Path) -> None:
    views, faults = read_views(charuco_views, CHARUCO, SIZE_PX)
    assert faults == []
    bent = [
        View(
            view.name,
            view.picture,
            view.at + np.float32(0.02) * (view.where_mm[:, :2] % 25),
            view.where_mm,
            view.numbers,
        )
        for view in views
    ]
    assert find_lens(views, SIZE_PX).reprojection_px < 0.15 < find_lens(bent, SIZE_PX).reprojection_px


def test_the_scale_of_a_tilted_target_is_refused(rendering: ModuleType) -> None:
    lens = Lens(rendering.MATRIX, rendering.DISTORTION, 0.1, (), np.zeros((0, 2)))
    flat = rendering.texture("charuco")
    tilted = look_at(rendering, CHARUCO, flat, rendering.Pose(tilt_y=8))
    (fault,) = scale_faults(find_scale(tilted, lens), tilted)
    assert "lay it flat where the parts are" in str(fault)
    square = look_at(rendering, CHARUCO, flat)
    assert scale_faults(find_scale(square, lens), square) == []
    assert find_scale(square, lens).mm_per_px == pytest.approx(rendering.MM_PER_PX, rel=0.001)


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["charuco", "chessboard"])
def test_the_printed_target_is_found_in_true_scale(kind: str, tmp_path: Path) -> None:
    target = Target("charuco" if kind == "charuco" else "chessboard", 6, 5, 18.0)
    print_target(target, tmp_path / "target.png", "a5")
    page = cv2.resize(read_picture(tmp_path / "target.png"), None, fx=0.25, fy=0.25, interpolation=cv2.INTER_AREA)
    grey = np.asarray(40 + page // 2, np.uint8)
    view = look(grey, target, "target.png", (grey.shape[1], grey.shape[0]))
    assert len(view.at) == 5 * 4
    assert find_scale(view, None).mm_per_px == pytest.approx(25.4 / 150, rel=0.001)
    print_target(target, tmp_path / "target.pdf", "a5")
    pdf = (tmp_path / "target.pdf").read_bytes()
    assert pdf.startswith(b"%PDF") and b"/MediaBox [ 0 0 419.52" in pdf  # 148 mm across


def test_a_target_that_cannot_be_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"--paper: 'a5': the target is 220 x 160 mm: squares of 14 mm fit"):
        print_target(Target("charuco", 11, 8, 20.0), tmp_path / "t.pdf", "a5")
    with pytest.raises(UsageError, match=r"must end in \.pdf or \.png"):
        print_target(CHARUCO, tmp_path / "t.svg", "a4")
    with pytest.raises(UsageError, match="--marker-mm: 13: must lie between 0 and the square's 12"):
        Target("charuco", 9, 6, 12.0, marker_mm=13)
    with pytest.raises(UsageError, match="must be 4 or more"):
        Target("chessboard", 3, 6, 12.0)
