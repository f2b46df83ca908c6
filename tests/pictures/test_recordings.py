"""Reading recordings: times, torn ends, missing pictures, plain folders."""

import json
from pathlib import Path

import numpy as np
import pytest

from linewatch.core.errors import StorageError
from linewatch.pictures.recording import frame_file, open_recording
from linewatch.pictures.write import write_png

GREY = np.arange(64, dtype=np.uint8).reshape(8, 8)


def line(seq: int, file: str | None = "", **more: object) -> str:
    name = frame_file(seq) if file == "" else file
    return json.dumps({"seq": seq, "t_ns": seq * 1000, "counter": seq + 7, "file": name, **more}) + "\n"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "frames").mkdir()
    for seq in (1, 2, 3):
        write_png(tmp_path / frame_file(seq), GREY)
    (tmp_path / "triggers.jsonl").write_text(line(1) + line(2) + line(3))
    return tmp_path


def test_entries_carry_seq_time_counter_and_picture(folder: Path) -> None:
    recording = open_recording(folder)
    assert [(one.seq, one.t_trigger_ns, one.counter) for one in recording.entries] == [
        (1, 1000, 8),
        (2, 2000, 9),
        (3, 3000, 10),
    ]
    assert recording.entries[2].path == folder / "frames/00000003.png"
    assert recording.has_times
    assert recording.station is None
    assert recording.notes == ()


def test_torn_last_line_is_left_out_with_a_note(folder: Path) -> None:
    with (folder / "triggers.jsonl").open("a") as file:
        file.write(line(4)[:20])
    recording = open_recording(folder)
    assert len(recording.entries) == 3
    assert "torn" in recording.notes[0]


def test_missing_picture_is_named_with_its_line(folder: Path) -> None:
    (folder / frame_file(2)).unlink()
    with pytest.raises(StorageError, match=r"line 2: 'frames/00000002\.png': names a picture that is missing"):
        open_recording(folder)


def test_trigger_without_picture_is_an_entry_with_its_reason(folder: Path) -> None:
    (folder / "triggers.jsonl").write_text(line(1) + line(2, None, reason="no_frame"))
    entry = open_recording(folder).entries[1]
    assert entry.path is None
    assert entry.reason == "no_frame"


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("nonsense\n" + line(2), "line 1: is no trigger"),
        (line(1) + '{"seq": "two"}\n' + line(3), "line 2: is no trigger"),
        (line(2) + line(1), "line 2: 1: seq must rise"),
        (line(1, "../../etc/passwd"), "outside the recording"),
        (line(1, "/etc/passwd"), "outside the recording"),
        ("", "holds no trigger"),
    ],
)
def test_damage_names_the_line(folder: Path, text: str, reason: str) -> None:
    (folder / "triggers.jsonl").write_text(text)
    with pytest.raises(StorageError, match=reason):
        open_recording(folder)


def test_plain_folder_is_a_recording_without_times(tmp_path: Path) -> None:
    for name in ("b.png", "a.png"):
        write_png(tmp_path / name, GREY)
    recording = open_recording(tmp_path)
    assert [(one.seq, one.path.name if one.path else "") for one in recording.entries] == [(1, "a.png"), (2, "b.png")]
    assert not recording.has_times
