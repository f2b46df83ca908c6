"""The load: triggers at an even pace from one thread that also takes the answers."""

import os
import signal
import time
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from linewatch.core.messages import Cause
from linewatch.core.wire import WireDecision

if TYPE_CHECKING:
    from benchmarks.line.rig import Rig

LAST_NS = 4_000_000_000  # for the last answers, which may come at their deadline

Times = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Outcome:
    """What one load gave. latency_ms: trigger written to answer read; slack_ms: decision to deadline.

    cpu_us: processor time of the process for each answer. missing, double: answers. failsafe: rejects in doubt.
    """

    name: str
    per_min: int
    latency_ms: Times
    slack_ms: Times
    cpu_us: float
    missing: int
    double: int
    failsafe: int


def drive(rig: "Rig", name: str, per_min: int, seconds: float) -> Outcome:
    """Fire at `per_min` for `seconds` and take every answer."""
    before, first = rig.cpu_s(), len(rig.fired_ns)
    count, period_ns = max(1, round(per_min * seconds / 60)), 60_000_000_000 // per_min
    answers: list[tuple[int, float, bool]] = []  # received at, slack, in doubt
    seqs: list[int] = []
    start_ns = time.monotonic_ns()
    end_ns = start_ns + count * period_ns + LAST_NS
    while (now_ns := time.monotonic_ns()) < end_ns and len(answers) < count:
        fired = len(rig.fired_ns) - first
        due_ns = start_ns + fired * period_ns
        if fired < count and now_ns >= due_ns:
            rig.fire()
            continue
        wait_ns = (due_ns if fired < count else end_ns) - now_ns
        for said, came_ns in rig.heard(max(0, wait_ns // 1_000_000)):
            slack_ms = (said.deadline_ns - said.t_decision_ns) / 1e6
            answers.append((came_ns, slack_ms, said.cause not in (Cause.OK, Cause.DEFECT)))
            seqs.append(said.seq)
    # The floor numbers nothing: its answers come in order.
    numbers = seqs if name != "floor" else list(range(first + 1, first + 1 + len(answers)))
    latency_ms = [(a[0] - rig.fired_ns[number - 1]) / 1e6 for number, a in zip(numbers, answers, strict=True)]
    return Outcome(
        name,
        per_min,
        np.array(latency_ms),
        np.array([a[1] for a in answers]),
        (rig.cpu_s() - before) / max(1, len(answers)) * 1e6,
        count - len(set(numbers)),
        len(numbers) - len(set(numbers)),
        sum(a[2] for a in answers),
    )


def overdue_ms(rig: "Rig", times: int) -> Times:
    """How long after their deadline timeouts are decided while the inspector is stopped, `times` over."""
    late: list[float] = []
    for _ in range(times):
        _until_inspecting(rig)
        inspector = rig.child("null_inspector")
        if inspector is None:
            continue
        os.kill(inspector, signal.SIGSTOP)
        for _ in range(3):
            rig.fire()
            time.sleep(0.02)
        for said in _hear_for(rig, 0.25):
            if said.cause is Cause.TIMEOUT:
                late.append((said.t_decision_ns - said.deadline_ns) / 1e6)
        with suppress(ProcessLookupError):  # the supervisor may have killed it meanwhile
            os.kill(inspector, signal.SIGCONT)
    return np.array(late)


def _until_inspecting(rig: "Rig") -> None:
    for _ in range(200):
        rig.fire()
        if any(said.cause is Cause.OK for said in _hear_for(rig, 0.15)):
            return


def _hear_for(rig: "Rig", seconds: float) -> list[WireDecision]:
    heard, end_s = [], time.monotonic() + seconds
    while (left_s := end_s - time.monotonic()) > 0:
        heard += [said for said, _ in rig.heard(int(left_s * 1000) + 1)]
    return heard
