"""Whole replays over small folders, with a detector of a few lines."""

import json
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from linewatch.core.errors import DatasetError, StationError, StorageError, UsageError
from linewatch.records.decision_log import DecisionLine, read_decisions
from linewatch.replay.run import replay

Pictures = Callable[[str], Path]
Recording = Callable[[list[tuple[int, str | None]]], Path]


def lines(output: Path) -> list[DecisionLine]:
    return list(read_decisions(output))


def without_times(output: Path) -> list[dict[str, Any]]:
    read = [json.loads(line) for line in (output / "decisions.jsonl").read_text().splitlines()]
    return [{key: value for key, value in line.items() if key != "times"} for line in read]


def test_a_plain_folder_gives_one_decision_a_picture_in_order_of_names(
    pictures: Pictures, station_file: Path, tmp_path: Path, spot_replay: ModuleType
) -> None:
    folder, output = pictures("gbg"), tmp_path / "out"
    summary = replay(folder, station_file, output=output, detector=spot_replay.Spots())
    found = lines(output)
    assert [(line.seq, line.source, line.verdict.value) for line in found] == [
        (1, "001_g.png", "PASS"),
        (2, "002_b.png", "REJECT"),
        (3, "003_g.png", "PASS"),
    ]
    assert [line.times.t_trigger_ns for line in found] == [25_000_000, 50_000_000, 75_000_000]
    assert (summary.decided, summary.passed, summary.classes, summary.complete) == (3, 2, {"spot": 1}, True)
    assert summary.exit_code == 0
    assert (output / found[1].crops[0]).is_file()
    assert "defect" in (output / "report.html").read_text()


def test_pictures_in_doubt_are_named_rejects_and_the_replay_goes_on(
    pictures: Pictures, station_file: Path, tmp_path: Path, spot_replay: ModuleType
) -> None:
    output = tmp_path / "out"
    summary = replay(pictures("txwg"), station_file, output=output, detector=spot_replay.Spots())
    found = lines(output)
    assert [line.cause.value for line in found] == ["incomplete_frame", "model_error", "incomplete_frame", "ok"]
    assert "cut short" in found[0].reason
    assert "broken" in found[1].reason
    assert "picture is 49 x 32 grey" in found[2].reason
    assert (summary.failsafe, summary.passed) == (3, 1)


def test_recorded_times_and_counters_are_the_decisions_times_and_counters(
    recording: Recording, station_file: Path, tmp_path: Path, spot_replay: ModuleType
) -> None:
    folder = recording([(5_000, "g"), (5_040, None), (90_000, "b")])
    output = tmp_path / "out"
    replay(folder, station_file, output=output, detector=spot_replay.Spots(largest=4))
    found = lines(output)
    assert [line.cause.value for line in found] == ["ok", "no_frame", "defect"]
    assert [line.counter for line in found] == [41, 42, 43]
    assert [line.times.t_trigger_ns for line in found] == [5_000_000_000, 5_040_000_000, 90_000_000_000]
    assert found[1].reason == "gone"
    assert found[2].source == "frames/00000003.png"


def test_triggers_closer_than_the_minimum_gap_are_noted(
    recording: Recording, station_file: Path, tmp_path: Path, spot_replay: ModuleType
) -> None:
    output = tmp_path / "out"
    replay(recording([(100, "g"), (110, "g")]), station_file, output=output, detector=spot_replay.Spots())
    assert "min_gap" in (output / "events.jsonl").read_text()


def test_batch_size_and_pace_change_no_decision(
    pictures: Pictures, station_file: Path, tmp_path: Path, spot_replay: ModuleType
) -> None:
    folder = pictures("gbtgbbg")
    runs = (("one", 1, "fast"), ("four", 4, "fast"), ("again", 4, "fast"), ("slow", 4, "recorded"))
    for name, largest, pace in runs:
        replay(folder, station_file, output=tmp_path / name, pace=pace, detector=spot_replay.Spots(largest))  # type: ignore[arg-type]
    assert without_times(tmp_path / "one") == without_times(tmp_path / "four") == without_times(tmp_path / "slow")
    four, again = ((tmp_path / name / "decisions.jsonl").read_bytes() for name in ("four", "again"))
    assert four == again


def test_progress_counts_every_part(
    pictures: Pictures, station_file: Path, tmp_path: Path, spot_replay: ModuleType
) -> None:
    seen: list[tuple[int, int]] = []
    replay(
        pictures("ggg"),
        station_file,
        output=tmp_path / "out",
        progress=lambda done, total: seen.append((done, total)),
        detector=spot_replay.Spots(),
    )
    assert seen == [(1, 3), (2, 3), (3, 3)]


def test_truth_gives_false_rejects_and_escapes_with_intervals(
    pictures: Pictures, station_file: Path, tmp_path: Path, spot_replay: ModuleType
) -> None:
    folder, output = pictures("ggbbt"), tmp_path / "out"
    bad = [{"id": n, "file_name": name} for n, name in enumerate(("001_g.png", "003_b.png"))]
    good = [{"id": n, "file_name": name} for n, name in enumerate(("002_g.png", "004_b.png", "005_t.png", "other.png"))]
    (tmp_path / "bad.json").write_text(json.dumps({"images": bad, "annotations": [{"image_id": 0}, {"image_id": 1}]}))
    (tmp_path / "good.json").write_text(json.dumps({"images": good, "annotations": []}))
    truth = [tmp_path / "bad.json", tmp_path / "good.json"]
    summary = replay(folder, station_file, output=output, truth=truth, detector=spot_replay.Spots())
    assert summary.truth is not None
    assert summary.truth.escape_files == ("001_g.png",)
    assert summary.truth.false_reject_files == ("004_b.png", "005_t.png")
    assert summary.truth.fail_safe_good == 1
    written = json.loads((output / "summary.json").read_text())
    assert written["truth"]["escapes"]["count"] == 1
    assert written["truth"]["escapes"]["total"] == 2
    assert 0 < written["truth"]["escapes"]["low"] < 0.5 < written["truth"]["escapes"]["high"] < 1


def test_only_the_listed_pictures_are_played_and_the_absent_are_named(
    pictures: Pictures, station_file: Path, tmp_path: Path, spot_replay: ModuleType
) -> None:
    only, output = tmp_path / "only.txt", tmp_path / "out"
    only.write_text("003_g.png\n001_g.png\n999_g.png\n")
    summary = replay(pictures("gbgb"), station_file, output=output, only=only, detector=spot_replay.Spots())
    assert [line.source for line in lines(output)] == ["001_g.png", "003_g.png"]
    assert summary.notes == ("1 of 3 wanted pictures are not in the folder: 999_g.png",)


def test_the_limit_takes_the_first_parts(
    pictures: Pictures, station_file: Path, tmp_path: Path, spot_replay: ModuleType
) -> None:
    summary = replay(pictures("gggg"), station_file, output=tmp_path / "out", limit=2, detector=spot_replay.Spots())
    assert (summary.decided, summary.planned, summary.complete) == (2, 2, True)


def test_a_used_output_folder_is_refused_and_left_alone(
    pictures: Pictures, station_file: Path, tmp_path: Path, spot_replay: ModuleType
) -> None:
    folder, output = pictures("g"), tmp_path / "out"
    replay(folder, station_file, output=output, detector=spot_replay.Spots())
    before = {path: path.read_bytes() for path in output.rglob("*") if path.is_file()}
    with pytest.raises(StorageError, match="not empty"):
        replay(folder, station_file, output=output, detector=spot_replay.Spots())
    assert {path: path.read_bytes() for path in output.rglob("*") if path.is_file()} == before


def test_what_cannot_be_played_is_refused_before_anything_is_written(
    pictures: Pictures, recording: Recording, station_file: Path, tmp_path: Path, spot_replay: ModuleType
) -> None:
    spots, output = spot_replay.Spots(), tmp_path / "out"
    empty = tmp_path / "empty"
    empty.mkdir()
    only = tmp_path / "only.txt"
    only.write_text("nothing.png\n")
    folder = pictures("g")
    with pytest.raises(StorageError, match="no picture"):
        replay(empty, station_file, output=output, detector=spots)
    with pytest.raises(StorageError, match="wanted"):
        replay(folder, station_file, output=output, only=only, detector=spots)
    with pytest.raises(StorageError, match="seq 2"):
        replay(recording([(20, "g"), (10, "g")]), station_file, output=output, detector=spots)
    with pytest.raises(UsageError, match="limit"):
        replay(folder, station_file, output=output, limit=0, detector=spots)
    with pytest.raises(DatasetError, match="COCO"):
        replay(folder, station_file, output=output, truth=[station_file], detector=spots)
    station_file.write_text(station_file.read_text().replace('"*"', "cork").replace("'*'", "cork"))
    with pytest.raises(StationError, match="cork"):
        replay(folder, station_file, output=output, detector=spots)
    assert not output.exists()
