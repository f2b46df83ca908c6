"""The line that faults are put into: gate, daemon, rejecter and observer; each may be hurt and started again."""

import contextlib
import os
import signal
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

from linewatch.core.errors import CheckFailed
from linewatch.core.keyfiles import PUBLIC, SECRET
from linewatch.core.keyring import SERVER
from linewatch.core.messages import Cause
from linewatch.demo.daemon_status import DaemonStatus
from linewatch.demo.observer import Observer
from linewatch.demo.processes import Process
from linewatch.faults.children import children_of
from linewatch.faults.rejecter_book import RejecterBook
from linewatch.faults.station_file import REJECTER, Layout
from linewatch.line.runtime import resolve
from linewatch.sim.gate import VirtualGate

STANDARD_COMMAND = (sys.executable, "-m", "linewatch", "run")
_COMMAND = (sys.executable, "-m", "linewatch.faults.daemon")
_STEP_MS = 10
_START_S = 240.0
_SETTLE_S = 60.0
_EXIT_S = 30.0
_ONE_PART_S = 0.25
_SOME_PARTS = 3
_NEWEST = 16  # parts may be decided out of order
_GOOD = (Cause.OK, Cause.DEFECT)


class FaultLine:
    """One virtual line. When the block ends, no process of it is left.

    gate: in this process, so that every part is known at once. observer: what was heard so far. output: run folders.
    """

    def __init__(self, folder: Path, base: Path, layout: Layout, patience: float = 1.0) -> None:
        """Starts everything and returns at once.

        folder: for logs. base: short private folder for the sockets. patience: multiplies the time to settle.
        """
        self.layout = layout
        self.station = layout.station
        self.output = layout.station.storage.output
        self.folder, self.base = folder, base
        self._patience = patience
        self._started = 0
        self._stack = contextlib.ExitStack()
        try:
            self._start()
        except BaseException:
            self._stack.close()
            raise

    def _start(self) -> None:
        self.gate = self._stack.enter_context(VirtualGate(self.base / "gate"))
        self.status = DaemonStatus(self.base / "status.sock")
        self._stack.callback(self.status.close)
        self.observer = Observer(self.endpoint("observers"), self.station.name)
        self._stack.callback(self.observer.close)
        self.rejecter_book = RejecterBook(self.folder / "rejecter.jsonl")
        self.start_rejecter()
        self.start_daemon()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stack.close()

    # Its processes

    def start_daemon(self, **variables: str) -> None:
        """Start the daemon (again), with these environment variables as well."""
        self.status.forget()
        detector = () if self.layout.null else ("--trained",)
        self.daemon = self.spawn("line", [*_COMMAND, str(self.layout.path), *detector], self.environment() | variables)

    def start_rejecter(self) -> None:
        command = [sys.executable, "-m", "linewatch.actuators", "--station", self.station.name]
        keys = self.station.security.folder
        command += ["--line-key", str(keys / f"{SERVER}{PUBLIC}"), "--key", str(keys / f"{REJECTER}{SECRET}")]
        command += ["--endpoint", self.endpoint("actuators"), "--log", str(self.rejecter_book.path)]
        self.rejecter = self.spawn("rejecter", command, os.environ)

    def spawn(self, name: str, command: Sequence[str], environment: Mapping[str, str]) -> Process:
        """A process of the line with a log of its own; it ends with the line at the latest."""
        self._started += 1
        process = Process(name, command, self.folder / f"{self._started:02d}-{name}.log", environment)
        return self._stack.enter_context(process)

    def environment(self) -> dict[str, str]:
        """What the daemon is started with, as systemd would."""
        return {**os.environ, "RUNTIME_DIRECTORY": str(self.base), "NOTIFY_SOCKET": str(self.status.path)}

    def endpoint(self, name: str) -> str:
        return resolve(getattr(self.station.endpoints, name), self.base / self.station.name)

    def child(self, name: str) -> int:
        """Process id of `camera`, `inspector` or `recorder`. Raises CheckFailed when there is none."""
        found = children_of(self.daemon.popen.pid)
        if name not in found:
            raise CheckFailed(name, "does not run")
        return found[name]

    def signal_child(self, name: str, number: signal.Signals) -> int:
        """Send a real signal to a child; returns the monotonic time of it."""
        os.kill(self.child(name), number)
        return time.monotonic_ns()

    # Waiting

    def until(self, condition: Callable[[], bool], limit_s: float) -> bool:
        """Listen until `condition` holds; False when it does not within `limit_s`."""
        end = time.monotonic() + limit_s
        while not condition():
            if time.monotonic() > end:
                return False
            self._listen()
        return True

    def follow(self, seconds: float) -> None:
        """Listen for so long."""
        self.until(lambda: False, seconds)

    def heard(self, kind: str, since: int, text: str = "") -> bool:
        """Whether an event of `kind` that begins with `text` came; since: events before are not looked at."""
        return any(event.kind == kind and event.text.startswith(text) for event in self.observer.events[since:])

    def wait_for(self, kind: str, text: str = "", limit_s: float = 15.0) -> bool:
        """Listen until an event of `kind` that begins with `text` comes."""
        since = len(self.observer.events)
        return self.until(lambda: self.heard(kind, since, text), limit_s * self._patience)

    def works(self, since_ns: int) -> bool:
        """Whether all processes answer, the rejecter trusts the line, and a part after `since_ns` was inspected."""
        last = self.observer.decisions[-1:]
        good = any(one.cause in _GOOD and one.t_trigger_ns > since_ns for one in last)
        return good and self.status.inspecting and self.rejecter_book.trusts

    def all_decided(self) -> bool:
        """Whether no part is on its way: the newest trigger is older than any deadline."""
        fired = self.gate.fired
        age_ns = time.monotonic_ns() - fired[-1].t_ns if fired else 0
        return not fired or age_ns > (self.station.line.deadline_ms + 100) * 1e6

    def newest_answered(self) -> bool:
        """Whether the answer for the newest part was heard."""
        fired, decisions = self.gate.fired, self.observer.decisions
        return not fired or any(one.t_trigger_ns >= fired[-1].t_ns for one in decisions[-_NEWEST:])

    def time_of(self, parts: int) -> float:
        """How long so many parts take to come, in seconds."""
        return parts * 60.0 / self.layout.pace_per_min

    def let_parts_come(self, least_s: float) -> float:
        """Listen while some parts come, for `least_s` at least; returns how long it was."""
        seconds = max(least_s, self.time_of(_SOME_PARTS))
        self.follow(seconds)
        return seconds

    def settle(self) -> None:
        """Wait until a single part passes. Raises CheckFailed when none does, with the daemon's last words."""
        limit_s = self._patience * (_SETTLE_S if self.observer.run else _START_S)
        began_ns, next_s = time.monotonic_ns(), 0.0
        end = time.monotonic() + limit_s
        while not self.works(began_ns):
            if self.status.inspecting and time.monotonic() >= next_s:
                self.gate.fire()
                next_s = time.monotonic() + max(_ONE_PART_S, self.station.line.deadline_ms / 1000)
            if self.daemon.ended is not None or time.monotonic() > end:
                raise CheckFailed(self.daemon.log, f"the line does not inspect: {self.daemon.last_words()}")
            self._listen()
        self.until(self.all_decided, limit_s)

    def _listen(self) -> None:
        """Hear everybody; a status that nobody fetches would be lost among the daemon's signs of life."""
        self.status.fetch()
        self.observer.listen(_STEP_MS)

    def exit_code(self) -> int | None:
        """The daemon's exit code once it has ended, none when it does not."""
        self.until(lambda: self.daemon.ended is not None, _EXIT_S)
        return self.daemon.ended
