"""The chain from sensor pixels to inspection, in this process, with detectors of a few lines."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from linewatch.core.clock import RecordedClock
from linewatch.core.errors import CalibrationError, StationError
from linewatch.core.messages import Cause, Detection
from linewatch.core.station import Station, parse_station
from linewatch.inspection.acceptance import Acceptance
from linewatch.inspection.inspector import Inspector, Part, assemble
from linewatch.inspection.quality import Doubt
from linewatch.pictures.types import Picture

STATION = {
    "name": "chain",
    "gate": {"kind": "framed", "port": "unused"},
    "camera": {"kind": "simulated", "width": 8, "height": 6},
    "detector": {"model": "unused"},
    "acceptance": [{"class": "dark", "min_score": 0.5}],
    "rejecter": {"transport_ms": 1000},
}


def station(**changes: object) -> Station:
    return parse_station({**STATION, **changes}, Path("chain.yaml"))


class Darkness:
    """Scores 1 - mean / 255, and remembers what it was shown."""

    classes = ("dark",)
    name = "darkness"
    batch_sizes = (4,)

    def __init__(self) -> None:
        self.shown: list[int] = []

    def warm_up(self) -> None:
        pass

    def detect(self, pictures: Sequence[Picture]) -> list[tuple[Detection, ...]]:
        self.shown.append(len(pictures))
        return [(Detection("dark", 1 - float(p.mean()) / 255, 0, 0, 8, 6),) for p in pictures]


class OneTooFew(Darkness):
    def detect(self, pictures: Sequence[Picture]) -> list[tuple[Detection, ...]]:
        return super().detect(pictures)[:-1]


class OtherLabel(Darkness):
    def detect(self, pictures: Sequence[Picture]) -> list[tuple[Detection, ...]]:
        return [(Detection("bright", 0.9, 0, 0, 1, 1),) for _ in pictures]


def inspector(detector: Darkness, **changes: object) -> Inspector:
    return assemble(station(**changes), detector, RecordedClock(77), "chain.yaml")


def grey(value: int, height: int = 6, width: int = 8) -> Picture:
    return np.full((height, width), value, np.uint8)


def test_parts_in_doubt_keep_their_cause_and_never_reach_the_network() -> None:
    detector = Darkness()
    parts = [
        Part(1, grey(250)),
        Part(2, Doubt(Cause.OVERRUN, "gone")),
        Part(3, grey(0, height=5)),
        Part(4, grey(10)),
    ]
    found = inspector(detector).inspect(parts)
    assert [inspection.seq for inspection in found] == [1, 2, 3, 4]
    assert [i.cause for i in found] == [Cause.OK, Cause.OVERRUN, Cause.INCOMPLETE_FRAME, Cause.DEFECT]
    assert detector.shown == [2]
    assert {inspection.t_done_ns for inspection in found} == {77}


def test_what_is_dark_is_told_as_dark_and_what_is_flat_as_blurred() -> None:
    checked = inspector(Darkness(), exposure={"min_mean": 5}, focus={"min_sharpness": 0.01})
    edges = grey(250)
    edges[:, ::2] = 200
    found = checked.inspect([Part(1, grey(1)), Part(2, grey(250)), Part(3, edges)])
    assert [inspection.cause for inspection in found] == [Cause.EXPOSURE, Cause.BLUR, Cause.OK]


def test_nothing_to_run_does_not_call_the_network() -> None:
    detector = Darkness()
    found = inspector(detector).inspect([Part(1, Doubt(Cause.NO_FRAME, "pulled"))])
    assert (found[0].batch, found[0].reason, detector.shown) == (0, "pulled", [])


def test_ignored_detections_are_kept_only_when_they_are_more_than_noise() -> None:
    found = inspector(Darkness()).inspect([Part(1, grey(200)), Part(2, grey(250))])
    assert [len(inspection.detections) for inspection in found] == [1, 0]


@pytest.mark.parametrize("detector", [OneTooFew(), OtherLabel()])
def test_a_detector_that_breaks_its_promise_is_a_model_error_for_all_its_parts(detector: Darkness) -> None:
    found = inspector(detector).inspect([Part(1, grey(250)), Part(2, grey(250))])
    assert [inspection.cause for inspection in found] == [Cause.MODEL_ERROR, Cause.MODEL_ERROR]


def test_a_picture_that_does_not_fit_the_calibration_is_an_incomplete_frame() -> None:
    def refuse(_: Picture) -> Picture:
        raise CalibrationError("calibration of left: size_px", "the picture is 8 x 6", [9, 9])

    acceptance = Acceptance(station().acceptance, Darkness.classes, None)
    ready = Inspector(station(), Darkness(), refuse, acceptance, RecordedClock())
    found = ready.inspect([Part(1, grey(250))])
    assert found[0].cause is Cause.INCOMPLETE_FRAME
    assert "size_px" in found[0].reason


def test_the_station_calibration_gives_scale_and_region(tmp_path: Path) -> None:
    folder = tmp_path / "calibration"
    folder.mkdir()
    (folder / "calibration.yaml").write_text(
        "{camera: left, date: 2024-01-01, size_px: [8, 6], mm_per_px: 0.5, region: [0, 0, 4, 4]}"
    )
    shapes: list[tuple[int, ...]] = []

    class Shapes(Darkness):
        def detect(self, pictures: Sequence[Picture]) -> list[tuple[Detection, ...]]:
            shapes.extend(picture.shape for picture in pictures)
            return [(Detection("dark", 0.9, 0, 0, 4, 4),) for _ in pictures]

    def cause(min_size_mm: float) -> Cause:
        acceptance = [{"class": "dark", "min_score": 0.5, "min_size_mm": min_size_mm}]
        ready = inspector(Shapes(), calibration=str(folder), acceptance=acceptance)
        return ready.inspect([Part(1, grey(9))])[0].cause

    assert (cause(2.0), cause(2.1)) == (Cause.DEFECT, Cause.OK)
    assert shapes == [(4, 4), (4, 4)]


def test_criteria_that_do_not_fit_the_model_name_the_station_file() -> None:
    with pytest.raises(StationError, match=r"chain.yaml: acceptance.0.class: 'cork'"):
        inspector(Darkness(), acceptance=[{"class": "cork"}])
