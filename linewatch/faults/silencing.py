"""A child of the line killed, or stopped so that it is there but says nothing, until the line has noticed."""

import signal

from linewatch.core.errors import CheckFailed
from linewatch.faults.children import children_of
from linewatch.faults.fault import Inject, Injected
from linewatch.faults.line import FaultLine

_RESTART_S = 15.0


def killed(child: str) -> Inject:
    """SIGKILL to `child`, until its end is told."""
    return _silenced(child, signal.SIGKILL, end(child))


def stopped(child: str) -> Inject:
    """SIGSTOP to `child`, until its silence is told."""
    return _silenced(child, signal.SIGSTOP, silence(child))


def stopped_while_starting(child: str) -> Inject:
    """SIGKILL to `child`, and SIGSTOP to the one that is started in its place, until that is told."""

    def inject(line: FaultLine) -> Injected:
        first = line.child(child)
        line.signal_child(child, signal.SIGKILL)
        if not line.until(lambda: children_of(line.daemon.popen.pid).get(child, first) != first, _RESTART_S):
            raise CheckFailed(child, "was not started again")
        since_ns = line.signal_child(child, signal.SIGSTOP)
        line.wait_for("child_died", hang(child))
        return Injected(since_ns, "SIGKILL, and SIGSTOP to the next one while it starts")

    return inject


def end(child: str) -> str:
    """How the event `child_died` begins when the process has ended."""
    return f"{child} exited"


def silence(child: str) -> str:
    """How the event `child_died` begins when the process was replaced because it said nothing."""
    return f"{child} silent"


def hang(child: str) -> str:
    """How the event `child_died` begins when the process was replaced because it hung before it was ready."""
    return f"{child} stopped while starting"


def _silenced(child: str, number: signal.Signals, told: str) -> Inject:
    def inject(line: FaultLine) -> Injected:
        since_ns = line.signal_child(child, number)
        line.wait_for("child_died", told)
        return Injected(since_ns, number.name)

    return inject
