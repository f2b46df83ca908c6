"""The children of the line: commands of their own, started again when they die or fall silent, gone at the end."""

import os
import signal
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

from linewatch.core.channel import ChannelClosed
from linewatch.core.child import RUNTIME
from linewatch.core.messages import AnyMessage, Ready
from linewatch.core.station import Station
from linewatch.core.times import camera_silence_ms, silence_ms
from linewatch.line.supervised import CONFIGURATION_CODES, EXITED, ChildSpec, Death, Supervised

RUN = "LINEWATCH_RUN"  # environment variable: the run id
STALL_NS = 250_000_000  # a longer pause of our own loop proves nothing about the children
SHADOW = "shadow"
_SHADOW_SILENT_MS, _SHADOW_START_MS = 120_000.0, 600_000.0  # it runs only when nothing else does
_STOP_STEP_NS = 10_000_000
_DEVICE_MS = 15_000.0  # drivers wait up to 10 s for a camera's first frame, and then say what is wrong with it


class Supervisor:
    """All children of one run. Times are monotonic nanoseconds, given by the caller."""

    def __init__(self, specs: Sequence[ChildSpec], runtime: Path, run: str) -> None:
        environment = {**os.environ, RUNTIME: str(runtime), RUN: run}
        self.children = {spec.name: Supervised(spec, environment) for spec in specs}
        self._ticked_ns: int | None = None

    @property
    def needed(self) -> dict[str, Supervised]:
        """The children that the line cannot do without."""
        return {name: child for name, child in self.children.items() if not child.spec.optional}

    def send(self, child: str, message: AnyMessage) -> bool:
        """Send without waiting; False when there is no such child, it is down, or it does not read."""
        return child in self.children and self.children[child].send(message)

    def receive(self, child: Supervised, now_ns: int) -> Iterator[AnyMessage | Death]:
        """What `child` said, and its death if that was the last of it."""
        try:
            for message in child.receive(now_ns):
                if isinstance(message, Ready):
                    child.mark_ready(now_ns)
                yield message
        except ChannelClosed:
            if child.spec.optional:
                child.leaves(now_ns)
            else:
                yield child.lost(now_ns, EXITED)

    def tick(self, now_ns: int) -> list[Death]:
        """Start what is due, kill what hangs. Call after the waiting messages were received."""
        if self._ticked_ns is not None and now_ns - self._ticked_ns > STALL_NS:
            for child in self.children.values():
                child.forgive(now_ns)
        self._ticked_ns = now_ns
        deaths = [child.lost(now_ns, EXITED) for child in self.children.values() if child.has_ended(now_ns)]
        deaths += [child.lost(now_ns, why) for child in self.children.values() if (why := child.trouble(now_ns))]
        for child in self.children.values():
            child.start_if_due(now_ns)
        return deaths

    def next_due_ns(self) -> int | None:
        """When `tick` will have something to do."""
        due = [child.next_due_ns() for child in self.children.values()]
        return min((at for at in due if at is not None), default=None)

    def refusal(self, death: Death) -> int | None:
        """The exit code for the daemon when `death` says that the station is wrongly configured, else none."""
        child = self.children[death.child]
        first_start = child.starts == 1 and not child.ever_ready and not child.spec.optional
        return death.code if first_start and death.code in CONFIGURATION_CODES else None

    def stop(self, term_ns: int, kill_ns: int) -> None:
        """Say Stop, SIGTERM from `term_ns` on, SIGKILL at `kill_ns`; returns when all are gone.

        An optional child is killed at once.
        """
        for child in self.children.values():
            if child.spec.optional:
                child.close()
            else:
                child.ask_to_stop()
        termed = False
        while any(child.running for child in self.children.values()) and (now_ns := time.monotonic_ns()) < kill_ns:
            if now_ns >= term_ns and not termed:
                termed = True
                for child in self.children.values():
                    child.signal(signal.SIGTERM)
            time.sleep(_STOP_STEP_NS / 1e9)
        self.kill()

    def kill(self) -> None:
        """End at once what still runs; harmless when nothing does."""
        for child in self.children.values():
            child.close()


def standard_children(path: Path, station: Station) -> tuple[ChildSpec, ...]:
    """Camera, inspector and recorder of the station file at `path`, and its shadow where it has one."""
    deadline_ms = station.line.deadline_ms
    patience_ms = silence_ms(deadline_ms)
    shadow = ChildSpec(
        SHADOW, _module("linewatch.shadow", path), _SHADOW_SILENT_MS, _SHADOW_START_MS, _SHADOW_START_MS, optional=True
    )
    return (
        ChildSpec("camera", _module("linewatch.cameras", path), camera_silence_ms(deadline_ms), hang_ms=_DEVICE_MS),
        ChildSpec("inspector", _module("linewatch.inspection", path), patience_ms),
        ChildSpec("recorder", _module("linewatch.records", path), max(5000.0, patience_ms)),  # a disk may stall
        *(() if station.shadow is None else (shadow,)),
    )


def _module(name: str, path: Path) -> tuple[str, ...]:
    return (sys.executable, "-m", name, str(path))
