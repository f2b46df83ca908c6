"""A replay that is told to end: a real process and real signals."""

import json
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from linewatch.records.decision_log import read_decisions

SPOT_REPLAY = Path(__file__).with_name("spot_replay.py")
PATIENCE_S = 90.0


def wait_for_lines(output: Path, count: int) -> None:
    until = time.monotonic() + PATIENCE_S
    log = output / "decisions.jsonl"
    while not (log.exists() and log.read_bytes().count(b"\n") >= count):
        assert time.monotonic() < until, f"no {count} decisions within {PATIENCE_S} s"
        time.sleep(0.02)


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
@pytest.mark.parametrize("pace", ["fast", "recorded"])
def test_what_is_done_is_written_and_the_exit_code_names_the_signal(
    pictures: Callable[[str], Path], station_file: Path, tmp_path: Path, number: signal.Signals, code: int, pace: str
) -> None:
    folder, output = pictures("gb" * 400), tmp_path / "out"
    command = [sys.executable, *map(str, (SPOT_REPLAY, folder, station_file, output)), "20", pace]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as child:
        wait_for_lines(output, 3)
        child.send_signal(number)
        _, errors = child.communicate(timeout=PATIENCE_S)
    summary = json.loads((output / "summary.json").read_text())
    decided = len(list(read_decisions(output)))
    assert (child.returncode, summary["complete"], summary["stopped_by"]) == (code, False, number.name)
    assert 3 <= decided == summary["decided"] < summary["planned"] == 800
    assert "Traceback" not in errors


def test_a_second_ctrl_c_ends_it_at_once(pictures: Callable[[str], Path], station_file: Path, tmp_path: Path) -> None:
    folder, output = pictures("gg"), tmp_path / "out"
    command = [sys.executable, *map(str, (SPOT_REPLAY, folder, station_file, output)), "60000"]
    with subprocess.Popen(command, stderr=subprocess.PIPE) as child:
        wait_for_lines(output, 0)
        time.sleep(0.5)  # into the detector's long sleep
        child.send_signal(signal.SIGINT)
        time.sleep(0.2)
        assert child.poll() is None
        child.send_signal(signal.SIGINT)
        child.communicate(timeout=PATIENCE_S)
    assert child.returncode == -signal.SIGINT


def test_away_from_a_terminal_progress_is_plain_lines(
    pictures: Callable[[str], Path], station_file: Path, tmp_path: Path
) -> None:
    command = [sys.executable, *map(str, (SPOT_REPLAY, pictures("ggg"), station_file, tmp_path / "out")), "0"]
    done = subprocess.run(command, stderr=subprocess.PIPE, text=True, timeout=PATIENCE_S, check=True)
    assert done.stderr.startswith("replay: 3 of 3 parts, ")
    assert done.stderr.endswith(" parts/s\n")
