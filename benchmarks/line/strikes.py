"""Children of a running line struck at random: killed, stopped until they are replaced, or held up for a moment."""

import contextlib
import os
import random
import signal
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Literal

from linewatch.core.messages import Cause
from linewatch.core.wire import Event, WireDecision
from linewatch.faults.children import children_of
from linewatch.faults.line import FaultLine

Act = Literal["SIGKILL", "SIGSTOP", "SIGSTOP, SIGCONT"]
ACTS: tuple[Act, ...] = ("SIGKILL", "SIGSTOP", "SIGSTOP, SIGCONT")
CHILDREN = ("camera", "inspector", "recorder")
_HELD_UP_S = (0.05, 1.0)
_TOLD = ("child_ready", "child_died")
_INSPECTED = (Cause.OK, Cause.DEFECT)


@dataclass(frozen=True)
class Strike:
    """One blow. t_ns: monotonic time of the first signal."""

    child: str
    act: Act
    t_ns: int


@dataclass(frozen=True)
class Recovery:
    """What came after one strike, in seconds from it; none: it never came.

    ready_s: until the child said that it is ready again; 0 for one that was only held up, and may not have been
    replaced. inspected_s: until the first part passed the gate that was inspected again. alone: no other strike came
    into this recovery, and this one into no other's.
    """

    strike: Strike
    ready_s: float | None
    inspected_s: float | None
    alone: bool = True

    @property
    def longest_s(self) -> float | None:
        """Until all is as before."""
        return None if self.ready_s is None or self.inspected_s is None else max(self.ready_s, self.inspected_s)


def strike_while(load: threading.Thread, line: FaultLine, chance: random.Random, every_s: float) -> list[Strike]:
    """Strike a random child every `every_s` seconds on average until `load` ends."""
    struck: list[Strike] = []
    while not line.until(lambda: not load.is_alive(), chance.expovariate(1 / every_s)):
        running = sorted(children_of(line.daemon.popen.pid).items())
        if running:
            struck += _strike(line, *chance.choice(running), chance)
    return struck


def _strike(line: FaultLine, child: str, pid: int, chance: random.Random) -> list[Strike]:
    # One that is still starting owes no sign of life for three minutes: stopped for good, it would end the whole run.
    act = chance.choice(ACTS if _ready(child, line.observer.events) else ("SIGKILL", "SIGSTOP, SIGCONT"))
    t_ns = _signal(pid, signal.SIGKILL if act == "SIGKILL" else signal.SIGSTOP)
    if act == "SIGSTOP, SIGCONT":
        line.follow(chance.uniform(*_HELD_UP_S))
        _signal(pid, signal.SIGCONT)
    return [] if t_ns is None else [Strike(child, act, t_ns)]


def _ready(child: str, events: Sequence[Event]) -> bool:
    """Whether the last that was told of `child` is that it is ready."""
    told = (one.kind for one in reversed(events) if one.kind in _TOLD and one.text.startswith(child))
    return next(told, "child_died") == "child_ready"


def _signal(pid: int, number: signal.Signals) -> int | None:
    """Monotonic time of the signal; none when the process had ended."""
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, number)
        return time.monotonic_ns()
    return None


def recoveries(strikes: Sequence[Strike], decisions: Sequence[WireDecision], events: Sequence[Event]) -> list[Recovery]:
    """How long the line took to recover from each strike."""
    found = [Recovery(strike, _ready_s(strike, events), _inspected_s(strike, decisions)) for strike in strikes]
    return [replace(one, alone=not any(_overlap(one, other) for other in found if other is not one)) for one in found]


def longest_without_s(decisions: Sequence[WireDecision]) -> float:
    """The longest time between two parts that were inspected, in seconds."""
    times = sorted(one.t_trigger_ns for one in decisions if one.cause in _INSPECTED)
    return max((later - earlier for earlier, later in pairwise(times)), default=0) / 1e9


def _overlap(one: Recovery, other: Recovery) -> bool:
    first, second = sorted((one, other), key=lambda recovery: recovery.strike.t_ns)
    apart_s = (second.strike.t_ns - first.strike.t_ns) / 1e9
    return first.longest_s is None or first.longest_s > apart_s


def _ready_s(strike: Strike, events: Sequence[Event]) -> float | None:
    if strike.act == "SIGSTOP, SIGCONT":
        return 0.0
    after = (
        event.t_ns - strike.t_ns
        for event in events
        if event.kind == "child_ready" and event.text.startswith(f"{strike.child}:") and event.t_ns > strike.t_ns
    )
    return _seconds(min(after, default=None))


def _inspected_s(strike: Strike, decisions: Sequence[WireDecision]) -> float | None:
    after = (one.t_trigger_ns - strike.t_ns for one in decisions if one.cause in _INSPECTED)
    return _seconds(min((apart for apart in after if apart > 0), default=None))


def _seconds(nanoseconds: int | None) -> float | None:
    return None if nanoseconds is None else nanoseconds / 1e9
