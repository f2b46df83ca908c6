"""What every child process of the line controller does alike: channel, signs of life, signals, errors at start."""

import os
import select
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from types import FrameType

from linewatch.core.channel import CHANNEL_FD, Channel, ChannelClosed, inherited_channel
from linewatch.core.clock import Clock, MonotonicClock
from linewatch.core.errors import LinewatchError, UsageError
from linewatch.core.messages import AnyMessage, Health, Ready, Stop
from linewatch.core.times import HEALTH_MS

RUNTIME = "LINEWATCH_RUNTIME"  # environment variable that names the folder of sockets and frame ring
HEALTH_EVERY_NS = round(HEALTH_MS * 1e6)


class Child:
    """The child's side of its channel, for a loop that calls `turn` again and again.

    stopping: becomes true on Stop, on SIGTERM and when the controller is gone. progress: counted up by the loop.
    """

    def __init__(self, name: str, channel: Channel, clock: Clock | None = None) -> None:
        self.name = name
        self.channel = channel
        self.clock = clock or MonotonicClock()
        self.stopping = False
        self.progress = 0
        self._next_health_ns = 0
        self._poller = select.poll()
        self._poller.register(channel.fileno(), select.POLLIN)

    def start(self, detail: str) -> None:
        """Take the signals and say Ready. Ctrl-C is the controller's business: it says Stop."""
        signal.signal(signal.SIGTERM, self._on_sigterm)
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        self.channel.send(Ready(self.name, detail))

    def turn(self, wait_ms: float = HEALTH_EVERY_NS / 1e6) -> list[AnyMessage]:
        """The messages that have arrived, after waiting for one at most `wait_ms`, never beyond the next Health."""
        self.say_health()
        due_ms = (self._next_health_ns - self.clock.now_ns()) / 1e6
        self._poller.poll(0 if self.stopping else max(0.0, min(wait_ms, due_ms)))
        return self._received()

    def say_health(self) -> None:
        """Send Health if it is due; a loop with long work calls it in between."""
        now_ns = self.clock.now_ns()
        if now_ns >= self._next_health_ns:
            self._next_health_ns = now_ns + HEALTH_EVERY_NS
            self.channel.send(Health(self.name, self.progress, resident_mb()))

    def _received(self) -> list[AnyMessage]:
        messages: list[AnyMessage] = []
        try:
            for message in self.channel.receive():
                if isinstance(message, Stop):
                    self.stopping = True
                else:
                    messages.append(message)
        except ChannelClosed:
            self.stopping = True
        return messages

    def _on_sigterm(self, _number: int, _frame: FrameType | None) -> None:
        self.stopping = True


def resident_mb() -> float:
    """Resident memory of this process in MB."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6


def runtime_folder() -> Path:
    """The folder of sockets and frame ring. Raises UsageError outside a supervised child."""
    return Path(_from_controller(RUNTIME))


def controller_channel() -> Channel:
    """This child's end of its channel. Raises UsageError outside a supervised child."""
    number = _from_controller(CHANNEL_FD)
    try:
        # Held to the very end, so that a closed channel means an exit code: unwinding may take a second before that.
        os.dup(int(number))
        return inherited_channel()
    except (OSError, ValueError) as exc:
        raise UsageError(CHANNEL_FD, f"is no open socket: {exc}", os.environ[CHANNEL_FD]) from exc


def run(serve: Callable[[list[str]], None]) -> int:
    """Run `serve` with the command's arguments; an error of ours becomes one line on stderr and its exit code."""
    try:
        serve(sys.argv[1:])
    except LinewatchError as exc:
        print(exc, file=sys.stderr)
        return exc.exit_code
    return 0


def _from_controller(variable: str) -> str:
    try:
        return os.environ[variable]
    except KeyError:
        raise UsageError(variable, "is not set: this command is started by the line controller") from None
