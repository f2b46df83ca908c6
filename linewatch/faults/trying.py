"""Trying one fault: parts come, the fault strikes, the line recovers, and everybody's books are compared."""

import contextlib
import time
from dataclasses import dataclass, replace

from linewatch.core.errors import StorageError
from linewatch.faults.fault import Fault, Injected, NotShown
from linewatch.faults.line import FaultLine
from linewatch.faults.trial import RunPart, Trial, doubles, unanswered_parts
from linewatch.records.decision_log import has_log, read_decisions

_CALM_S = 0.25  # parts before and after the fault
_SHOWN = 5
_LOG_S = 3.0  # wire and log may be behind by so much


@dataclass(frozen=True)
class Result:
    """One fault. trial: none when it could not be shown, `left_out` says why. broken: promises that did not hold."""

    fault: Fault
    trial: Trial | None
    broken: tuple[str, ...] = ()
    left_out: str = ""


@dataclass(frozen=True)
class _Mark:
    """How far the books were before the fault."""

    fired: int
    decisions: int
    events: int
    part: RunPart


def try_out(fault: Fault, line: FaultLine, patience: float = 1.0) -> Result:
    """Put `fault` into `line` and judge what came of it.

    patience: multiplies the time that the line may take to recover. Raises CheckFailed when it cannot be used at all.
    """
    fault = replace(fault, limit_s=fault.limit_s * patience)
    line.settle()
    mark = _mark(line)
    if fault.load:
        line.gate.start(line.layout.pace_per_min)
        line.follow(_CALM_S)
    try:
        injected = fault.inject(line)
    except NotShown as exc:
        line.gate.stop()
        return Result(fault, None, left_out=str(exc))
    recovered_s = _recover(line, injected, fault)
    line.follow(_CALM_S)
    line.gate.stop()
    line.until(line.all_decided, fault.limit_s)
    line.until(line.newest_answered, _LOG_S)
    trial = _trial(line, fault, mark, injected, recovered_s)
    return Result(fault, trial, (*_always(trial), *injected.broken, *fault.judge(trial)))


def _mark(line: FaultLine) -> _Mark:
    newest = max((one.seq for one in line.observer.decisions if one.run == line.observer.run), default=0)
    seen = line.observer
    return _Mark(len(line.gate.fired), len(seen.decisions), len(seen.events), (seen.run, newest))


def _recover(line: FaultLine, injected: Injected, fault: Fault) -> float | None:
    if not fault.load:
        line.gate.fire()
    if not line.until(lambda: line.works(injected.since_ns), 2 * fault.limit_s):
        return None
    return (time.monotonic_ns() - injected.since_ns) / 1e9


def _trial(line: FaultLine, fault: Fault, mark: _Mark, injected: Injected, recovered_s: float | None) -> Trial:
    fired = line.gate.fired[mark.fired :]
    decisions = line.observer.decisions[mark.decisions :]
    unanswered = unanswered_parts(fired, decisions, mark.part)
    blow_ns = round(line.station.eject_delay_ms * 1e6)
    if unanswered:  # until the last of them has passed the rejecter, nobody knows what became of it
        line.until(lambda: time.monotonic_ns() > unanswered[-1].t_ns + blow_ns, line.station.eject_delay_ms / 1000 + 1)
    return Trial(
        how=injected.how,
        limit_s=fault.limit_s,
        fired=len(fired),
        decisions=tuple(decisions),
        events=tuple(line.observer.events[mark.events :]),
        recovered_s=recovered_s,
        unanswered=len(unanswered),
        lost=tuple(part.counter for part in unanswered if not line.rejecter_book.rejected_all(part.t_ns + blow_ns)),
        double=doubles(decisions),
        unlogged=_unlogged(line, {(one.run, one.seq) for one in decisions}, fault.limit_s),
    )


def _unlogged(line: FaultLine, decided: set[RunPart], limit_s: float) -> int:
    """Decisions that are in no log, once the recorder is back, within `limit_s`, and had time to write."""
    line.until(lambda: line.status.inspecting, limit_s)
    line.until(lambda: not decided - _logged(line, decided), _LOG_S)
    return len(decided - _logged(line, decided))


def _logged(line: FaultLine, decided: set[RunPart]) -> set[RunPart]:
    found: set[RunPart] = set()
    for run in {run for run, _ in decided}:
        folder = line.output / run
        if has_log(folder):
            with contextlib.suppress(StorageError):  # a damaged log holds nothing that counts
                found |= {(run, one.seq) for one in read_decisions(folder)}
    return found


def _counters(lost: tuple[int, ...]) -> str:
    more = f" and {len(lost) - _SHOWN} more" if len(lost) > _SHOWN else ""
    return "those that the gate counted as " + ", ".join(map(str, lost[:_SHOWN])) + more


def _always(trial: Trial) -> list[str]:
    """What is promised whatever the fault."""
    broken = [f"parts went past undecided: {_counters(trial.lost)}"] if trial.lost else []
    if trial.double:
        broken.append(f"{trial.double} parts got a second decision")
    if trial.recovered_s is None:
        broken.append(f"the line did not recover within {2 * trial.limit_s:g} s")
    elif trial.recovered_s > trial.limit_s:
        broken.append(f"the line took {trial.recovered_s:.1f} s to recover, {trial.limit_s:g} s were promised")
    return broken
