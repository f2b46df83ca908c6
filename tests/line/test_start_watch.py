"""Real processes that are long in starting: those that live are left alone, those that hang are replaced."""

import os
import signal
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from linewatch.core.messages import Ready
from linewatch.line.start_watch import StartWatch
from linewatch.line.supervised import ChildSpec, Death
from linewatch.line.supervisor import Supervisor

PROJECT = Path(__file__).parents[2]
READY = "from linewatch.core.child import Child, controller_channel; Child('c', controller_channel()).start('here')"
BUSY = f"import time; end = time.monotonic() + 2.5\nwhile time.monotonic() < end: pass\n{READY}; time.sleep(60)"
# One call into C that keeps the interpreter's lock: no thread of the process could give a sign of life.
LOCKED = f"pow(7, 7 * 10**6); {READY}; import time; time.sleep(60)"
ASLEEP = "import time; time.sleep(60)"
HANG_MS, STOPPED_MS, GIVE_UP_S = 1500.0, 700.0, 60.0

Supervise = Callable[..., Supervisor]


@pytest.fixture
def supervise(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Supervise]:
    """A supervisor of one child that runs the Python text given."""
    monkeypatch.setenv("PYTHONPATH", str(PROJECT))
    made: list[Supervisor] = []

    def make(text: str, start_ms: float = 180_000.0) -> Supervisor:
        spec = ChildSpec("c", (sys.executable, "-c", text), STOPPED_MS, start_ms, HANG_MS)
        made.append(Supervisor([spec], tmp_path, "run"))
        return made[-1]

    yield make
    for supervisor in made:
        supervisor.kill()


def outcome(supervisor: Supervisor, on_start: Callable[[int], None] = lambda _pid: None) -> tuple[str, float]:
    """How the first start ends, and after how many seconds. on_start: given the process id, once it runs."""
    (child,) = supervisor.children.values()
    began = time.monotonic()
    supervisor.tick(time.monotonic_ns())
    assert child._process is not None
    on_start(child._process.pid)
    while time.monotonic() - began < GIVE_UP_S:
        time.sleep(0.02)
        found = [*supervisor.receive(child, time.monotonic_ns()), *supervisor.tick(time.monotonic_ns())]
        for one in found:
            if isinstance(one, Ready | Death):
                return ("ready" if isinstance(one, Ready) else one.reason), time.monotonic() - began
    raise AssertionError("nothing came of it")


@pytest.mark.slow
@pytest.mark.parametrize("text", [BUSY, LOCKED])
def test_a_start_that_is_slow_but_lives_is_left_alone(supervise: Supervise, text: str) -> None:
    how, seconds = outcome(supervise(text))
    assert how == "ready"
    assert seconds > HANG_MS / 1000


@pytest.mark.slow
def test_a_start_that_does_nothing_is_given_up(supervise: Supervise) -> None:
    how, seconds = outcome(supervise(ASLEEP))
    assert how == "did nothing for 1.5 s while starting"
    assert seconds < 30


@pytest.mark.slow
def test_a_start_that_is_stopped_is_given_up_sooner(supervise: Supervise) -> None:
    supervisor = supervise(BUSY)
    how, seconds = outcome(supervisor, lambda pid: os.kill(pid, signal.SIGSTOP))
    assert how == "stopped while starting"
    assert STOPPED_MS / 1000 < seconds < 15
    (child,) = supervisor.children.values()
    assert child.state == "down" and child.next_due_ns() is not None  # and it will be started again


@pytest.mark.slow
def test_a_start_that_never_ends_is_given_up_in_the_end(supervise: Supervise) -> None:
    how, _ = outcome(supervise("while True: pass", start_ms=2000.0))
    assert how == "not ready within 2 s"


def test_a_pause_of_our_own_proves_nothing_against_a_start() -> None:
    watch = StartWatch(os.getpid(), 0, stopped_ms=700, hang_ms=1500)
    assert watch.trouble(600_000_000) == ""
    watch.forgive(60_000_000_000)
    assert watch.trouble(60_000_000_001) == ""


def test_where_the_kernel_tells_nothing_the_limit_of_the_start_is_left() -> None:
    watch = StartWatch(2**30, 0, stopped_ms=700, hang_ms=1500)  # no such process
    assert [watch.trouble(seconds * 10**9) for seconds in (1, 10, 100)] == ["", "", ""]
