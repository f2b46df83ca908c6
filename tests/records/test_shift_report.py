"""The report of a shift, from real run folders: whose parts count, what it shows, and what it refuses to lose."""

import resource
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest

import linewatch
from linewatch.cli import main
from linewatch.core.errors import CheckFailed, StorageError, UsageError
from linewatch.core.messages import Note, Verdict
from linewatch.core.shifts import Shifts, Span
from linewatch.core.station import Alarms
from linewatch.records.run_folder import RunFolder
from linewatch.records.shift import read_shift
from linewatch.records.shift_command import Wanted, span_of
from linewatch.records.shift_report import Heading, write_shift_report

Make = Callable[..., Any]
PROJECT = Path(linewatch.__file__).parent.parent
SHIFTS = Shifts(time_zone="Europe/Berlin")
NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
OPTIONS = ("--shift", "2026-10-24/night", "--time-zone", "Europe/Berlin")


@pytest.fixture
def night() -> Span:
    """The nine hours in which the clock is put back: 20:00 to 05:00 UTC."""
    return SHIFTS.on(date(2026, 10, 24), "night")


@pytest.fixture
def record_at(make_record: Make) -> Make:
    """A record of a part that was decided at a time given in UTC."""

    def at(time: str, seq: int, verdict: Verdict = Verdict.REJECT, **more: Any) -> Any:
        return msgspec.structs.replace(make_record(seq, verdict, **more), wall=f"{time}:00.000+00:00")

    return at


@pytest.fixture
def runs(tmp_path: Path, record_at: Make, make_noise: Make) -> Path:
    """Two runs: one part before the night, five in it (one of them not logged), one after it."""
    output = tmp_path / "runs"
    first = RunFolder(output / "20261024T190000-aaaaaa")
    first.record(record_at("2026-10-24T19:59", 1), make_noise(1))
    first.record(record_at("2026-10-24T20:00", 2), make_noise(2))
    first.record(record_at("2026-10-24T23:30", 4, Verdict.PASS), None)
    first.note(Note("alarm", "of another night: <b>"))
    first.close()
    second = RunFolder(output / "20261025T000000-bbbbbb")
    second.record(record_at("2026-10-25T00:30", 1, cause="timeout", reason="<script>alert(1)</script>"), None)
    second.record(record_at("2026-10-25T04:59", 2, label="<img src=x>"), make_noise(3))
    second.record(record_at("2026-10-25T05:00", 3), make_noise(4))
    second.close()
    return output


def test_only_the_parts_of_the_shift_count_whichever_runs_it_had(runs: Path, night: Span) -> None:
    shift = read_shift(runs, night)
    summary = shift.tally.summary("", "")
    assert (summary.decided, summary.passed, summary.rejected, summary.failsafe) == (4, 1, 3, 1)
    assert summary.classes == {"crack": 1, "<img src=x>": 1}
    assert shift.missing == 1
    assert [(one.run.name[-6:], one.line.seq) for one in shift.rejects] == [("aaaaaa", 2), ("bbbbbb", 1), ("bbbbbb", 2)]
    assert [step.parts for step in shift.trend.steps if step.parts] == [1, 1, 1, 1]
    assert len(shift.trend.steps) == 54


def test_a_run_folder_alone_can_be_reported_on(runs: Path, night: Span) -> None:
    assert read_shift(runs / "20261025T000000-bbbbbb", night).tally.summary("", "").decided == 2


def test_the_page_shows_every_reject_and_says_why_one_has_no_picture(runs: Path, night: Span, tmp_path: Path) -> None:
    (runs / "20261024T190000-aaaaaa/frames/00000002.png").unlink()
    (runs / "20261025T000000-bbbbbb/frames/00000002.png").write_bytes(b"\x89PNG damaged")
    for crop in (runs / "20261025T000000-bbbbbb/crops").iterdir():
        crop.write_bytes(b"")
    page, paper = write_shift_report(read_shift(runs, night), Heading("s", Alarms()), tmp_path / "new" / "r.html")
    text = page.read_text()
    assert text.count("<article") == 3
    for expected in (
        "its file is gone or damaged", "the camera gave none", "alarm above 25.00%", "1 parts were decided and are not",
        "2026-10-24 22:00 (UTC+02:00) to 2026-10-25 06:00 (UTC+01:00), Europe/Berlin, 9 h", "&lt;script&gt;alert(1)",
    ):  # fmt: skip
        assert expected in text
    assert "<script" not in text
    assert "<img src=x" not in text  # neither in the tables nor in the chart
    assert text.count("&lt;img src=x&gt;") > 3
    assert paper.read_bytes().startswith(b"%PDF-")


def test_pictures_are_in_the_page_and_lead_to_their_files(runs: Path, night: Span, tmp_path: Path) -> None:
    (page,) = write_shift_report(read_shift(runs, night), Heading("s", None), runs / "r.html", paper=False)
    text = page.read_text()
    assert text.count('href="data:image/jpeg;base64,') == 2
    assert 'href="20261025T000000-bbbbbb/frames/00000002.png"' in text
    assert "without the limits of its alarms" in text
    assert not (tmp_path / "runs" / "r.pdf").exists()


@pytest.mark.slow
def test_rejects_beyond_the_cards_are_listed(tmp_path: Path, record_at: Make, night: Span) -> None:
    run = RunFolder(tmp_path / "run")
    for seq in range(1, 2004):
        run.record(record_at("2026-10-24T22:10", seq, cause="timeout", reason="late"), None)
    run.close()
    shift = read_shift(tmp_path / "run", night)
    (page,) = write_shift_report(shift, Heading("", None), tmp_path / "r.html", paper=False)
    text = page.read_text()
    assert text.count("<article") == 2000
    assert "run #2003" in text


def test_a_shift_without_rejects_has_a_report(tmp_path: Path, record_at: Make, night: Span) -> None:
    run = RunFolder(tmp_path / "run")
    run.record(record_at("2026-10-24T22:10", 1, Verdict.PASS), None)
    run.close()
    shift, target = read_shift(tmp_path / "run", night), tmp_path / "r.html"
    (page,) = write_shift_report(shift, Heading("", Alarms()), target, paper=False)
    assert "No part was rejected" in page.read_text()


def test_an_empty_shift_says_where_parts_are(runs: Path) -> None:
    with pytest.raises(CheckFailed, match=r"no part was decided from 2026-10-25 14:00 .* parts from 2026-10-24 21"):
        read_shift(runs, SHIFTS.on(date(2026, 10, 25), "late"))
    with pytest.raises(StorageError, match="holds no run"):
        read_shift(runs.parent, SHIFTS.on(date(2026, 10, 25), "late"))


def test_parts_without_a_time_of_day_are_said(tmp_path: Path, make_record: Make, night: Span) -> None:
    run = RunFolder(tmp_path / "run")
    run.record(msgspec.structs.replace(make_record(1), wall=""), None)
    run.close()
    with pytest.raises(CheckFailed, match="1 parts have no time of day"):
        read_shift(tmp_path / "run", night)


def test_a_log_of_another_version_stops_the_report_and_the_older_one_stays(
    runs: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    older = tmp_path / "r.html"
    older.write_text("older")
    for log in (runs / "20261025T000000-bbbbbb").glob("decisions.*"):
        log.write_bytes(b'{"version": 99}\n')
    assert main(["report", str(runs), *OPTIONS, "--output", str(older)]) == StorageError.exit_code
    said = capsys.readouterr().err
    assert said.count("\n") == 1
    assert "20261025T000000-bbbbbb/decisions." in said
    assert older.read_text() == "older"


def test_a_damaged_run_of_another_month_stops_nothing(runs: Path, night: Span) -> None:
    for name in ("20260801T000000-cccccc", "20261115T000000-dddddd"):
        RunFolder(runs / name).close()
        for log in (runs / name).glob("decisions.*"):
            log.write_bytes(b"rubbish\n")
    RunFolder(runs / "20260901T000000-eeeeee").close()
    assert read_shift(runs, night).tally.summary("", "").decided == 4


@pytest.mark.slow
def test_a_disk_that_takes_no_more_costs_one_line_and_the_older_report_stays(runs: Path, tmp_path: Path) -> None:
    older = tmp_path / "r.html"
    older.write_text("older")
    command = [sys.executable, "-m", "linewatch", "report", str(runs), *OPTIONS, "--output", str(older), "--no-pdf"]
    done = subprocess.run(
        command, capture_output=True, text=True, check=False, cwd=PROJECT,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, 20_000)),
    )  # fmt: skip
    assert (done.returncode, done.stderr) == (5, f"linewatch: {older}: File too large\n")
    assert older.read_text() == "older"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["r.html", "runs"]


@pytest.mark.slow
@pytest.mark.usefixtures("runs")
def test_the_command_writes_page_and_paper_by_the_station_s_shifts(
    station_file: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    path = station_file()
    path.write_text(path.read_text() + "\nshifts: {time_zone: Europe/Berlin, starts: {x: '22:00', y: '06:00'}}\n")
    monkeypatch.chdir(tmp_path)
    assert main(["report", "--station", str(path), "--shift", "2026-10-24/x"]) == 0
    assert "written: reports/bottle-sim-2026-10-24-x.html" in capsys.readouterr().out
    assert (tmp_path / "reports" / "bottle-sim-2026-10-24-x.pdf").is_file()


@pytest.mark.parametrize(
    ("wanted", "said"),
    [
        ({}, "--shift: give either"),
        ({"shift": "2026-11-22/early", "begin": "2026-11-22"}, "--shift: give either"),
        ({"shift": "2026-02-30/early"}, "day is out of range for month"),
        ({"shift": "20260201/early"}, "must begin with a date"),
        ({"shift": "2026-11-22/noon"}, "one of the shifts early, late, night"),
        ({"shift": "9999-12-31/night"}, "is no date"),
        ({"shift": "2026-11-24/early"}, "lies in the future: 2026-11-24 06:00"),
        ({"begin": "2026-11-22"}, "belong together"),
        ({"begin": "yesterday", "end": "2026-11-22"}, "--from: 'yesterday': must be a time"),
        ({"begin": "2026-11-22T06:00", "end": "2026-11-22T06:00"}, "must be later than --from"),
        ({"shift": "2026-11-22/early", "time_zone": "CEST/x"}, "--time-zone: 'CEST/x': is no time zone"),
        ({"shift": "2026-11-22/early", "starts": "early"}, "must be names with times"),
    ],
)
def test_wrong_times_get_one_line_that_names_them(wanted: dict[str, str], said: str) -> None:
    with pytest.raises(UsageError) as refused:
        span_of(Wanted(**wanted), SHIFTS, NOW)
    assert said in str(refused.value)


def test_the_trend_of_a_year_has_no_more_steps_than_can_be_read(tmp_path: Path, record_at: Make) -> None:
    run = RunFolder(tmp_path / "run")
    for seq, time in enumerate(("2025-11-01T00:00", "2026-10-31T00:00"), start=1):
        run.record(record_at(time, seq, Verdict.PASS), None)
    run.close()
    span = span_of(Wanted(begin="2025-11-01T00:00Z", end="2026-11-01T00:00Z"), SHIFTS, NOW)
    steps = read_shift(tmp_path / "run", span).trend.steps
    assert 150 < len(steps) <= 200
    assert sum(step.parts for step in steps) == 2


def test_a_time_is_read_by_the_clock_that_counts() -> None:
    span = span_of(Wanted(begin="2026-07-01T06:00", end="2026-07-01T06:00Z"), SHIFTS, NOW)
    assert span.end - span.begin == timedelta(hours=2)


def test_current_and_last_are_the_shifts_now_and_before() -> None:
    current, last = (span_of(Wanted(shift=word), SHIFTS, NOW) for word in ("current", "last"))
    assert (current.name, last.name, last.end) == ("early", "night", current.begin)
