"""One child process of the line: its command, its channel, and whether it can be trusted to answer."""

import contextlib
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Literal

from linewatch.core.channel import CHANNEL_FD, Channel, channel_pair
from linewatch.core.messages import AnyMessage, Stop
from linewatch.line.start_watch import StartWatch

EXITED = "exited"
LEASH = Path(__file__).with_name("leash.py")
FIRST_BACK_OFF_NS = 100_000_000
LAST_BACK_OFF_NS = 5_000_000_000
_EXIT_S = 0.02  # a process that closed its channel is about to exit, and its code says why
CONFIGURATION_CODES = (2, 3)
MOST_FAILURES = 10  # of an optional child in one run
_LEAVING_NS = 1_000_000_000  # so long an optional child may take from closing its channel to its end
_LOOK_AGAIN_NS = 10_000_000
_MOST_AT_ONCE = 64  # messages of an optional child, so that one that never stops talking holds nobody up
SETTLED_NS = 10_000_000_000  # ready for so long, a child's next failure counts as its first


@dataclass(frozen=True)
class ChildSpec:
    """What to start. name: as the child says in Ready and Health.

    silent_ms: without a message for so long, a ready child hangs. start_ms: until it must be ready. hang_ms: how long a
    starting one may do nothing at all, waiting for a device; one that is stopped has silent_ms.
    optional: the line does without it. It is given up after some failures, and nobody waits for it at the end.
    """

    name: str
    command: tuple[str, ...]
    silent_ms: float = 1000.0
    start_ms: float = 180_000.0
    hang_ms: float = 10_000.0
    optional: bool = False


@dataclass(frozen=True)
class Death:
    """A child is gone. code: its exit code, negative for a signal, none when it was killed for its silence."""

    child: str
    reason: str
    code: int | None
    was_ready: bool


class Supervised:
    """Starts, hears, kills and restarts one process. Times are monotonic nanoseconds, given by the caller.

    state: `down` until its next start, `starting` until it says Ready, then `ready`.
    """

    def __init__(self, spec: ChildSpec, environment: dict[str, str]) -> None:
        self.spec = spec
        self.state: Literal["down", "starting", "ready"] = "down"
        self.starts = 0
        self.ever_ready = False
        self._environment = environment
        self._channel: Channel | None = None
        self._process: subprocess.Popen[bytes] | None = None
        self._watch: StartWatch | None = None
        self._heard_ns = 0
        self._ready_ns = 0
        self._condemned: list[subprocess.Popen[bytes]] = []  # killed, but not yet gone
        self._restart_ns: int | None = 0
        self._back_off_ns = FIRST_BACK_OFF_NS
        self._failures = 0
        self._left_ns: int | None = None
        self._look_ns = 0

    def fileno(self) -> int:
        """The channel to poll; -1 while there is none."""
        return -1 if self._channel is None else self._channel.fileno()

    @property
    def running(self) -> bool:
        """True while a process of this child exists, even a killed one that the kernel still holds."""
        self._condemned = [process for process in self._condemned if process.poll() is None]
        return bool(self._condemned) or (self._process is not None and self._process.poll() is None)

    def send(self, message: AnyMessage) -> bool:
        """Send without waiting; False when the child is gone or does not read."""
        return self._channel is not None and self._channel.send(message)

    def receive(self, now_ns: int) -> Iterator[AnyMessage]:
        """What the child said. Raises ChannelClosed when it closed its end; call `lost` then."""
        if self._channel is not None:
            for message in islice(self._channel.receive(), _MOST_AT_ONCE if self.spec.optional else None):
                self._heard_ns = now_ns
                yield message

    def mark_ready(self, now_ns: int) -> None:
        """The child said Ready."""
        self.state, self.ever_ready, self._ready_ns, self._watch = "ready", True, now_ns, None

    def forgive(self, now_ns: int) -> None:
        """Start the child's silence anew: nobody listened."""
        self._heard_ns = max(self._heard_ns, now_ns)
        if self._watch is not None:
            self._watch.forgive(now_ns)

    def next_due_ns(self) -> int | None:
        """When `start_if_due`, `trouble` or `has_ended` will have something to say."""
        if self._left_ns is not None:
            return self._look_ns
        if self.state == "down":
            return self._restart_ns
        if self._watch is not None:
            return self._watch.next_ns
        return self._heard_ns + round(self.spec.silent_ms * 1e6)

    def start_if_due(self, now_ns: int) -> bool:
        """Start the process when its time has come; True when it was started."""
        if self.state != "down" or self._restart_ns is None or now_ns < self._restart_ns:
            return False
        self._condemned = [process for process in self._condemned if process.poll() is None]
        self._channel, theirs = channel_pair()
        command = [sys.executable, "-S", "-E", str(LEASH), str(os.getpid()), *self.spec.command]
        with theirs:
            self._process = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                pass_fds=[theirs.fileno()],
                env={**self._environment, CHANNEL_FD: str(theirs.fileno())},
                process_group=0,  # Ctrl-C on the terminal is the controller's to answer
            )
        limits = {"stopped_ms": self.spec.silent_ms, "hang_ms": self.spec.hang_ms}
        self._watch = StartWatch(self._process.pid, now_ns, **limits)
        self.state, self._heard_ns, self._restart_ns = "starting", now_ns, None
        self.starts += 1
        return True

    def trouble(self, now_ns: int) -> str:
        """Why the child must be given up, in words; empty while it need not."""
        if self.state == "down" or self._left_ns is not None:
            return ""
        unheard_ms = (now_ns - self._heard_ns) / 1e6
        if self._watch is None:
            return "silent" if unheard_ms > self.spec.silent_ms else ""
        if unheard_ms > self.spec.start_ms:
            return f"not ready within {self.spec.start_ms / 1000:g} s"
        return self._watch.trouble(now_ns)

    def leaves(self, now_ns: int) -> None:
        """It closed its end, and is optional: how it ended is asked for later, because nobody waits for it."""
        if self._channel is not None:
            self._channel.close()
            self._channel = None
        self._left_ns = self._look_ns = now_ns

    def has_ended(self, now_ns: int) -> bool:
        """True once a child that leaves is gone, or takes too long over it; call `lost` then."""
        if self._left_ns is None or self._process is None:
            return False
        self._look_ns = now_ns + _LOOK_AGAIN_NS
        return self._process.poll() is not None or now_ns - self._left_ns > _LEAVING_NS

    def lost(self, now_ns: int, reason: str) -> Death:
        """Give the child up: kill what is left of it and plan its restart."""
        code = self._reap(_EXIT_S if reason == EXITED and not self.spec.optional else 0.0)
        self._watch = self._left_ns = None
        was_ready = self.state == "ready"
        if was_ready and now_ns - self._ready_ns > SETTLED_NS:
            self._back_off_ns = FIRST_BACK_OFF_NS
        self.state, self._restart_ns = "down", now_ns + self._back_off_ns
        self._back_off_ns = min(self._back_off_ns * 2, LAST_BACK_OFF_NS)
        self._failures += 1
        told = reason if code is None else f"{reason}: {_say(code)}"
        if self.spec.optional and (self._failures >= MOST_FAILURES or code in CONFIGURATION_CODES):
            self._restart_ns = None
            told += ", given up for this run"
        return Death(self.spec.name, told, code, was_ready)

    def ask_to_stop(self) -> None:
        """Say Stop and never start again."""
        self._restart_ns = None
        self.send(Stop())

    def signal(self, number: signal.Signals) -> None:
        """Send a signal to a process that is still there."""
        if self._process is not None:
            self._process.send_signal(number)  # does nothing when it is gone already

    def close(self) -> None:
        """Kill what is left and wait a moment until it is gone."""
        self._reap()
        for process in self._condemned:
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(0.1)
        self.state, self._restart_ns = "down", None

    def _reap(self, wait_s: float = 0.0) -> int | None:
        """Close the channel, end the process; its own exit code, none when it had to be killed."""
        if self._channel is not None:
            self._channel.close()
            self._channel = None
        process, self._process = self._process, None
        if process is None:
            return None
        try:
            return process.wait(wait_s)
        except subprocess.TimeoutExpired:
            process.kill()
            self._condemned.append(process)
            return None


def _say(code: int) -> str:
    return f"signal {signal.Signals(-code).name}" if code < 0 else f"exit code {code}"
