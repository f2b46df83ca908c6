"""One recording through two stations: every changed verdict is told, with its picture, and nothing else is."""

import json
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import pytest
import yaml
from typer.testing import CliRunner

from linewatch.cli.app import app
from linewatch.core.errors import StorageError
from linewatch.replay.changes import CHANGES, CHANGES_PAGE, find_changes
from linewatch.replay.comparing import replay_both

Pictures = Callable[[str], Path]


@pytest.fixture
def lenient(station_file: Path, tmp_path: Path) -> Path:
    document = yaml.safe_load(station_file.read_text())
    document["name"], document["acceptance"][0]["min_score"] = "lenient", 0.95
    path = tmp_path / "lenient.yaml"
    path.write_text(yaml.safe_dump(document))
    return path


def test_every_changed_verdict_is_told_with_both_pictures(
    pictures: Pictures, station_file: Path, lenient: Path, tmp_path: Path, spot_replay: ModuleType
) -> None:
    output, both = tmp_path / "out", (spot_replay.Spots(), spot_replay.Spots())
    changes, code = replay_both(pictures("gbtb"), (station_file, lenient), output=output, detectors=both)
    assert (changes.compared, changes.alone, code) == (4, 0, 0)
    assert [(change.source, change.now_passes) for change in changes.changed] == [
        ("002_b.png", True), ("004_b.png", True),
    ]  # fmt: skip
    told = [json.loads(line) for line in (output / CHANGES).read_text().splitlines()]
    assert [(change["before"]["verdict"], change["after"]["verdict"]) for change in told] == [("REJECT", "PASS")] * 2
    page = (output / CHANGES_PAGE).read_text()
    assert page.count("data:image/jpeg") == 4 and "2 of 4 verdicts changed" in page and "lenient" in page
    assert (output / "before/report.html").is_file() and (output / "after/decisions.jsonl").is_file()


def test_the_same_station_twice_changes_nothing(
    pictures: Pictures, station_file: Path, tmp_path: Path, spot_replay: ModuleType
) -> None:
    both = (spot_replay.Spots(), spot_replay.Spots())
    changes, _ = replay_both(pictures("gbx"), (station_file, station_file), output=tmp_path / "out", detectors=both)
    assert (changes.compared, changes.changed) == (3, ())
    assert (tmp_path / "out" / CHANGES).read_text() == ""


def test_parts_of_only_one_are_counted(
    pictures: Pictures, station_file: Path, tmp_path: Path, spot_replay: ModuleType
) -> None:
    output, both = tmp_path / "out", (spot_replay.Spots(), spot_replay.Spots())
    replay_both(pictures("gb"), (station_file, station_file), output=output, detectors=both)
    log = output / "after/decisions.jsonl"
    log.write_text(log.read_text().splitlines(keepends=True)[0])
    changes = find_changes(output / "before", output / "after")
    assert (changes.compared, changes.alone) == (1, 1)


def test_another_recording_is_refused_by_name(
    pictures: Pictures, station_file: Path, tmp_path: Path, spot_replay: ModuleType
) -> None:
    output, both = tmp_path / "out", (spot_replay.Spots(), spot_replay.Spots())
    replay_both(pictures("gb"), (station_file, station_file), output=output, detectors=both)
    log = output / "after/decisions.jsonl"
    log.write_text(log.read_text().replace("001_g", "009_g"))
    with pytest.raises(StorageError, match=r"part 1 is 009_g\.png here"):
        find_changes(output / "before", output / "after")


def test_a_used_folder_is_refused_before_anything_is_played(
    pictures: Pictures, station_file: Path, tmp_path: Path
) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "out/mine.txt").write_text("kept")
    arguments = [str(pictures("g")), "--station", str(station_file), "--compare", str(station_file)]
    ended = CliRunner().invoke(app, ["replay", *arguments, "--output", str(tmp_path / "out")])
    assert isinstance(ended.exception, StorageError) and "is not empty" in str(ended.exception)
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["mine.txt"]
