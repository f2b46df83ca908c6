"""A candidate beside a real line: what it would have said is logged, and whatever happens to it, the line goes on."""

import json
import os
import signal
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from linewatch.cli import main
from linewatch.core.messages import Cause, Verdict
from linewatch.shadow.log import SHADOW_LOG

MakeLine = Callable[..., Any]
Wait = Callable[..., bool]


def expect_right(decisions: Any, count: int) -> None:
    """Exact books: so many parts, each decided once and as its picture is, none in doubt."""
    assert [line.seq for line in decisions] == list(range(1, count + 1))
    causes = [Cause.DEFECT if line.seq % 4 == 0 else Cause.OK for line in decisions]
    assert [line.cause for line in decisions] == causes


@pytest.mark.slow
def test_its_verdicts_stand_beside_the_lines(
    make_line: MakeLine, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    line = make_line()
    line.start()
    line.fire(12, gap_s=0.1)
    expect_right(line.decided(12), 12)
    log = line.shadow(12)
    assert line.stop() == 0
    assert log.models == ("spots from 200",)
    assert [log.lines[seq].verdict for seq in (1, 2, 3, 4)] == [
        Verdict.PASS, Verdict.REJECT, Verdict.PASS, Verdict.REJECT,
    ]  # fmt: skip
    assert {one.line_verdict for one in log.lines.values() if one.seq % 4} == {Verdict.PASS}
    assert [seq for seq, one in sorted(log.lines.items()) if one.picture] == [2, 6, 10]
    assert (line.run / "shadow/00000006.png").is_file()
    events = [json.loads(text) for text in (line.run / "events.jsonl").read_text().splitlines()]
    ended = [event["text"] for event in events if event["kind"] == "shadow_ended"]
    assert ended[0] == "12 parts shown to it; not shown, as it was busy: 0, not there: 0"
    assert main(["shadow", "report", str(line.run), "--output", str(tmp_path / "report")]) == 0
    said = capsys.readouterr().out
    assert "12 of 12 parts seen by the shadow" in said and "alike on 9 of 12 parts judged by both, 75.00%" in said
    assert "it would have passed 0 rejected parts, and rejected 3 passed ones" in said
    page = (tmp_path / "report/changes.html").read_text()
    assert page.count("data:image/jpeg") == 6 and "its shadow (spots from 200)" in page
    agreement = json.loads((tmp_path / "report/agreement.json").read_text())
    assert agreement["cells"]["PASS"] == {"PASS": 6, "REJECT": 3, "in doubt": 0}


@pytest.mark.slow
def test_a_shadow_stopped_and_killed_while_parts_flow(make_line: MakeLine, wait: Wait) -> None:
    line = make_line()
    line.start()
    line.fire(5, gap_s=0.1)
    first = line.child("shadow")
    os.kill(first, signal.SIGSTOP)
    line.fire(140)
    line.decided(145)
    os.kill(first, signal.SIGCONT)
    time.sleep(0.5)
    line.fire(5, gap_s=0.1)
    log = line.shadow(11)
    # One part lay before it when it stopped, and was overwritten long before it went on.
    gone = [one for one in log.lines.values() if one.cause is None]
    assert [one.seq for one in gone] == [6] and "generation" in gone[0].reason
    assert max(one.busy for one in log.lines.values()) == 139

    os.kill(first, signal.SIGKILL)
    line.fire(10)
    assert wait(lambda: line.log().count('"child_ready"') == 5), line.log()
    assert line.child("shadow") not in (None, first)
    line.fire(5, gap_s=0.1)
    expect_right(line.decided(165), 165)
    log = line.shadow(16)
    last = log.lines[165]
    in_its_hands_when_killed = 165 - len(log.lines) - last.busy - last.absent
    assert in_its_hands_when_killed in (0, 1) and last.absent > 0
    assert line.stop() == 0


@pytest.mark.slow
def test_a_slow_shadow_sees_what_it_can(make_line: MakeLine) -> None:
    line = make_line()
    line.start(part_ms=300)
    line.fire(60)
    decisions = line.decided(60)
    expect_right(decisions, 60)
    log = line.shadow(3)
    assert 3 <= len(log.lines) <= 15
    assert max(one.busy for one in log.lines.values()) >= 30
    began = time.monotonic()
    assert line.stop() == 0
    assert time.monotonic() - began < 10


@pytest.mark.slow
def test_a_shadow_that_cannot_start_is_given_up_and_said(make_line: MakeLine, wait: Wait) -> None:
    line = make_line(shadow={"kind": "onnx", "model": "none.onnx", "output": "yolo", "classes": ["spot"]})
    line.start("own-shadow", ready=3)
    assert wait(lambda: "given up for this run" in line.log()), line.log()
    assert "shadow exited: exit code 3, given up for this run" in line.log()
    line.fire(8)
    expect_right(line.decided(8), 8)
    assert not (line.run / SHADOW_LOG).exists()
    assert line.stop() == 0


@pytest.mark.slow
def test_a_shadow_that_dies_again_and_again_is_given_up(make_line: MakeLine, wait: Wait) -> None:
    line = make_line()
    line.start(part_ms="dies", ready=3)
    line.fire(20)
    assert wait(lambda: "given up for this run" in line.log(), 100), line.log()
    line.fire(20)
    expect_right(line.decided(40), 40)
    assert line.log().count('"child_died"') == 10
    assert line.stop() == 0


@pytest.mark.slow
def test_a_shadow_that_eats_memory_is_refused_more_and_ends(make_line: MakeLine, wait: Wait) -> None:
    line = make_line(shadow={"model": "candidate", "memory_mb": 500})
    line.start(part_ms="eats")
    line.fire(40, gap_s=0.1)
    assert wait(lambda: "shadow exited: exit code 4" in line.log()), line.log()
    expect_right(line.decided(40), 40)
    failed = [one for one in line.shadow(10).lines.values() if one.cause is Cause.MODEL_ERROR]
    assert failed and "MemoryError" in failed[0].reason and not failed[0].both_judged
    assert line.stop() == 0
