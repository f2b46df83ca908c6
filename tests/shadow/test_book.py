"""What the shadow writes: within its own budget, above the floor, and never an error for a disk that fails."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from linewatch.core.messages import Cause, Detection, Inspection, Look, Verdict
from linewatch.core.station import load_station
from linewatch.shadow.book import Book
from linewatch.shadow.log import SHADOW_LOG, read_shadow_log

STATION = Path(__file__).parents[2] / "stations/bottle-sim.yaml"
DEFECT = (Detection("chip", 0.9, 1, 2, 3, 4, "reject"),)
PICTURE = np.random.default_rng(1).integers(0, 256, (200, 200), dtype=np.uint8)  # 40 kB, as no compression helps
MakeBook = Callable[..., tuple[Book, Path, list[str]]]


@pytest.fixture
def make_book(tmp_path: Path) -> MakeBook:
    """A book with the run folder it writes into, and what it told."""

    def make(budget_mb: float = 1.0, floor_mb: float = 0.0) -> tuple[Book, Path, list[str]]:
        output, told = tmp_path / "runs", list[str]()
        path = tmp_path / "station.yaml"
        text = STATION.read_text() + f"storage: {{output: {output}, floor_mb: {floor_mb}}}\n"
        path.write_text(text + f"shadow: {{model: next, budget_mb: {budget_mb}}}\n")
        station = load_station(path).candidate
        assert station is not None
        return Book(station, "run-1", "next 0123", told.append), output / "run-1", told

    return make


def look(seq: int, verdict: Verdict = Verdict.PASS) -> Look:
    return Look(seq, 0, 2, verdict, Cause.OK if verdict is Verdict.PASS else Cause.DEFECT)


def test_pictures_of_differing_parts_are_kept_within_the_budget(make_book: MakeBook) -> None:
    book, run, told = make_book(budget_mb=0.1)  # two of them
    book.write(look(1), Inspection(1, Cause.OK), PICTURE)
    for seq in (2, 3, 4):
        book.write(look(seq), Inspection(seq, Cause.DEFECT, DEFECT), PICTURE)
    book.write(look(5), Inspection(5, Cause.MODEL_ERROR, reason="broken"), PICTURE)
    lines = read_shadow_log(run).lines
    assert [bool(lines[seq].picture) for seq in (1, 2, 3, 4, 5)] == [False, True, True, True, False]
    assert [path.name for path in sorted((run / "shadow").iterdir())] == ["00000003.png", "00000004.png"]
    assert told == []


def test_it_is_judged_as_the_line_judges(make_book: MakeBook) -> None:
    book, run, _ = make_book()
    book.write(look(1), Inspection(1, Cause.OK, DEFECT), PICTURE)
    book.write(look(2), None, None, "slot 3 holds generation 8, asked for 2")
    lines = read_shadow_log(run).lines
    assert (lines[1].verdict, lines[1].cause) == (Verdict.REJECT, Cause.MODEL_ERROR)
    assert (lines[2].verdict, lines[2].cause, lines[2].both_judged) == (None, None, False)


def test_what_cannot_be_written_is_told_once(make_book: MakeBook) -> None:
    book, run, told = make_book(floor_mb=1e9)
    for seq in (1, 2, 3):
        book.write(look(seq), Inspection(seq, Cause.DEFECT, DEFECT), PICTURE)
    assert [text.partition(":")[0] for text in told] == ["pictures are not kept", "its log is not written"]
    assert read_shadow_log(run).lines == {}


def test_an_output_that_is_no_folder_is_told(make_book: MakeBook) -> None:
    book, run, told = make_book()
    run.parent.write_text("a file")
    book.write(look(1), Inspection(1, Cause.OK), PICTURE)
    assert len(told) == 1 and "its log is not written" in told[0]
    assert not (run / SHADOW_LOG).exists()
