"""The virtual bottle line: gate, daemon and rejecter as processes of their own, and an observer that listens."""

import contextlib
import os
import shutil
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

from linewatch.core.errors import CheckFailed, ConfigError, DeviceError, LinewatchError, StorageError, UsageError
from linewatch.demo.books import Witnesses, read_acts, read_witnesses, trusts
from linewatch.demo.daemon_status import DaemonStatus
from linewatch.demo.gate_control import GateControl
from linewatch.demo.interrupt import Interrupt
from linewatch.demo.memory import Memory, measure
from linewatch.demo.observer import Observer
from linewatch.demo.processes import Process
from linewatch.demo.station_file import Bottles, write_station

RUN_COMMAND = (sys.executable, "-m", "linewatch", "run")
_SHARED_MEMORY = Path("/dev/shm")
_START_S = 240.0  # a network's first compilation takes its time
_STOP_S = 5.0  # the daemon promises 2
_SLACK_S = 0.3
_STEP_MS = 50
_PAGE_S = 60.0  # imports on a busy machine
_ERRORS = {1: CheckFailed, 2: UsageError, 3: ConfigError, 4: DeviceError, 5: StorageError}


class VirtualLine:
    """One run of the daemon on virtual bottles. When the block ends, no process and no file in memory is left.

    folder: holds the station file, the logs, and in it the run folder. observer: what was heard so far.
    """

    def __init__(
        self,
        folder: Path,
        bottles: Bottles,
        deadline_ms: int | None,
        run_command: Sequence[str] = RUN_COMMAND,
        *,
        with_page: bool = False,
    ) -> None:
        """Starts everything; returns before the daemon is ready. folder: to be made.

        run_command: takes the station file. with_page: serve the operator page as well.
        Raises StorageError, StationError or GateError.
        """
        self.folder = folder
        self._acts = folder / "rejecter.jsonl"
        self._stack = contextlib.ExitStack()
        try:
            self._start(bottles, deadline_ms, run_command, with_page)
        except BaseException:
            self._stack.close()
            raise

    def _start(self, bottles: Bottles, deadline_ms: int | None, run_command: Sequence[str], with_page: bool) -> None:
        make_folder(self.folder)
        _empty(self._acts)
        base = _runtime_base()
        self._stack.callback(shutil.rmtree, base, ignore_errors=True)
        self._status = DaemonStatus(base / "status.sock")
        self._stack.callback(self._status.close)
        link, path = base / "gate", self.folder / "station.yaml"
        self.station = write_station(path, link, bottles, deadline_ms)
        name, runtime = self.station.name, base / self.station.name
        environment = {**os.environ, "RUNTIME_DIRECTORY": str(base), "NOTIFY_SOCKET": str(self._status.path)}
        self._gate = GateControl(link, self.folder / "gate.log", os.environ, seed=0)
        self._stack.enter_context(self._gate.process)
        self.observer = Observer(_endpoint(self.station.endpoints.observers, runtime), name)
        self._stack.callback(self.observer.close)
        rejecter = [sys.executable, "-m", "linewatch.actuators", "--station", name, "--log", str(self._acts)]
        rejecter += ["--endpoint", _endpoint(self.station.endpoints.actuators, runtime)]
        self._rejecter = Process("rejecter", rejecter, self.folder / "rejecter.log", os.environ)
        self._stack.enter_context(self._rejecter)
        self._daemon = Process("line", [*run_command, str(path)], self.folder / "line.log", environment)
        self._stack.enter_context(self._daemon)
        if with_page:  # nothing is lost should it end
            page = [sys.executable, "-m", "linewatch", "dashboard", str(path)]
            self._page = self._stack.enter_context(Process("page", page, self.folder / "page.log", environment))

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stack.close()

    def wait_until_inspecting(self, interrupt: Interrupt) -> None:
        """Wait until camera, inspector and recorder answer and the rejecter trusts the line, or until interrupted.

        Raises what the daemon ended with, DeviceError when one of its processes dies or it takes too long.
        """
        give_up = time.monotonic() + _START_S
        while not interrupt and not (self._status.inspecting and self.observer.run and trusts(self._acts)):
            self.follow(_STEP_MS)
            if any(event.kind == "child_died" for event in self.observer.events):
                self._mourn()
            if time.monotonic() > give_up:
                raise DeviceError(self._daemon.log, f"the line is not ready after {_START_S:g} s")

    def follow(self, wait_ms: int) -> int:
        """Listen for at most `wait_ms`; returns how many decisions came. Raises the error that a process ended with."""
        heard = self.observer.listen(wait_ms)
        for process in (self._daemon, self._rejecter, self._gate.process):
            if process.ended is not None:
                raise _error_of(process)
        return heard

    def page(self, interrupt: Interrupt) -> str:
        """What the operator page's process says of itself: its address, or why there is none."""
        give_up = time.monotonic() + _PAGE_S
        while not interrupt and self._page.ended is None and time.monotonic() < give_up:
            if "http://" in self._page.last_words():
                break
            self.follow(_STEP_MS)
        return self._page.last_words()

    def fire(self) -> None:
        """Let one bottle break the gate."""
        self._gate.fire()

    def run(self, pace_per_min: int) -> None:
        """Let bottles come at this pace until `finish`."""
        self._gate.run(pace_per_min)

    def memory(self) -> Memory:
        """Of the daemon's processes, now."""
        return measure(self._daemon.popen.pid)

    def finish(self, interrupt: Interrupt) -> Witnesses:
        """Stop the belt, let what is on it be decided and rejected, stop the daemon, and collect what all wrote down.

        When interrupted, the daemon is told at once; it decides what is on the belt itself.
        Raises GateError or StorageError when a witness cannot be read.
        """
        fired = self._gate.halt()
        patience_s = self.station.line.deadline_ms / 1000 + _SLACK_S
        self._listen(patience_s, until=lambda: bool(interrupt) or len(self.observer.decisions) >= fired)
        self._daemon.terminate()
        self._listen(_STOP_S, until=lambda: self._daemon.ended is not None)
        self._listen(_SLACK_S, until=lambda: not self.observer.listen(0))
        heard = len(self.observer.decisions)
        patience_s = self.station.rejecter.transport_ms / 1000 + _STOP_S
        self._listen(patience_s, until=lambda: self._rejecter.ended is not None or len(read_acts(self._acts)) >= heard)
        self._rejecter.stop()
        return read_witnesses(self._gate.report(), self.observer.decisions, self._acts, self.folder / self.observer.run)

    def _mourn(self) -> None:
        """A process of the daemon died before it was ready: the daemon says why and ends, or would try for ever."""
        self._listen(_STOP_S, until=lambda: self._daemon.ended is not None)
        self.follow(0)
        raise DeviceError(self._daemon.log, self._daemon.last_words())

    def _listen(self, seconds: float, until: Callable[[], bool]) -> None:
        give_up = time.monotonic() + seconds
        while not until() and time.monotonic() < give_up:
            self.observer.listen(_STEP_MS)


def make_folder(folder: Path) -> None:
    """Make an output folder that can be written. Raises StorageError."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as exc:
        raise StorageError(folder, exc.strerror or "cannot be written") from exc


def _empty(log: Path) -> None:
    """The rejecter appends, and this run's acts are to be read alone."""
    try:
        log.write_bytes(b"")
    except OSError as exc:
        raise StorageError(log, exc.strerror or "cannot be written") from exc


def _runtime_base() -> Path:
    """A private folder for the sockets, the gate's link and the frames; its path is short, as sockets need it."""
    shared = _SHARED_MEMORY if os.access(_SHARED_MEMORY, os.W_OK | os.X_OK) else None
    return Path(tempfile.mkdtemp(prefix="linewatch-demo-", dir=shared))


def _endpoint(endpoint: str, runtime: Path) -> str:
    return endpoint.replace("@runtime", str(runtime))


def _error_of(process: Process) -> LinewatchError:
    kind = _ERRORS.get(process.ended or 1, CheckFailed)
    return kind(process.name, f"ended by itself ({process.ended}): {process.last_words()}")
