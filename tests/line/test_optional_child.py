"""A child that the line does without: what becomes of it never costs the loop a wait, and never ends the daemon."""

import os
import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path

from linewatch.line.supervised import MOST_FAILURES, ChildSpec, Death
from linewatch.line.supervisor import Supervisor

Wait = Callable[..., bool]
PROJECT = str(Path(__file__).parents[2])

FLOOD = f"""\
import sys
sys.path.insert(0, {PROJECT!r})
from linewatch.core.channel import inherited_channel
from linewatch.core.messages import Note
channel = inherited_channel()
while True:
    channel.send(Note("flood", "x"))
"""


def supervisor(tmp_path: Path, program: str, *arguments: str) -> Supervisor:
    command = (sys.executable, *arguments, "-c", program)
    return Supervisor([ChildSpec("aside", command, optional=True)], tmp_path, "run-1")


def deaths(made: Supervisor, wait: Wait, count: int) -> list[Death]:
    """The first `count` deaths, by a loop as the controller's."""
    found: list[Death] = []
    child = made.children["aside"]

    def turn() -> bool:
        found.extend(made.tick(time.monotonic_ns()))
        found.extend(one for one in made.receive(child, time.monotonic_ns()) if isinstance(one, Death))
        return len(found) >= count

    assert wait(turn)
    return found


def test_a_wrong_configuration_is_said_and_not_tried_again(tmp_path: Path, wait: Wait) -> None:
    made = supervisor(tmp_path, "raise SystemExit(3)", "-S")
    (death,) = deaths(made, wait, 1)
    assert (death.reason, death.code) == ("exited: exit code 3, given up for this run", 3)
    assert made.refusal(death) is None  # the daemon goes on
    assert made.next_due_ns() is None and made.tick(time.monotonic_ns() + 60_000_000_000) == []
    assert made.children["aside"].starts == 1


def test_another_end_is_followed_by_another_start(tmp_path: Path, wait: Wait) -> None:
    made = supervisor(tmp_path, "raise SystemExit(1)", "-S")
    found = deaths(made, wait, 3)
    assert [death.reason for death in found] == ["exited: exit code 1"] * 3 and MOST_FAILURES > 3
    assert made.children["aside"].starts == 3
    made.kill()


def test_one_that_never_stops_talking_is_heard_in_turns(tmp_path: Path, wait: Wait) -> None:
    made = supervisor(tmp_path, FLOOD)
    child = made.children["aside"]
    made.tick(time.monotonic_ns())
    assert wait(lambda: len(list(made.receive(child, time.monotonic_ns()))) == 64)
    made.kill()


def test_nobody_waits_for_it_at_the_end(tmp_path: Path, wait: Wait) -> None:
    made = supervisor(tmp_path, "import time; time.sleep(60)", "-S")
    made.tick(time.monotonic_ns())
    child = made.children["aside"]
    process = child._process
    assert process is not None
    os.kill(process.pid, signal.SIGSTOP)
    now_ns = time.monotonic_ns()
    made.stop(now_ns + 30_000_000_000, now_ns + 60_000_000_000)
    assert time.monotonic_ns() - now_ns < 10_000_000_000
    assert wait(lambda: process.poll() == -signal.SIGKILL)
