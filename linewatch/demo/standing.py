"""How the line stands at this moment, from the decisions heard so far."""

from collections.abc import Sequence
from dataclasses import dataclass

from linewatch.core.messages import Cause
from linewatch.core.wire import WireDecision
from linewatch.demo.figures import latency


@dataclass(frozen=True)
class Standing:
    """Counts so far. last: the newest verdict in words. p50_ms: trigger to decision."""

    elapsed_s: float
    seconds: float
    pace_per_min: int
    parts: int
    passed: int
    reject_defect: int
    failsafe: int
    p50_ms: float
    last: str


def standing(decisions: Sequence[WireDecision], elapsed_s: float, seconds: float, pace_per_min: int) -> Standing:
    """decisions: in the order heard. seconds: how long the line shall run."""
    causes = [decision.cause for decision in decisions]
    passed, defects = causes.count(Cause.OK), causes.count(Cause.DEFECT)
    return Standing(
        elapsed_s=min(elapsed_s, seconds),
        seconds=seconds,
        pace_per_min=pace_per_min,
        parts=len(decisions),
        passed=passed,
        reject_defect=defects,
        failsafe=len(causes) - passed - defects,
        p50_ms=latency([decision_ms(decision) for decision in decisions]).p50_ms,
        last=in_words(decisions[-1]) if decisions else "none yet",
    )


def decision_ms(decision: WireDecision) -> float:
    """Trigger to decision in ms."""
    return (decision.t_decision_ns - decision.t_trigger_ns) / 1e6


def in_words(decision: WireDecision) -> str:
    """One verdict: `#17 REJECT crack 0.93 in 141 ms`, `#18 REJECT timeout in 680 ms`, `#19 PASS in 139 ms`."""
    said = [f"#{decision.seq}", decision.verdict.value]
    if decision.cause is Cause.DEFECT:
        said += [decision.label, f"{decision.score:.2f}"]
    elif decision.cause.is_failsafe:
        said.append(decision.cause.value)
    return " ".join([*said, f"in {decision_ms(decision):.0f} ms"])
