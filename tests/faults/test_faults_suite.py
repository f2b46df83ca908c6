"""The quick suite as a user runs it, and how it judges."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

import linewatch
from linewatch.core.errors import UsageError
from linewatch.core.messages import Cause, Verdict
from linewatch.core.wire import Event, WireDecision
from linewatch.faults.judging import every, logged, only, said
from linewatch.faults.rejecter_book import RejecterBook
from linewatch.faults.run import faults
from linewatch.faults.trial import Trial, doubles, unanswered_parts
from linewatch.sim.gate import Fired

PROJECT = Path(linewatch.__file__).parent.parent
LOAD = ("were rejected as timeout", "were rejected as capture_jitter")  # a machine that does other work as well
FAULTS = ("gate noisy", "camera killed", "inspector out of memory", "disk full", "clients with wrong keys")


def decision(seq: int, run: str = "a", cause: Cause = Cause.OK, t_ns: int = 1) -> WireDecision:
    verdict = Verdict.PASS if cause is Cause.OK else Verdict.REJECT
    return WireDecision(
        v=1, station="s", run=run, seq=seq, verdict=verdict, cause=cause, t_trigger_ns=t_ns, t_decision_ns=2,
        deadline_ns=3, eject_delay_ms=1.0, score=0.0, label="", model="m", recipe="r",
    )  # fmt: skip


def parts(count: int) -> list[Fired]:
    return [Fired(number, number, number, "sent") for number in range(1, count + 1)]


def trial(*decisions: WireDecision, **changes: Any) -> Trial:
    given: dict[str, Any] = {"how": "", "limit_s": 1.0, "fired": len(decisions), "events": (), "recovered_s": 0.1}
    given |= {"unanswered": 0, "lost": (), "double": 0, "unlogged": 0}
    return Trial(decisions=decisions, **{**given, **changes})


@pytest.mark.timeout(600)
def test_no_part_is_lost_and_every_promise_holds(tmp_path: Path) -> None:
    summary = tmp_path / "summary.json"
    command = [sys.executable, "-m", "linewatch", "faults", "--patience", "10", "--summary", str(summary)]
    for name in FAULTS:
        command += ["--only", name]
    environment = {**os.environ, "PYTHONPATH": str(PROJECT), "OMP_NUM_THREADS": "1", "COLUMNS": "160"}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert summary.exists(), done.stdout + done.stderr
    found = json.loads(summary.read_text())["faults"]
    assert [one["fault"] for one in found] == list(FAULTS)
    for one in found:
        assert (one["parts_lost"], one["double"]) == (0, 0), one
        assert [text for text in one["broken"] if not text.endswith(LOAD)] == [], one
        assert one["parts"] > 0
        assert one["fault"] in done.stdout
    assert found[0]["causes"]["desync"] >= 2
    assert found[2]["causes"]["model_error"] >= 1
    assert "handshake_refused" in found[-1]["events"]
    assert done.returncode == int(any(one["broken"] for one in found))


def test_a_fault_that_nobody_knows_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"--only.*'flood'.*gate noisy"):
        faults(quick=True, station=None, null=True, only=["flood"], patience=1, output=tmp_path, summary=None)


def test_parts_without_a_decision_are_found_in_every_place() -> None:
    heard = [decision(seq) for seq in (11, 12, 14)]
    assert [part.counter for part in unanswered_parts(parts(4), heard, ("a", 10))] == [3]
    # The run was cut off after its third part; the next run heard the last two.
    heard = [decision(11), decision(13), decision(1, "b", t_ns=6), decision(2, "b", t_ns=7)]
    assert [part.counter for part in unanswered_parts(parts(7), heard, ("a", 10))] == [2, 4, 5]
    # One decision of the next run is missing, and the newest part is not answered yet.
    heard = [decision(11), decision(2, "b", t_ns=3), decision(3, "b", t_ns=4)]
    assert [part.counter for part in unanswered_parts(parts(5), heard, ("a", 10))] == [2, 5]
    assert unanswered_parts(parts(1), [], ("a", 10)) == parts(1)


def test_a_second_decision_is_noticed() -> None:
    assert doubles([decision(1), decision(2), decision(1, "b")]) == 0
    assert doubles([decision(1), decision(2), decision(1)]) == 1


def test_judges_name_what_was_broken() -> None:
    event = Event(v=1, station="s", run="a", kind="child_died", text="camera silent", seq=0, t_ns=1)
    seen = trial(decision(1), decision(2, cause=Cause.TIMEOUT), events=(event,), unlogged=1)
    assert list(only(Cause.TIMEOUT)(seen)) == []
    assert list(every(only(), logged)(seen)) == ["1 parts were rejected as timeout", "1 decisions are in no log"]
    assert list(said("child_died", "camera")(seen)) == []
    assert list(said("child_died", "inspector")(seen)) == ["nobody was told: no event child_died 'inspector'"]


def test_the_rejecter_rejects_all_until_it_trusts(tmp_path: Path) -> None:
    book = RejecterBook(tmp_path / "acts")
    assert book.rejected_all(5) and not book.trusts
    lines = [{"act": "normal", "t_ns": 10}, {"act": "blow", "seq": 1, "t_ns": 15}, {"act": "reject_all", "t_ns": 20}]
    book.path.write_text("".join(f"{json.dumps(line)}\n" for line in lines) + '{"act": "nor')
    assert [book.rejected_all(t_ns) for t_ns in (9, 10, 19, 20, 30)] == [True, False, False, True, True]
    assert not book.trusts
    with book.path.open("a") as file:
        file.write('mal", "t_ns": 40}\n')
    assert book.trusts
