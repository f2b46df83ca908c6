"""Contact sheet and report: every reject is there, nothing from outside is taken for markup."""

import re
from collections.abc import Callable
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

from linewatch.core.errors import StorageError
from linewatch.core.messages import Detection, Note, Verdict
from linewatch.pictures.read import read_picture
from linewatch.records.contact_sheet import write_contact_sheet
from linewatch.records.report import quantile, write_report
from linewatch.records.run_folder import RunFolder

Make = Callable[..., Any]
VOID = {"meta", "img", "link", "br"}


class Balanced(HTMLParser):
    """Checks that every element is closed, and collects identifiers, links and words."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.ids: list[str] = []
        self.links: list[str] = []
        self.words = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = dict(attrs)
        self.ids += [found["id"]] if found.get("id") else []  # type: ignore[list-item]
        self.links += [found["href"]] if tag == "a" else []  # type: ignore[list-item]
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None: ...

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.words += data


def parsed(path: Path) -> Balanced:
    page = Balanced()
    page.feed(path.read_text())
    assert page.open == []
    return page


@pytest.fixture
def run(tmp_path: Path, make_record: Make, make_noise: Make) -> Path:
    """Six parts: a defect with frame, a good one, a time-out without picture, three more defects."""
    folder = RunFolder(tmp_path / "run-1")
    folder.record(make_record(1), make_noise(1))
    folder.record(make_record(2, Verdict.PASS), make_noise(2))
    folder.record(make_record(3, cause="timeout", reason="<script>alert(1)</script>"), None)
    for seq in (4, 5, 6):
        folder.record(make_record(seq, label='<img src=x onerror="a">'), make_noise(seq))
    folder.note(Note("child_died", "inspector & <friends>"))
    folder.close()
    return tmp_path / "run-1"


def test_every_reject_is_in_the_report_and_every_link_leads_to_a_file(run: Path) -> None:
    page = parsed(write_report(run))
    assert page.ids == ["part-1", "part-3", "part-4", "part-5", "part-6"]
    assert page.links == [f"frames/{seq:08d}.png" for seq in (1, 4, 5, 6)]
    assert all((run / link).is_file() for link in page.links)
    assert "no picture: the camera gave none" in page.words


def test_nothing_from_outside_is_markup_and_nothing_is_loaded_from_elsewhere(run: Path) -> None:
    text = write_report(run).read_text()
    assert "<script" not in text
    assert "<img src=x" not in text
    assert "&lt;script&gt;alert(1)" in text
    assert "inspector &amp; &lt;friends&gt;" in text
    assert not re.search(r"""(?:src|href)=["']?(?:https?:)?//""", text)


def test_the_report_says_its_numbers(run: Path) -> None:
    words = parsed(write_report(run)).words
    for expected in ("parts decided", "rejected, 83.33 %", "of them in doubt, 16.67 %", "bottle-sim", "crack"):
        assert expected in words


def test_a_large_report_links_to_pictures_instead_of_growing(
    tmp_path: Path, make_record: Make, make_noise: Make
) -> None:
    folder = RunFolder(tmp_path / "run")
    for seq in range(1, 161):
        folder.record(make_record(seq), make_noise(seq, 300))
    folder.close()
    text = write_report(tmp_path / "run").read_text()
    assert text.count("data:image/jpeg") < 160
    assert '<image href="frames/00000160.png"' in text
    assert len(text) < 6_500_000
    assert text.count("<article") == 160


def test_a_report_elsewhere_links_back_to_the_pictures(run: Path, tmp_path: Path) -> None:
    target = tmp_path / "reports" / "one.html"
    target.parent.mkdir()
    page = parsed(write_report(run, target))
    assert page.links[0] == (run / "frames/00000001.png").as_uri()


def test_a_run_without_rejects_and_one_that_goes_on_have_reports(tmp_path: Path, make_record: Make) -> None:
    folder = RunFolder(tmp_path / "run")
    assert "No part was rejected" in parsed(write_report(tmp_path / "run")).words
    folder.record(make_record(1, Verdict.PASS), None)
    assert "No part was rejected" in parsed(write_report(tmp_path / "run")).words
    folder.close()


def test_a_damaged_picture_costs_its_tile_and_not_the_report(run: Path) -> None:
    (run / "frames/00000001.png").write_bytes(b"\x89PNG damaged")
    assert "part-1" in parsed(write_report(run)).ids
    assert write_contact_sheet(run).is_file()


def test_a_folder_that_is_no_run_is_named(tmp_path: Path) -> None:
    for write in (write_report, write_contact_sheet):
        with pytest.raises(StorageError, match="holds no decision log"):
            write(tmp_path)


def test_quantiles_are_of_the_values_that_were_measured() -> None:
    assert quantile([1.0, 2.0, 3.0, 4.0], 0.5) == 2.0
    assert quantile([1.0, 2.0, 3.0, 4.0], 0.99) == 4.0
    assert quantile([7.0], 0.5) == 7.0


def test_the_sheet_holds_a_tile_for_each_reject_up_to_its_limit(tmp_path: Path, make_record: Make) -> None:
    folder = RunFolder(tmp_path / "run")
    for seq in range(1, 12):
        folder.record(make_record(seq, cause="timeout"), None)
    folder.close()
    heights = [read_picture(write_contact_sheet(tmp_path / "run", max_tiles=most)).shape[0] for most in (5, 10, 11, 40)]
    assert heights[0] < heights[1] < heights[2] == heights[3]


def test_boxes_are_drawn_in_the_colour_of_their_effect(tmp_path: Path, make_record: Make, make_noise: Make) -> None:
    folder = RunFolder(tmp_path / "run")
    both = (Detection("crack", 0.9, 20, 40, 30, 30, "reject"), Detection("dirt", 0.6, 90, 100, 30, 30, "warn"))
    folder.record(make_record(1, detections=both), make_noise(1))
    folder.close()
    sheet = read_picture(write_contact_sheet(tmp_path / "run"), grey=False).astype(int)
    for colour in ((240, 74, 62), (245, 176, 46)):
        assert (abs(sheet - colour).sum(axis=2) < 12).sum() > 100
