"""A rejecter as a process: blows rejected parts off at their time, and everything while it is in doubt.

What it did goes out as JSON lines, one at once for each act:
    {"act": "blow", ...}        a rejected part was blown off; `lateness_ms` after its time
    {"act": "missed", ...}      it came too late: the part had passed, and blowing would hit another
    {"act": "let_pass", ...}    a good part
    {"act": "reject_all", ...}  from now on everything is rejected, `reason` says why
    {"act": "normal", ...}      decisions are trusted again
Parts have `run`, `seq`, `verdict`, `cause`; `t_ns` is when it was done, on the monotonic clock, which the line on the
same machine shares.
"""

import json
import time
from typing import TextIO

from linewatch.actuators.client import Client
from linewatch.actuators.schedule import Schedule
from linewatch.core.errors import StorageError
from linewatch.core.wire import WireDecision

LONGEST_WAIT_MS = 20.0


class Rejecter:
    """Acts on what `client` hears. tolerance_ms: a blow later than this would hit another part."""

    def __init__(self, client: Client, log: TextIO, tolerance_ms: float) -> None:
        self._client = client
        self._log = log
        self._tolerance_ns = round(tolerance_ms * 1e6)
        self._schedule = Schedule()
        self._rejecting_all: str | None = None

    def turn(self) -> None:
        """Wait for the next decision or blow, and act. Raises StorageError when the log cannot be written."""
        for decision in self._client.receive(self._wait_ms()):
            if not self._schedule.add(decision):
                self._write_part("let_pass", decision, time.monotonic_ns())
        for decision in self._schedule.due(time.monotonic_ns()):
            self._blow(decision)
        self._watch()

    def _wait_ms(self) -> float:
        next_ns = self._schedule.next_ns()
        if next_ns is None:
            return LONGEST_WAIT_MS
        return min(LONGEST_WAIT_MS, max(0.0, (next_ns - time.monotonic_ns()) / 1e6))

    def _blow(self, decision: WireDecision) -> None:
        now_ns = time.monotonic_ns()
        late_ns = now_ns - decision.t_blow_ns
        act = "blow" if late_ns <= self._tolerance_ns else "missed"
        self._write_part(act, decision, now_ns, lateness_ms=round(late_ns / 1e6, 3))

    def _watch(self) -> None:
        """Say when doubt begins, changes and ends."""
        reason = self._client.reject_all
        if reason == self._rejecting_all:
            return
        self._rejecting_all = reason
        act = {"act": "reject_all", "reason": reason} if reason else {"act": "normal"}
        self._write({**act, "t_ns": time.monotonic_ns()})

    def _write_part(self, act: str, decision: WireDecision, t_ns: int, **more: float) -> None:
        part = {"run": decision.run, "seq": decision.seq, "verdict": decision.verdict, "cause": decision.cause}
        self._write({"act": act, **part, "t_ns": t_ns, **more})

    def _write(self, line: dict[str, object]) -> None:
        try:
            self._log.write(json.dumps(line) + "\n")
            self._log.flush()
        except OSError as exc:
            raise StorageError(self._log.name, exc.strerror or "cannot be written") from exc
