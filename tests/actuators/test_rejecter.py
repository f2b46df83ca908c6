"""The rejecter as a process: it blows rejected parts at their time, and says so."""

import json
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from linewatch.actuators.belt import BeltView
from linewatch.actuators.schedule import Schedule
from linewatch.core.messages import Verdict

Make = Callable[..., Any]


@pytest.fixture
def rejecter(line: Any, tmp_path: Path) -> Iterator[subprocess.Popen[bytes]]:
    command = [sys.executable, "-m", "linewatch.actuators", "--endpoint", line.endpoint, "--station", "t1"]
    with subprocess.Popen([*command, "--log", str(tmp_path / "log"), "--tolerance-ms", "400"]) as process:
        yield process
        process.kill()


def acts(tmp_path: Path, until: Callable[[list[dict[str, Any]]], bool], limit_s: float = 20.0) -> list[dict[str, Any]]:
    end = time.monotonic() + limit_s
    while True:
        text = (tmp_path / "log").read_text() if (tmp_path / "log").exists() else ""
        found = [json.loads(line) for line in text.splitlines() if line.endswith("}")]
        if until(found) or time.monotonic() > end:
            return found
        time.sleep(0.02)


def names(found: list[dict[str, Any]]) -> list[str]:
    return [act["act"] for act in found]


@pytest.mark.usefixtures("rejecter")
def test_rejects_are_blown_at_their_time_and_passes_are_let_go(line: Any, decision: Make, tmp_path: Path) -> None:
    assert names(acts(tmp_path, lambda found: len(found) == 2)) == ["reject_all", "normal"]
    sent = [decision(1), decision(2, verdict=Verdict.PASS), decision(3, delay_ms=300)]
    line.decide(*sent)
    found = acts(tmp_path, lambda found: len(found) == 5)[2:]
    assert [(act["act"], act["seq"]) for act in found] == [("let_pass", 2), ("blow", 3), ("blow", 1)]
    for act in found[1:]:
        planned_ns = sent[act["seq"] - 1].t_blow_ns
        assert act["t_ns"] >= planned_ns
        assert act["lateness_ms"] == pytest.approx((act["t_ns"] - planned_ns) / 1e6, abs=0.001)
        assert (act["verdict"], act["cause"], act["run"]) == ("REJECT", "defect", "run-1")


@pytest.mark.usefixtures("rejecter")
def test_a_decision_that_comes_too_late_is_said_and_hits_no_other_part(
    line: Any, decision: Make, tmp_path: Path
) -> None:
    acts(tmp_path, lambda found: len(found) == 2)
    late = decision(1, delay_ms=0)
    time.sleep(0.5)
    line.decide(late)
    assert names(acts(tmp_path, lambda found: len(found) == 3))[-1] == "missed"


def test_a_silent_line_is_reject_all_and_sigterm_ends_it(
    line: Any, rejecter: subprocess.Popen[bytes], tmp_path: Path
) -> None:
    acts(tmp_path, lambda found: len(found) == 2)
    line.silent = True
    found = acts(tmp_path, lambda found: len(found) == 3)
    assert (found[-1]["act"], found[-1]["reason"]) == ("reject_all", "no heartbeat")
    line.silent = False
    assert names(acts(tmp_path, lambda found: len(found) == 4))[-1] == "normal"
    rejecter.send_signal(signal.SIGTERM)
    assert rejecter.wait(10) == 0
    time.sleep(0.1)
    assert line.notes[-1] == "actuator_left"


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (["--endpoint", "nonsense", "--station", "t1"], 4, "nonsense"),
        (["--endpoint", "ipc:///tmp/x", "--station", "t1", "--log", "/nowhere/log"], 5, "/nowhere/log"),
        (["--station", "t1"], 2, "--endpoint"),
    ],
)
def test_wrong_arguments_end_with_one_line_and_a_code(arguments: list[str], code: int, said: str) -> None:
    command = [sys.executable, "-m", "linewatch.actuators", *arguments]
    done = subprocess.run(command, capture_output=True, text=True, timeout=30)
    assert done.returncode == code
    assert said in done.stderr
    assert "Traceback" not in done.stderr


def test_blows_are_in_order_of_their_time(decision: Make) -> None:
    schedule, belt = Schedule(), BeltView()
    later, sooner = decision(1, delay_ms=500), decision(2, delay_ms=100)
    assert schedule.next_ns(belt) is None
    assert schedule.add(later)
    assert schedule.add(sooner)
    assert not schedule.add(decision(3, verdict=Verdict.PASS))
    assert schedule.next_ns(belt) == sooner.t_blow_ns
    assert schedule.due(sooner.t_blow_ns, belt) == [(sooner, 0.0)]
    assert schedule.due(later.t_blow_ns + 2_000_000, belt) == [(later, 2.0)]
