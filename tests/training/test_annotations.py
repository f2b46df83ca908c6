"""Splitting and joining annotated pictures."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from linewatch.core.errors import DatasetError
from linewatch.training.annotations import (
    Annotations,
    Box,
    Picture,
    check_disjoint,
    compiled_group,
    group_of,
    merge,
    relabelled,
    split_by_group,
)
from linewatch.training.splitting import split_in_groups


def picture(name: str, group: str, *labels: int) -> Picture:
    return Picture(Path(name), 64, 48, group, tuple(Box(label, 1, 2, 3, 4) for label in labels))


def grouped(sizes: dict[str, int]) -> Annotations:
    pictures = [picture(f"{group}_{i}.png", group) for group, size in sizes.items() for i in range(size)]
    return Annotations(("dent",), tuple(pictures))


def test_a_split_is_the_same_on_every_machine() -> None:
    whole = grouped({f"board{i}": 3 for i in range(12)})
    rest, held_out = split_by_group(whole, 0.25, seed=7)
    assert sorted({p.group for p in held_out.pictures}) == ["board1", "board2", "board6"]
    assert len(rest.pictures) == 27
    assert split_by_group(whole, 0.25, seed=8) != (rest, held_out)


@given(
    sizes=st.dictionaries(st.text("abc0", min_size=1, max_size=4), st.integers(1, 20), min_size=2, max_size=12),
    share=st.floats(0.05, 0.95),
    seed=st.integers(0, 99),
)
def test_no_group_is_on_both_sides_and_no_picture_is_lost(sizes: dict[str, int], share: float, seed: int) -> None:
    whole = grouped(sizes)
    try:
        rest, held_out = split_by_group(whole, share, seed)
    except DatasetError as error:
        assert "cannot be split" in str(error)
        return
    check_disjoint(rest, held_out)
    assert sorted(p.path for p in rest.pictures + held_out.pictures) == sorted(p.path for p in whole.pictures)
    # One group more or less would not come closer than the largest group is big.
    assert abs(len(held_out.pictures) - share * len(whole.pictures)) <= max(sizes.values())


def test_a_large_group_is_never_held_out_for_a_small_share() -> None:
    whole = grouped({"huge": 80, "a": 5, "b": 5, "c": 10})
    for seed in range(20):
        _, held_out = split_by_group(whole, 0.1, seed)
        assert "huge" not in {p.group for p in held_out.pictures}
        assert 5 <= len(held_out.pictures) <= 15


@pytest.mark.parametrize(("sizes", "share"), [({"only": 9}, 0.5), ({"a": 50, "b": 50}, 0.05), ({"a": 3}, 0.0)])
def test_what_cannot_be_split_is_refused(sizes: dict[str, int], share: float) -> None:
    with pytest.raises(DatasetError, match="split"):
        split_by_group(grouped(sizes), share, seed=0)


def test_an_overlap_is_refused() -> None:
    one = Annotations(("dent",), (picture("a.png", "1"),))
    with pytest.raises(DatasetError, match=r"b\.png: '1': group is on both sides"):
        check_disjoint(one, Annotations(("dent",), (picture("b.png", "1"),)))
    with pytest.raises(DatasetError, match="picture is on both sides"):
        check_disjoint(one, Annotations(("dent",), (picture("./a.png", "2"),)))


def test_merging_keeps_order_and_refuses_other_classes_and_doubles() -> None:
    bad, good = Annotations(("dent",), (picture("a.png", "1", 0),)), Annotations(("dent",), (picture("b.png", "1"),))
    both = merge(bad, good)
    assert [p.path.name for p in both.pictures] == ["a.png", "b.png"]
    assert both.boxes == 1
    with pytest.raises(DatasetError, match="stands in two"):
        merge(bad, bad)
    with pytest.raises(DatasetError, match="other classes"):
        merge(bad, Annotations(("stain",), ()))


def test_labels_follow_the_model() -> None:
    found = relabelled(Annotations(("dent", "stain"), (picture("a.png", "1", 0, 1),)), ["rust", "stain", "dent"], "f")
    assert [box.label for box in found.pictures[0].boxes] == [2, 1]
    with pytest.raises(DatasetError, match=r"f: 'dent': unknown class; the model has rust"):
        relabelled(Annotations(("dent",), ()), ["rust"], "f")


def test_groups_by_pattern() -> None:
    pattern = compiled_group(r"^\d{5}")
    assert group_of("20085000_good.png", pattern) == "20085"
    assert group_of("part7_a.jpg", compiled_group("(part[0-9]+)_[ab]")) == "part7"
    assert group_of("x.png", None) == "x.png"
    with pytest.raises(DatasetError, match=r"x\.png: .*does not match"):
        group_of("x.png", pattern)
    with pytest.raises(DatasetError, match="no regular expression"):
        compiled_group("(")


@given(parts=st.dictionaries(st.sampled_from("abc"), st.integers(4, 30), min_size=1), seed=st.integers(0, 99))
def test_a_share_of_every_group_is_held_out_and_a_part_stays_whole(parts: dict[str, int], seed: int) -> None:
    # Two pictures of each part, with and without its defect.
    pictures = [
        picture(f"{g}{n:02}{end}.png", g) for g, count in parts.items() for n in range(count) for end in ("", "_good")
    ]
    whole = Annotations(("dent",), tuple(pictures))
    rest, held_out = split_in_groups(whole, r"^.\d\d", 0.25, seed)
    assert sorted(p.path for p in rest.pictures + held_out.pictures) == sorted(p.path for p in whole.pictures)
    assert not {p.path.name[:3] for p in rest.pictures} & {p.path.name[:3] for p in held_out.pictures}
    for group, count in parts.items():
        assert sum(p.group == group for p in held_out.pictures) / 2 == pytest.approx(count / 4, abs=0.5)


def test_a_group_of_one_part_is_named() -> None:
    whole = grouped({"many": 8, "one": 1})
    with pytest.raises(DatasetError, match="group one: its parts cannot be split"):
        split_in_groups(whole, r"^\w+", 0.25, seed=0)
