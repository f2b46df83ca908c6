import math

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from linewatch.core.errors import StationError
from linewatch.core.messages import Cause, Detection
from linewatch.core.station import Criterion, Zone
from linewatch.inspection.acceptance import Acceptance, lies_in

CLASSES = ("crack", "stone", "blister")


def criterion(label: str = "*", **keys: object) -> Criterion:
    return Criterion.model_validate({"class": label, **keys})


def crack(score: float = 0.9, x: float = 40, y: float = 40, width: float = 20, height: float = 10) -> Detection:
    return Detection("crack", score, x, y, width, height)


def effects(criteria: list[Criterion], *detections: Detection, mm_per_px: float | None = None) -> list[str]:
    judged = Acceptance(criteria, CLASSES, mm_per_px).judge(detections, 100, 100)
    return [d.effect for d in judged.detections]


def test_nothing_found_is_ok() -> None:
    assert Acceptance([criterion()], CLASSES, None).judge([], 100, 100).cause is Cause.OK


def test_score_at_the_limit_counts_and_below_does_not() -> None:
    assert effects([criterion(min_score=0.5)], crack(0.5)) == ["reject"]
    assert effects([criterion(min_score=0.5)], crack(0.4999)) == ["ignore"]


def test_warning_does_not_reject() -> None:
    judged = Acceptance([criterion(effect="warn")], CLASSES, None).judge([crack()], 100, 100)
    assert (judged.cause, judged.detections[0].effect) == (Cause.OK, "warn")


def test_size_is_the_longer_side_in_px_and_in_mm() -> None:
    assert effects([criterion(min_size_px=20)], crack(width=20, height=1)) == ["reject"]
    assert effects([criterion(min_size_px=20.5)], crack(width=20, height=1)) == ["ignore"]
    assert effects([criterion(min_size_mm=2.0)], crack(height=20, width=1), mm_per_px=0.1) == ["reject"]
    assert effects([criterion(min_size_mm=2.1)], crack(height=20, width=1), mm_per_px=0.1) == ["ignore"]


def test_named_class_leaves_the_fallback() -> None:
    criteria = [criterion("*", min_score=0.1), criterion("crack", min_score=0.95)]
    assert effects(criteria, crack(0.9)) == ["ignore"]
    assert effects(criteria, Detection("stone", 0.2, 0, 0, 5, 5)) == ["reject"]


def test_first_criterion_of_the_class_that_is_met_decides() -> None:
    rim = Zone(kind="ring", inner=0.4, outer=0.5)
    criteria = [criterion("crack", zone=rim, effect="warn"), criterion("crack"), criterion()]
    on_rim = crack(x=45, y=0)
    assert effects(criteria, on_rim) == ["warn"]
    assert effects(criteria, crack()) == ["reject"]


def test_min_count_is_per_part_and_counts_only_what_meets_the_rest() -> None:
    twice = [criterion(min_count=2)]
    assert effects(twice, crack(), crack(0.2)) == ["ignore", "ignore"]
    assert effects(twice, crack(), crack(0.6), crack(0.2)) == ["reject", "reject", "ignore"]


def test_min_count_does_not_add_up_classes_of_the_fallback() -> None:
    assert effects([criterion(min_count=2)], crack(), Detection("stone", 0.9, 0, 0, 5, 5)) == ["ignore", "ignore"]


@pytest.mark.parametrize("key", ["score", "x", "y", "width", "height"])
@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_non_finite_number_anywhere_is_its_own_cause(key: str, value: float) -> None:
    broken = msgspec.structs.replace(crack(0.0), **{key: value})
    judged = Acceptance([criterion(min_score=1.0, effect="warn")], CLASSES, None).judge([crack(), broken], 100, 100)
    assert (judged.cause, judged.detections) == (Cause.NON_FINITE, ())


def test_label_outside_the_model_raises() -> None:
    with pytest.raises(KeyError):
        Acceptance([criterion()], CLASSES, None).judge([Detection("cork", 0.1, 0, 0, 1, 1)], 100, 100)


def test_ring_is_round_in_a_picture_that_is_not_square() -> None:
    ring = Zone(kind="ring", inner=0.2, outer=0.3)
    assert lies_in(ring, Detection("crack", 1, 125, 50, 0, 0), 200, 100)
    assert not lies_in(ring, Detection("crack", 1, 140, 50, 0, 0), 200, 100)
    assert not lies_in(ring, Detection("crack", 1, 100, 50, 0, 0), 200, 100)


def test_box_zone_takes_the_centre_of_the_detection() -> None:
    left_half = Zone(kind="box", box=(0.0, 0.0, 0.5, 1.0))
    assert lies_in(left_half, Detection("crack", 1, 80, 0, 40, 10), 200, 100)
    assert not lies_in(left_half, Detection("crack", 1, 81, 0, 40, 10), 200, 100)


@pytest.mark.parametrize(
    ("criteria", "classes", "names"),
    [
        ([criterion("cork"), criterion()], CLASSES, "cork"),
        ([criterion("crack"), criterion("stone")], CLASSES, "blister"),
        ([criterion(min_size_mm=1.0)], CLASSES, "mm_per_px"),
        ([criterion(zone=Zone(kind="ring", inner=0.5, outer=0.5))], CLASSES, "inner"),
        ([criterion(zone=Zone(kind="box", box=(0.5, 0.0, 0.5, 1.0)))], CLASSES, "left < right"),
    ],
)
def test_wrong_criteria_are_refused_by_name(criteria: list[Criterion], classes: tuple[str, ...], names: str) -> None:
    with pytest.raises(StationError, match=names) as caught:
        Acceptance(criteria, classes, None, "pcb.yaml")
    assert str(caught.value).startswith("pcb.yaml: acceptance")


detections = st.builds(
    Detection,
    label=st.sampled_from(CLASSES),
    score=st.floats(0, 1),
    x=st.floats(-10, 100),
    y=st.floats(-10, 100),
    width=st.floats(0, 60),
    height=st.floats(0, 60),
)
criteria_lists = st.lists(
    st.builds(
        lambda label, score, size, count, effect: criterion(
            label, min_score=score, min_size_px=size, min_count=count, effect=effect
        ),
        st.sampled_from(CLASSES),
        st.floats(0, 1),
        st.none() | st.floats(0, 50),
        st.integers(1, 3),
        st.sampled_from(["reject", "warn"]),
    ),
    max_size=4,
)


@given(st.lists(detections, max_size=8), criteria_lists)
def test_every_detection_comes_back_once_and_the_cause_follows_the_effects(
    found: list[Detection], criteria: list[Criterion]
) -> None:
    judged = Acceptance([*criteria, criterion()], CLASSES, None).judge(found, 100, 100)
    bare = [msgspec.structs.replace(d, effect="ignore") for d in judged.detections]
    assert sorted(bare, key=repr) == sorted(found, key=repr)
    assert (judged.cause is Cause.DEFECT) == any(d.effect == "reject" for d in judged.detections)


@given(st.lists(detections, max_size=8), criteria_lists, st.randoms())
def test_order_of_detections_changes_nothing(found: list[Detection], criteria: list[Criterion], random: object) -> None:
    acceptance = Acceptance([*criteria, criterion()], CLASSES, None)
    shuffled = list(found)
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    one, other = acceptance.judge(found, 100, 100), acceptance.judge(shuffled, 100, 100)
    assert one.cause is other.cause
    assert sorted(map(repr, one.detections)) == sorted(map(repr, other.detections))


@given(st.lists(detections, max_size=8), criteria_lists, detections)
def test_one_more_defect_never_turns_a_reject_without_warnings_into_a_pass(
    found: list[Detection], criteria: list[Criterion], more: Detection
) -> None:
    rejecting = [c.model_copy(update={"effect": "reject"}) for c in criteria]
    acceptance = Acceptance([*rejecting, criterion()], CLASSES, None)
    if acceptance.judge(found, 100, 100).cause is Cause.DEFECT:
        assert acceptance.judge([*found, more], 100, 100).cause is Cause.DEFECT
