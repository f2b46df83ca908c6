import cv2
import numpy as np
import pytest

from linewatch.core.cameras import OpenCvCamera as Camera
from linewatch.core.cameras import SimulatedCamera
from linewatch.core.messages import Cause
from linewatch.core.station import Exposure, Focus
from linewatch.inspection.drift import sharpness
from linewatch.inspection.quality import check_exposure, check_focus, check_size
from linewatch.sim.render import render
from linewatch.sim.scene import describe

GREY = SimulatedCamera(kind="simulated", width=8, height=6)
COLOUR = Camera(kind="opencv", source="0", width=8, height=6, grey=False)


def test_the_size_that_the_station_says_passes() -> None:
    assert check_size(np.zeros((6, 8), np.uint8), GREY) is None
    assert check_size(np.zeros((6, 8, 3), np.uint8), COLOUR) is None


@pytest.mark.parametrize("shape", [(8, 6), (5, 8), (6, 8, 3), (6, 8, 1), (0, 8)])
def test_any_other_size_is_an_incomplete_frame(shape: tuple[int, ...]) -> None:
    doubt = check_size(np.zeros(shape, np.uint8), GREY)
    assert doubt is not None
    assert doubt.cause is Cause.INCOMPLETE_FRAME
    assert "station says 8 x 6 grey" in doubt.reason


@pytest.mark.parametrize(("grey", "doubted"), [(19, True), (20, False), (200, False), (201, True)])
def test_too_dark_and_too_bright_are_cause_exposure(grey: int, doubted: bool) -> None:
    doubt = check_exposure(np.full((6, 8), grey, np.uint8), Exposure(min_mean=20, max_mean=200))
    assert (doubt is not None and doubt.cause is Cause.EXPOSURE) == doubted


@pytest.mark.parametrize("colour", [False, True])
def test_a_blurred_part_is_cause_blur_whatever_the_light(colour: bool) -> None:
    sharp = render(describe(3, 0, 0.0), 320).pixels
    blurred = np.asarray(cv2.GaussianBlur(sharp, (0, 0), 3.0), np.uint8)
    limit = Focus(min_sharpness=(sharpness(sharp) * sharpness(blurred)) ** 0.5)
    for picture, doubted in ((sharp, False), (sharp // 2, False), (blurred, True), (blurred // 2, True)):
        doubt = check_focus(np.dstack([picture] * 3) if colour else picture, limit)
        assert (doubt is not None) == doubted
    assert doubt is not None and doubt.cause is Cause.BLUR
    assert "is below" in doubt.reason


def test_blur_is_not_looked_for_unless_the_station_says_so() -> None:
    assert check_focus(np.zeros((6, 8), np.uint8), Focus()) is None
