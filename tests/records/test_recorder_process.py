"""The recorder process: what it keeps, what it drops and says so, and what a kill at any instant leaves."""

import contextlib
import json
import os
import signal
import sqlite3
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from linewatch.core.channel import ChannelClosed
from linewatch.core.curve import new_pair
from linewatch.core.keyfiles import read_secret
from linewatch.core.keyring import Keyring
from linewatch.core.messages import Health, Logged, Note, Ready, Verdict
from linewatch.pictures.read import read_picture
from linewatch.pictures.recording import open_recording
from linewatch.records.audit import verify
from linewatch.records.command import record_command
from linewatch.records.decision_log import has_log, read_decisions
from linewatch.records.summary import read_summary

Start = Callable[..., Any]
Make = Callable[..., Any]


def lines_of(run: Path) -> list[Any]:
    return list(read_decisions(run))


def count(run: Path) -> int:
    return len(lines_of(run)) if has_log(run) else 0


def until(condition: Callable[[], bool], patience_s: float = 60) -> bool:
    give_up = time.monotonic() + patience_s
    while not condition():
        if time.monotonic() > give_up:
            return False
        time.sleep(0.02)
    return True


def test_a_reject_leaves_line_crop_and_frame(
    warm_recorder: Start, make_record: Make, make_noise: Make, output: Path
) -> None:
    recorder = warm_recorder()
    picture = make_noise(1)
    recorder.send(make_record(1), picture)
    recorder.send(make_record(2, Verdict.PASS), make_noise(2))
    code, said = recorder.stop()
    assert (code, said.count("\n")) == (0, said.count("decision_log_tip"))
    assert verify(output / "run-1").tip.hash in said, "the journal is a witness of its own"
    first, second = lines_of(output / "run-1")
    assert (first.crops, first.frame, first.picture) == (("crops/00000001_crack_1.png",), "frames/00000001.png", "kept")
    assert np.array_equal(read_picture(output / "run-1" / first.frame), picture)
    assert (second.crops, second.frame, second.picture) == ((), None, "unwanted")
    summary = read_summary(output / "run-1")
    assert summary is not None
    assert (summary.decided, summary.passed, summary.rejected, summary.missing) == (2, 1, 1, 0)
    assert (summary.classes, summary.interrupted, summary.station) == ({"crack": 1}, False, "bottle-sim")


def test_everything_sent_before_stop_is_written(warm_recorder: Start, make_record: Make, output: Path) -> None:
    recorder = warm_recorder()
    for seq in range(1, 501):
        recorder.send(make_record(seq, Verdict.PASS))
    assert recorder.stop()[0] == 0
    assert [line.seq for line in lines_of(output / "run-1")] == list(range(1, 501))


def test_a_recorder_that_falls_behind_drops_pictures_and_says_so(
    warm_recorder: Start, make_record: Make, make_noise: Make, output: Path
) -> None:
    recorder = warm_recorder(slots=300)
    os.kill(recorder.process.pid, signal.SIGSTOP)
    for seq in range(1, 201):
        recorder.send(make_record(seq), make_noise(seq))
    os.kill(recorder.process.pid, signal.SIGCONT)
    note = recorder.wait_for(Note, lambda note: note.kind == "recorder_behind")
    assert "pictures are dropped" in note.text
    recorder.wait_for(Note, lambda note: note.kind == "recorder_caught_up")
    recorder.stop()
    states = [line.picture for line in lines_of(output / "run-1")]
    assert len(states) == 200
    assert states.count("dropped") > 100
    assert states[-1] == "kept"


def test_a_frame_overwritten_before_it_was_read_is_gone_not_another(
    warm_recorder: Start, make_record: Make, make_noise: Make, output: Path
) -> None:
    recorder = warm_recorder(slots=2)
    os.kill(recorder.process.pid, signal.SIGSTOP)
    for seq in range(1, 6):
        recorder.send(make_record(seq), make_noise(seq))
    os.kill(recorder.process.pid, signal.SIGCONT)
    recorder.stop()
    run = output / "run-1"
    assert [line.picture for line in lines_of(run)] == ["gone", "gone", "gone", "kept", "kept"]
    for seq in (4, 5):
        assert np.array_equal(read_picture(run / f"frames/{seq:08d}.png"), make_noise(seq))


def test_a_part_without_frame_is_absent(warm_recorder: Start, make_record: Make, output: Path) -> None:
    recorder = warm_recorder()
    recorder.send(make_record(1, cause="timeout", reason="no inspection came"))
    recorder.stop()
    (line,) = lines_of(output / "run-1")
    assert (line.picture, line.cause.value, line.reason) == ("absent", "timeout", "no inspection came")


def test_notes_reach_the_events_also_those_before_the_first_part(
    warm_recorder: Start, make_record: Make, output: Path
) -> None:
    recorder = warm_recorder()
    recorder.channel.send(Note("gap", "last seq of the run before: 7"))
    recorder.send(make_record(1))
    recorder.channel.send(Note("late", "late inspection", 1))
    recorder.stop()
    events = [json.loads(line) for line in (output / "run-1/events.jsonl").read_text().splitlines()]
    assert [(event["kind"], event["seq"]) for event in events] == [("gap", 0), ("late", 1)]


@pytest.mark.parametrize("how", ["sigterm", "closed"])
def test_every_way_to_end_writes_what_has_come(warm_recorder: Start, make_record: Make, output: Path, how: str) -> None:
    recorder = warm_recorder()
    for seq in range(1, 51):
        recorder.send(make_record(seq, Verdict.PASS))
    if how == "sigterm":
        recorder.process.send_signal(signal.SIGTERM)
    else:
        recorder.channel.close()
    assert recorder.ended()[0] == 0
    assert len(lines_of(output / "run-1")) == 50
    assert read_summary(output / "run-1") is not None


def test_after_a_kill_the_next_start_repairs_and_removes_orphans(
    warm_recorder: Start, make_record: Make, make_noise: Make, output: Path
) -> None:
    recorder = warm_recorder()
    for seq in (1, 2, 3):
        recorder.send(make_record(seq), make_noise(seq))
    run = output / "run-1"
    assert until(lambda: count(run) == 3)
    recorder.kill()
    with (run / "decisions.sqlite-wal").open("ab") as file:  # as a kill inside the writing of part 4 leaves it
        file.write(b'{"seq":4,"source":"part-4","ver' * 100)
    (run / "frames/00000004.png").write_bytes(b"orphan")
    (run / "crops/00000004_crack_1.png.new").write_bytes(b"half")
    (run / "frames/notes.txt").write_text("not ours")
    warm_recorder().stop()
    assert [line.seq for line in lines_of(run)] == [1, 2, 3]
    assert verify(run).tip.number == 3
    assert not list(run.glob("decisions.sqlite-*")), "a closed log is one plain file"
    assert sorted(path.name for path in (run / "frames").iterdir()) == [
        "00000001.png",
        "00000002.png",
        "00000003.png",
        "notes.txt",
    ]
    assert len(list((run / "crops").iterdir())) == 3
    summary = read_summary(run)
    assert summary is not None
    assert (summary.interrupted, summary.decided) == (True, 3)


@pytest.mark.slow
def test_a_recorder_killed_at_work_never_leaves_a_record_without_its_picture(
    warm_recorder: Start, make_record: Make, make_noise: Make, output: Path
) -> None:
    """Kill it while pictures stream in; each line on the disk, torn end aside, names only pictures that are whole."""
    run = output / "run-1"
    for turn in range(3):
        recorder = warm_recorder()
        logged = count(run)
        for seq in range(12 * turn + 1, 12 * turn + 13):
            recorder.send(make_record(seq), make_noise(seq))
        assert until(lambda before=logged: count(run) > before)  # type: ignore[misc]
        recorder.kill()
        for line in lines_of(run):
            assert line.picture == "kept"
            for name in (*line.crops, line.frame):
                assert read_picture(run / name).size
    warm_recorder().stop()
    lines = lines_of(run)
    named = {name for line in lines for name in (*line.crops, line.frame)}
    there = {path.relative_to(run).as_posix() for kind in ("crops", "frames") for path in (run / kind).iterdir()}
    assert named == there
    assert len({line.seq for line in lines}) == len(lines)


def test_a_recorder_restarted_within_a_run_continues_its_log(
    warm_recorder: Start, make_record: Make, output: Path
) -> None:
    first = warm_recorder()
    first.send(make_record(1, Verdict.PASS))
    assert until(lambda: count(output / "run-1") == 1)
    first.kill()
    second = warm_recorder()
    second.send(make_record(2))
    second.stop()
    summary = read_summary(output / "run-1")
    assert summary is not None
    assert (summary.decided, summary.passed, summary.last_seq, summary.interrupted) == (2, 1, 2, False)


def test_health_comes_while_idle_and_progress_counts(warm_recorder: Start, make_record: Make) -> None:
    recorder = warm_recorder()
    recorder.send(make_record(1))
    assert recorder.wait_for(Health, lambda health: health.progress == 1).child == "recorder"


def test_a_broken_disk_never_ends_the_process(
    warm_recorder: Start, make_record: Make, make_noise: Make, output: Path
) -> None:
    """Somebody removes the run's picture folder: pictures are refused and told, lines go on, then pictures again."""
    recorder = warm_recorder()
    run = output / "run-1"
    recorder.send(make_record(1), make_noise(1))
    assert until(lambda: (run / "frames/00000001.png").exists())
    (run / "frames").rename(run / "moved")
    recorder.send(make_record(2), make_noise(2))
    assert "No such file" in recorder.wait_for(Note, lambda note: note.kind == "pictures_refused").text
    (run / "moved").rename(run / "frames")
    recorder.send(make_record(3), make_noise(3))
    recorder.wait_for(Note, lambda note: note.kind == "pictures_kept_again")
    assert recorder.stop()[0] == 0
    assert [line.picture for line in lines_of(run)] == ["kept", "refused", "kept"]


@pytest.mark.parametrize("run", ["../escape", "a/b", ".hidden", ""])
def test_a_run_that_is_no_folder_name_is_refused(
    warm_recorder: Start, make_record: Make, output: Path, run: str
) -> None:
    recorder = warm_recorder()
    recorder.send(make_record(1, run=run))
    code, said = recorder.ended()
    assert (code, said.count("\n")) == (5, 1)
    assert "no name for a run folder" in said
    assert [path.name for path in output.iterdir()] == [".recorder.lock"]


@pytest.mark.slow
def test_the_station_s_key_chains_the_log_and_one_that_others_can_read_is_refused(
    warm_recorder: Start, start_recorder: Start, make_record: Make, output: Path, tmp_path: Path
) -> None:
    secret, _ = Keyring(tmp_path / "keys").add("audit", *new_pair())
    recorder = warm_recorder(audit_key=str(secret))
    recorder.send(make_record(1))
    assert recorder.stop()[0] == 0
    assert verify(output / "run-1", key=read_secret(secret)).header.hash == "hmac-sha256"
    secret.chmod(0o644)
    code, said = start_recorder(audit_key=str(secret)).ended()
    assert (code, said.count("\n"), "others can read this secret" in said) == (3, 1, True)


@pytest.mark.slow
def test_a_log_that_cannot_be_opened_ends_the_recorder_and_nothing_is_confirmed(
    warm_recorder: Start, make_record: Make, output: Path
) -> None:
    """The controller keeps what is not confirmed, and starts the recorder again: once the log works, all is in it."""
    recorder = warm_recorder()
    (output / "run-1").mkdir()
    with contextlib.closing(sqlite3.connect(output / "run-1/decisions.sqlite", isolation_level=None)) as other:
        other.execute("BEGIN EXCLUSIVE")
        recorder.send(make_record(1))
        code, said = recorder.ended()
        assert (code, said.count("\n")) == (5, 1)
        assert "decisions.sqlite: is locked by another process" in said
        with contextlib.suppress(ChannelClosed):
            recorder.seen.extend(recorder.channel.receive())
        assert not any(isinstance(one, Logged) for one in recorder.seen)
        other.execute("ROLLBACK")
    again = warm_recorder()
    for seq in (1, 2):
        again.send(make_record(seq))
    again.wait_for(Logged, lambda logged: logged.count == 2)
    assert again.stop()[0] == 0
    assert verify(output / "run-1").tip.number == 2


@pytest.mark.parametrize(
    ("storage", "arguments", "code", "words"),
    [
        ({"output": "/proc/linewatch"}, [], 5, "/proc/linewatch"),
        ({"output": "/dev/null/runs"}, [], 5, "/dev/null/runs: Not a directory"),
        ({"budget_mb": 0}, [], 3, "storage.budget_mb: 0"),
        ({}, ["--recording", "/dev/null/x"], 5, "/dev/null/x/frames: Not a directory"),
        ({}, ["--what"], 2, "unrecognized arguments: --what"),
    ],
)
def test_errors_at_start_are_one_line_with_their_exit_code(
    start_recorder: Start, storage: dict[str, object], arguments: list[str], code: int, words: str
) -> None:
    ended, errors = start_recorder(*arguments, **storage).ended()
    assert ended == code, errors
    assert errors.count("\n") == 1
    assert words in errors


@pytest.mark.slow
def test_a_second_recorder_on_the_same_output_is_refused(warm_recorder: Start, start_recorder: Start) -> None:
    first = warm_recorder()
    code, errors = start_recorder().ended()
    assert code == 5
    assert "is in use by another recorder" in errors
    assert first.process.poll() is None


def test_record_mode_keeps_every_frame_with_its_trigger(
    warm_recorder: Start, make_record: Make, make_noise: Make, tmp_path: Path, station_file: Callable[..., Path]
) -> None:
    folder = tmp_path / "recording"
    command = record_command(station_file(), folder)
    recorder = warm_recorder(*command[4:])
    for seq in (1, 3):
        recorder.send(make_record(seq, Verdict.PASS), make_noise(seq))
    recorder.send(make_record(4, cause="no_frame", reason="no frame came"))
    assert recorder.stop() == (0, "")
    recording = open_recording(folder)
    assert [(one.seq, one.t_trigger_ns, one.counter) for one in recording.entries] == [
        (1, 1_000_000, 6),
        (3, 3_000_000, 8),
        (4, 4_000_000, 9),
    ]
    assert recording.entries[1].path is not None
    assert np.array_equal(read_picture(recording.entries[1].path), make_noise(3))
    assert (recording.entries[2].path, recording.entries[2].reason) == (None, "absent: no frame came")
    assert recording.station is not None
    with pytest.raises(Exception, match="holds a recording already"):
        record_command(station_file(), folder)


def test_ready_names_where_it_writes(start_recorder: Start, output: Path) -> None:
    ready = start_recorder().wait_for(Ready)
    assert ready == Ready("recorder", f"writing to {output}")


def test_what_is_logged_is_confirmed_and_what_comes_again_is_not_logged_twice(
    warm_recorder: Start, make_record: Make, make_noise: Make, output: Path
) -> None:
    first = warm_recorder()
    for seq in (1, 2, 3):
        first.send(make_record(seq), make_noise(seq))
    first.wait_for(Logged, lambda logged: logged.count == 3)
    first.kill()
    second = warm_recorder()
    for seq in (2, 3, 4):
        second.send(make_record(seq))
    second.wait_for(Logged, lambda logged: logged.count == 3)
    second.stop()
    assert [(line.seq, line.picture) for line in lines_of(output / "run-1")] == [
        (1, "kept"), (2, "kept"), (3, "kept"), (4, "absent"),
    ]  # fmt: skip


def test_a_recording_takes_no_trigger_twice_either(
    warm_recorder: Start, make_record: Make, tmp_path: Path, station_file: Callable[..., Path]
) -> None:
    command = record_command(station_file(), tmp_path / "recording")
    for seqs in ((1, 2), (2, 3)):
        recorder = warm_recorder(*command[4:])
        for seq in seqs:
            recorder.send(make_record(seq))
        recorder.wait_for(Logged, lambda logged: logged.count == 2)
        recorder.kill()
    assert [entry.seq for entry in open_recording(tmp_path / "recording").entries] == [1, 2, 3]
