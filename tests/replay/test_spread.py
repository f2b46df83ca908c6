"""A replay over real workers of Ray gives the log that one process gives, whatever happens to the workers."""

import contextlib
import json
import os
import signal
import subprocess
import tempfile
import time
from pathlib import Path

import pytest

from tests.replay.spreading import (
    PATIENCE_S,
    cmdline,
    command,
    environment,
    events_of,
    files_of,
    needs_ray,
    run,
    until,
    workers_of,
    write_recording,
    write_station,
)


@pytest.fixture(scope="module")
def recording(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_recording(tmp_path_factory.mktemp("spread") / "recording", 3000)


@pytest.fixture(scope="module")
def station(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_station(tmp_path_factory.mktemp("station"))


@pytest.fixture(scope="module")
def alone(recording: Path, station: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What one process makes of the recording."""
    output = tmp_path_factory.mktemp("alone") / "out"
    assert run(recording, station, output).returncode == 0
    return output


@needs_ray
@pytest.mark.slow
@pytest.mark.timeout(600)
def test_two_workers_write_what_one_process_writes(recording: Path, station: Path, alone: Path, tmp_path: Path) -> None:
    words = command(recording, station, tmp_path / "out", "--ray", "local", "--workers", "2")
    with tempfile.TemporaryDirectory(prefix="lw") as scratch:  # short: a socket's path has 107 bytes
        done = subprocess.run(
            words, capture_output=True, text=True, timeout=PATIENCE_S, check=False, env=environment(TMPDIR=scratch)
        )
        assert list(Path(scratch).glob("lwray*")) == []
    assert done.returncode == 0, done.stderr
    assert files_of(tmp_path / "out") == files_of(alone)
    assert events_of(tmp_path / "out") == events_of(alone)
    causes = {json.loads(line)["cause"] for line in (alone / "decisions.jsonl").read_text().splitlines()}
    assert causes == {"ok", "defect", "no_frame", "incomplete_frame", "non_finite", "model_error"}
    assert {kind for kind, _, _ in events_of(alone)} >= {"min_gap"}
    assert "replay: 3000 of 3000 parts" in done.stderr


@needs_ray
@pytest.mark.slow
@pytest.mark.timeout(600)
def test_a_killed_worker_is_replaced_and_the_log_is_the_same(
    recording: Path, station: Path, alone: Path, tmp_path: Path
) -> None:
    output = tmp_path / "out"
    words = command(recording, station, output, "--ray", "local", "--workers", "2")
    with subprocess.Popen(words, stderr=subprocess.PIPE, text=True, env=environment()) as replay:
        log = output / "decisions.jsonl"
        until(lambda: log.exists() and log.read_bytes().count(b"\n") >= 100)
        victim = workers_of(replay.pid)[0]
        os.kill(victim, signal.SIGKILL)
        lines_then = log.read_bytes().count(b"\n")
        _, said = replay.communicate(timeout=PATIENCE_S)
    assert replay.returncode == 0, said
    assert lines_then < 3000
    assert files_of(output) == files_of(alone)
    summary = json.loads((output / "summary.json").read_text())
    assert "workers lost on the way: 1; what they had in hand was inspected again" in summary["notes"]
    assert (summary["complete"], summary["decided"]) == (True, 3000)


@needs_ray
@pytest.mark.slow
@pytest.mark.timeout(600)
def test_a_worker_that_hangs_is_replaced_and_the_log_is_the_same(
    recording: Path, station: Path, alone: Path, tmp_path: Path
) -> None:
    output = tmp_path / "out"
    words = command(recording, station, output, "--ray", "local", "--workers", "2", "--patience", "8")
    with subprocess.Popen(words, stderr=subprocess.PIPE, text=True, env=environment()) as replay:
        log = output / "decisions.jsonl"
        until(lambda: log.exists() and log.read_bytes().count(b"\n") >= 100)
        hung = workers_of(replay.pid)[0]
        os.kill(hung, signal.SIGSTOP)
        _, said = replay.communicate(timeout=PATIENCE_S)
    assert replay.returncode == 0, said
    assert files_of(output) == files_of(alone)
    assert "workers lost on the way: 1" in (output / "summary.json").read_text()
    until(lambda: b"ray::" not in cmdline(hung))


@needs_ray
@pytest.mark.slow
@pytest.mark.timeout(600)
def test_parts_that_end_every_worker_are_named(recording: Path, station: Path, tmp_path: Path) -> None:
    output = tmp_path / "out"
    words = command(recording, station, output, "--ray", "local", "--workers", "1")
    with subprocess.Popen(words, stderr=subprocess.PIPE, text=True, env=environment()) as replay:
        log = output / "decisions.jsonl"
        until(lambda: log.exists() and log.read_bytes().count(b"\n") >= 20)
        while replay.poll() is None:  # whoever comes to inspect
            for pid in workers_of(replay.pid):
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
            time.sleep(0.02)
        assert replay.stderr is not None
        said = replay.stderr.read().splitlines()[-1]
    assert replay.returncode == 4
    assert "every worker that inspected it was lost" in said or "workers ended while they loaded the model" in said
    assert log.read_bytes().count(b"\n") >= 20


@needs_ray
@pytest.mark.slow
@pytest.mark.timeout(600)
def test_an_interrupt_writes_what_is_done_and_leaves_no_process(
    recording: Path, station: Path, alone: Path, tmp_path: Path
) -> None:
    output = tmp_path / "out"
    words = command(recording, station, output, "--ray", "local", "--workers", "1")
    with subprocess.Popen(words, stderr=subprocess.PIPE, text=True, env=environment()) as replay:
        log = output / "decisions.jsonl"
        until(lambda: log.exists() and log.read_bytes().count(b"\n") >= 20)
        workers = workers_of(replay.pid)
        replay.send_signal(signal.SIGTERM)
        _, said = replay.communicate(timeout=PATIENCE_S)
    assert replay.returncode == 143, said
    summary = json.loads((output / "summary.json").read_text())
    assert (summary["complete"], summary["stopped_by"]) == (False, "SIGTERM")
    done = (output / "decisions.jsonl").read_bytes()
    assert (alone / "decisions.jsonl").read_bytes().startswith(done)
    until(lambda: not any(b"ray::" in cmdline(pid) for pid in workers))
