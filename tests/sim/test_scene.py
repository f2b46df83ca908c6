"""The description of a bottle: reproducible, independent of its neighbours, and as flawed as asked for."""

import subprocess
import sys
from collections import Counter
from itertools import combinations

import numpy as np
import pytest

from linewatch.sim.scene import CLASSES, describe


def test_the_classes_and_their_order_are_those_of_the_model() -> None:
    assert CLASSES == ("bubble", "stone", "crack", "scratch", "dirt", "missing_point")


def test_the_same_part_is_described_alike_whatever_came_before() -> None:
    first = describe(3, 41)
    for other in range(5):
        describe(3, other)
    assert describe(3, 41) == first


def test_another_process_describes_the_same_part() -> None:
    code = "from linewatch.sim.scene import describe; print(repr(describe(3, 41, 1.0)))"
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert told.strip() == repr(describe(3, 41, 1.0))


def test_parts_and_runs_differ() -> None:
    scenes = [describe(seed, index) for seed in (1, 2) for index in range(10)]
    assert len({repr(scene.pose) for scene in scenes}) == len(scenes)


@pytest.mark.parametrize(("rate", "low", "high"), [(0.0, 0.0, 0.0), (0.15, 0.11, 0.19), (1.0, 1.0, 1.0)])
def test_the_share_of_flawed_parts_is_the_defect_rate(rate: float, low: float, high: float) -> None:
    flawed = np.mean([bool(describe(8, index, rate).defects) for index in range(600)])
    assert low <= flawed <= high


def test_the_glass_does_not_depend_on_the_defect_rate() -> None:
    good, bad = describe(5, 7, 0.0), describe(5, 7, 1.0)
    assert (good.pose, good.glass, good.ring, good.texts, good.light) == (
        bad.pose,
        bad.glass,
        bad.ring,
        bad.texts,
        bad.light,
    )


def test_a_flawed_part_has_one_to_three_defects_and_every_class_occurs() -> None:
    scenes = [describe(6, index, 1.0) for index in range(300)]
    assert {len(scene.defects) for scene in scenes} == {1, 2, 3}
    counts = Counter(defect.kind for scene in scenes for defect in scene.defects)
    assert set(counts) == set(CLASSES)
    assert min(counts.values()) > 0.5 * max(counts.values())


def test_defects_lie_on_visible_glass_and_do_not_touch() -> None:
    for index in range(300):
        defects = describe(7, index, 1.0).defects
        for defect in defects:
            points = np.concatenate([np.asarray(path) for path in defect.paths])
            assert np.hypot(*points.T).max() < 0.9
        for a, b in combinations(defects, 2):
            assert np.hypot(a.x - b.x, a.y - b.y) > a.size + b.size


def test_a_missing_point_is_one_of_the_mould_ring() -> None:
    scenes = [describe(9, index, 1.0) for index in range(200)]
    missing = [(scene, defect) for scene in scenes for defect in scene.defects if defect.kind == "missing_point"]
    assert missing
    for scene, defect in missing:
        assert 12 <= len(scene.ring.depth) <= 16
        assert (defect.x, defect.y) == pytest.approx(scene.ring.position(defect.point))
    others = [defect for scene in scenes for defect in scene.defects if defect.kind != "missing_point"]
    assert all(defect.point == -1 for defect in others)
