"""What the next run can say of this one, however it ended."""

from pathlib import Path

from linewatch.core.messages import Cause, Decision, Record, Verdict
from linewatch.line.last_run import MAPPED_FILE, Ended, LastRun
from linewatch.records.chain import DATABASE
from linewatch.records.chained_log import ChainedLog
from linewatch.records.decision_log import line_of


def folders(tmp_path: Path) -> tuple[Path, Path]:
    runtime, output = tmp_path / "runtime", tmp_path / "output"
    runtime.mkdir()
    return runtime, output


def decision(seq: int) -> Decision:
    return Decision("t1", "run-1", seq, Verdict.PASS, Cause.OK, 1, 2, 3, 4.0)


def test_no_run_before(tmp_path: Path) -> None:
    assert LastRun(*folders(tmp_path), "t1").before() is None


def test_a_clean_end(tmp_path: Path) -> None:
    runtime, output = folders(tmp_path)
    last = LastRun(runtime, output, "t1")
    assert last.begin("run-1") == ""
    last.end(57, 57)
    before = LastRun(runtime, output, "t1").before()
    assert before == Ended("run-1", 57, 0, clean=True)
    assert str(before) == "run run-1 ended at seq 57"


def test_a_killed_run_is_known_exactly(tmp_path: Path) -> None:
    runtime, output = folders(tmp_path)
    last = LastRun(runtime, output, "t1")
    last.begin("run-1")
    last.note(57, 54)
    assert LastRun(runtime, output, "t1").before() == Ended("run-1", 57, 3, clean=False)


def test_after_a_loss_of_power_the_decision_log_tells(tmp_path: Path) -> None:
    runtime, output = folders(tmp_path)
    last = LastRun(runtime, output, "t1")
    last.begin("run-1")
    last.note(57, 57)
    (runtime / MAPPED_FILE).unlink()
    (output / "run-1").mkdir()
    assert LastRun(runtime, output, "t1").before() == Ended("run-1", 0, 0, clean=False), "nothing was logged"
    log = ChainedLog(output / "run-1", "t1")
    assert LastRun(runtime, output, "t1").before() == Ended("run-1", 0, 0, clean=False), "no decision was logged"
    log.append([line_of(Record(decision(seq)), (), None, "absent") for seq in (1, 3, 55, 54)])
    assert LastRun(runtime, output, "t1").before() == Ended("run-1", 55, 0, clean=False), "as after a kill"
    log.close()
    assert LastRun(runtime, output, "t1").before() == Ended("run-1", 55, 0, clean=False)
    (output / "run-1" / DATABASE).write_bytes(b"rubbish" * 1000)
    assert LastRun(runtime, output, "t1").before() == Ended("run-1", 0, 0, clean=False)


def test_damaged_files_are_no_run(tmp_path: Path) -> None:
    runtime, output = folders(tmp_path)
    output.mkdir()
    (runtime / MAPPED_FILE).write_bytes(b"short")
    (output / "last_run.t1.json").write_text("{not json")
    assert LastRun(runtime, output, "t1").before() is None


def test_an_output_folder_that_cannot_be_written_is_said_and_survived(tmp_path: Path) -> None:
    runtime, output = folders(tmp_path)
    output.write_text("a file where a folder belongs")
    last = LastRun(runtime, output, "t1")
    assert "last_run.t1.json" in last.begin("run-1")
    last.note(9, 9)
    assert LastRun(runtime, output, "t1").before() == Ended("run-1", 9, 0, clean=False)
    last.end(9, 9)


def test_an_older_clean_run_does_not_hide_a_killed_one(tmp_path: Path) -> None:
    runtime, output = folders(tmp_path)
    first = LastRun(runtime, output, "t1")
    first.begin("run-1")
    first.end(5, 5)
    kept = (output / "last_run.t1.json").read_text()
    second = LastRun(runtime, output, "t1")
    second.begin("run-2")
    second.note(7, 7)
    (output / "last_run.t1.json").write_text(kept)
    assert LastRun(runtime, output, "t1").before() == Ended("run-2", 7, 0, clean=False)
