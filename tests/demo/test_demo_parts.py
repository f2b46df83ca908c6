"""Station file, memory, processes and table: the parts of the demo one by one."""

import json
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest
from rich.console import Console

from linewatch.core.cameras import SimulatedCamera
from linewatch.core.errors import StationError, StorageError
from linewatch.core.station import load_station
from linewatch.demo.books import read_acts, read_doubts
from linewatch.demo.memory import measure
from linewatch.demo.processes import Process
from linewatch.demo.screen import screen_for
from linewatch.demo.standing import Standing
from linewatch.demo.station_file import Bottles, write_station


def eventually(condition: object, timeout_s: float = 10.0) -> bool:
    assert callable(condition)
    deadline = time.monotonic() + timeout_s
    while not condition() and time.monotonic() < deadline:
        time.sleep(0.02)
    return bool(condition())


def test_the_station_file_is_what_the_daemon_reads(tmp_path: Path) -> None:
    path = tmp_path / "station.yaml"
    written = write_station(path, tmp_path / "gate", Bottles(99, 0.5, tmp_path / "model"), 680)
    assert written == load_station(path)
    assert isinstance(written.camera, SimulatedCamera)
    assert (written.camera.seed, written.camera.defect_rate) == (99, 0.5)
    assert written.gate.port == str(tmp_path / "gate")
    assert written.storage.output == tmp_path
    assert written.detector.model == tmp_path / "model"


@pytest.mark.parametrize("deadline_ms", [100, 980, 981, 7500, None])
def test_the_rejecter_is_never_reached_before_the_deadline(tmp_path: Path, deadline_ms: int | None) -> None:
    station = write_station(tmp_path / "station.yaml", tmp_path / "gate", Bottles(None, 0.1, None), deadline_ms)
    rejecter = station.rejecter
    assert station.line.deadline_ms + rejecter.reaction_ms <= rejecter.transport_ms
    assert rejecter.transport_ms >= 1000


def test_a_station_that_cannot_be_is_refused(tmp_path: Path) -> None:
    with pytest.raises(StationError, match="seed"):
        write_station(tmp_path / "station.yaml", tmp_path / "gate", Bottles(-1, 0.1, None), 100)
    with pytest.raises(StorageError):
        write_station(tmp_path / "absent" / "station.yaml", tmp_path / "gate", Bottles(1, 0.1, None), 100)


def test_memory_counts_the_process_and_its_children(tmp_path: Path) -> None:
    script = tmp_path / "hungry.py"
    script.write_text("import time\nheld = b'x' * 60_000_000\nprint(flush=True)\ntime.sleep(60)\n")
    parent = f"import subprocess, sys; subprocess.run([sys.executable, {str(script)!r}])"
    with Process("parent", [sys.executable, "-c", parent], tmp_path / "log", os.environ) as process:
        assert eventually(lambda: measure(process.popen.pid).processes.get("hungry", 0) > 60)
        memory = measure(process.popen.pid)
        children = Path(f"/proc/{process.popen.pid}/task/{process.popen.pid}/children").read_text().split()
    for child in children:
        subprocess.run(["kill", child], check=True)
    assert set(memory.processes) == {"controller", "hungry"}
    assert memory.total > 60
    assert memory.total <= sum(memory.processes.values()) + 1


def test_memory_of_an_ended_process_is_nothing() -> None:
    with subprocess.Popen([sys.executable, "-c", ""]) as process:
        process.wait()
    assert measure(process.pid).total == 0


@pytest.mark.slow
def test_a_process_that_does_not_listen_is_killed(tmp_path: Path) -> None:
    deaf = (
        "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('deaf', flush=True); time.sleep(60)"
    )
    with Process("deaf", [sys.executable, "-c", deaf], tmp_path / "log", os.environ) as process:
        assert eventually(lambda: (tmp_path / "log").read_text() == "deaf\n")
    assert process.ended == -9


def test_a_process_does_not_outlive_its_parent(tmp_path: Path) -> None:
    parent = (
        "import os, sys, time; from pathlib import Path; from linewatch.demo.processes import Process\n"
        f"p = Process('child', ['sleep', '60'], Path({str(tmp_path / 'log')!r}), os.environ)\n"
        "print(p.popen.pid, flush=True); time.sleep(60)"
    )
    with subprocess.Popen([sys.executable, "-c", parent], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        child = Path("/proc") / process.stdout.readline().strip()
        assert child.exists()
        process.kill()
    assert eventually(lambda: not child.exists() or "zombie" in (child / "status").read_text())


def test_last_words_are_the_error_and_not_the_routine(tmp_path: Path) -> None:
    talk = 'print(\'{"event": "opens"}\'); print(\'station.yaml: gate: is wrong\'); print(\'{"event": "ends"}\')'
    with Process("line", [sys.executable, "-c", talk], tmp_path / "log", os.environ) as process:
        process.popen.wait(10)
        assert process.last_words() == "station.yaml: gate: is wrong"


def standing(elapsed_s: float) -> Standing:
    return Standing(elapsed_s, 30, 300, 62, 50, 10, 2, 141.4, "#62 REJECT crack 0.93 in 140 ms")


def test_without_a_terminal_a_line_is_printed_every_five_seconds(capsys: pytest.CaptureFixture[str]) -> None:
    screen = screen_for(Console(force_terminal=False))
    for tenth in range(121):
        screen.show(standing(tenth / 10))
    screen.close()
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 2
    assert "62 bottles  pass 50  reject 10  fail-safe 2  p50 141 ms  last #62 REJECT crack" in lines[0]


def test_on_a_terminal_the_block_shows_everything(capsys: pytest.CaptureFixture[str]) -> None:
    screen = screen_for(Console(force_terminal=True, width=100))
    screen.show(standing(12.5))
    screen.close()
    shown = capsys.readouterr().out
    for words in ("62 bottles", "pass 50", "reject 10", "fail-safe 2", "300 bottles/min", "p50 141 ms", "crack 0.93"):
        assert words in shown


def test_doubts_of_the_rejecter_count_between_first_trust_and_last_part(tmp_path: Path) -> None:
    acts = ["reject_all", "normal", "blow", "reject_all", "normal", "let_pass", "reject_all"]
    log = tmp_path / "rejecter.jsonl"
    part = {"seq": 1, "verdict": "PASS", "cause": "ok"}
    lines = [{"act": act} | (part if act in ("blow", "let_pass") else {}) for act in acts]
    log.write_text("".join(json.dumps(line) + "\n" for line in lines))
    assert read_doubts(log) == 1
    assert [act for act, _ in read_acts(log)] == ["blow", "let_pass"]
    log.write_text("")
    assert (read_doubts(log), read_acts(log)) == (0, ())
