"""A child of the line killed, or stopped so that it is there but says nothing, until the line has noticed."""

import signal

from linewatch.faults.fault import Inject, Injected
from linewatch.faults.line import FaultLine


def killed(child: str) -> Inject:
    """SIGKILL to `child`, until its end is told."""
    return _silenced(child, signal.SIGKILL, end(child))


def stopped(child: str) -> Inject:
    """SIGSTOP to `child`, until its silence is told."""
    return _silenced(child, signal.SIGSTOP, silence(child))


def end(child: str) -> str:
    """How the event `child_died` begins when the process has ended."""
    return f"{child} exited"


def silence(child: str) -> str:
    """How the event `child_died` begins when the process was replaced because it said nothing."""
    return f"{child} silent"


def _silenced(child: str, number: signal.Signals, told: str) -> Inject:
    def inject(line: FaultLine) -> Injected:
        since_ns = line.signal_child(child, number)
        line.wait_for("child_died", told)
        return Injected(since_ns, number.name)

    return inject
