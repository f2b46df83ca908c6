"""The virtual gate's process, by its orders and its report."""

import contextlib
import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from linewatch.core.errors import GateError
from linewatch.demo.processes import Process

_JITTER = 0.1  # share of the pitch: bottles on a belt do not keep it exactly


class GateControl:
    """Starts the gate under `link` and orders it about."""

    def __init__(self, link: Path, log: Path, environment: Mapping[str, str], seed: int) -> None:
        """Returns once the device is there. Raises GateError when it does not come, StorageError for the log."""
        command = [sys.executable, "-m", "linewatch.sim.gate_process", "--link", str(link), "--linger", "0"]
        command += ["--delay", "0", "--jitter", str(_JITTER), "--seed", str(seed)]
        self.process = Process("gate", command, log, environment, piped=True)
        if not self._read_line():
            self.process.stop()
            raise GateError(link, f"the virtual gate did not start: {self.process.last_words()}")

    def fire(self) -> None:
        """Let one part break the beam."""
        self._order("fire")

    def run(self, pace_per_min: int) -> None:
        """Let parts come at this pace until `halt`."""
        self._order(f"pace {pace_per_min}")

    def halt(self) -> int:
        """No more parts; returns how many there were. Raises GateError when the gate has died."""
        self._order("stop")
        self._order("count")
        return int(self._answer()["count"])

    def report(self) -> tuple[int, ...]:
        """End the gate; returns its counter of each trigger, in order. Raises GateError when it has died."""
        self._order("quit")
        return tuple(int(fired["counter"]) for fired in self._answer()["fired"])

    def _answer(self) -> dict[str, Any]:
        text = self._read_line()
        try:
            answer: dict[str, Any] = json.loads(text)
        except ValueError as exc:
            raise GateError("gate", f"the virtual gate ended without its account: {self.process.last_words()}") from exc
        return answer

    def _order(self, order: str) -> None:
        pipe = self.process.popen.stdin
        assert pipe is not None
        with contextlib.suppress(BrokenPipeError):  # it died: its report will be missing, and that is said
            pipe.write(f"{order}\n".encode())
            pipe.flush()

    def _read_line(self) -> str:
        pipe = self.process.popen.stdout
        assert pipe is not None
        return pipe.readline().decode()
