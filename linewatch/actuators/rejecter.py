"""A rejecter as a process: blows rejected parts off at their time, and everything while it is in doubt.

What it did goes out as JSON lines, one at once for each act:
    {"act": "blow", ...}        a rejected part was blown off; `lateness_ms` after its time
    {"act": "missed", ...}      it was not: `reason` says why
    {"act": "confirmed", ...}   it was blown off, and the sensor saw it leave, `after_trigger_ms` after its trigger
    {"act": "unconfirmed", ...} it was blown off, and the sensor did not see it leave in time
    {"act": "let_pass", ...}    a good part
    {"act": "reject_all", ...}  from now on everything is rejected, `reason` says why
    {"act": "normal", ...}      decisions are trusted again
    {"act": "output_lost", ...} PLC or relay does not follow, `reason` says why; they reject by themselves
    {"act": "output_back", ...} it follows again
Parts have `run`, `seq`, `verdict`, `cause`; `t_ns` is when it was done, on the monotonic clock, which the line on the
same machine shares.
"""

import json
import time
from typing import TextIO

from linewatch.actuators.client import Client
from linewatch.actuators.confirmation import Confirmation
from linewatch.actuators.output import Output, State
from linewatch.actuators.pulse import Pulse
from linewatch.actuators.schedule import Schedule
from linewatch.core.errors import StorageError
from linewatch.core.wire import WireDecision

LONGEST_WAIT_MS = 20.0


class Rejecter:
    """Acts on what `client` hears, through `output`."""

    def __init__(
        self,
        client: Client,
        output: Output,
        confirmation: Confirmation,
        log: TextIO,
        *,
        tolerance_ms: float,
        pulse_ms: float,
    ) -> None:
        """tolerance_ms: a blow later than this would hit another part. pulse_ms: how long it blows for one part."""
        self._client = client
        self._output = output
        self._confirmation = confirmation
        self._log = log
        self._tolerance_ms = tolerance_ms
        self._schedule = Schedule()
        self._pulse = Pulse(pulse_ms)
        self._rejecting_all: str | None = None
        self._run = ""
        self._trouble = ""
        self._passes = self._rejects = self._missed = 0

    def turn(self) -> None:
        """Wait for the next decision or blow, and act. Raises StorageError when the log cannot be written."""
        for decision in self._client.receive(self._wait_ms()):
            if not self._schedule.add(decision):
                self._passes += 1
                self._write_part("let_pass", decision, time.monotonic_ns())
        if self._client.run != self._run:
            self._run = self._client.run
            self._schedule.start_run(self._run)
        self._watch()
        now_ns = time.monotonic_ns()
        self._act(self._schedule.due(now_ns, self._client.belt), now_ns)

    def _wait_ms(self) -> float:
        now_ns = time.monotonic_ns()
        next_ns = self._schedule.next_ns(self._client.belt)
        due = [at for at in (next_ns, self._pulse.ends_ns(now_ns)) if at is not None]
        return min(LONGEST_WAIT_MS, max(0.0, (min(due) - now_ns) / 1e6)) if due else LONGEST_WAIT_MS

    def _act(self, due: list[tuple[WireDecision, float]], now_ns: int) -> None:
        """Drive the output, then say what became of the parts that are due."""
        if any(late_ms <= self._tolerance_ms for _, late_ms in due):
            self._pulse.blow(now_ns)
        self._output.show(self._state(now_ns))
        self._watch_output()
        for decision, late_ms in due:
            self._say_blow(decision, late_ms, now_ns)
        for decision, confirmed in self._confirmation.settled(self._output.ejected, now_ns):
            self._client.ejected(decision.run, decision.seq, confirmed=confirmed)
            after_ms = round((now_ns - decision.t_trigger_ns) / 1e6, 3)
            self._write_part("confirmed" if confirmed else "unconfirmed", decision, now_ns, after_trigger_ms=after_ms)

    def _state(self, now_ns: int) -> State:
        trusted = not self._rejecting_all
        return State(
            reject=self._pulse.on(now_ns) or not trusted,
            trusted=trusted,
            seq=self._client.seq,
            passes=self._passes,
            rejects=self._rejects,
            missed=self._missed,
            unconfirmed=self._confirmation.unconfirmed,
        )

    def _say_blow(self, decision: WireDecision, late_ms: float, now_ns: int) -> None:
        lateness_ms = round(late_ms, 3)
        reason = "the decision came too late" if late_ms > self._tolerance_ms else self._output.trouble
        if reason:
            self._missed += 1
            self._write_part("missed", decision, now_ns, lateness_ms=lateness_ms, reason=reason)
        else:
            self._rejects += 1
            self._confirmation.blown(decision, now_ns)
            self._write_part("blow", decision, now_ns, lateness_ms=lateness_ms)

    def _watch(self) -> None:
        """Say when doubt begins, changes and ends."""
        reason = self._client.reject_all
        if reason != self._rejecting_all:
            self._rejecting_all = reason
            self._write_change("reject_all" if reason else "normal", reason)

    def _watch_output(self) -> None:
        """Say when the device stops to follow, and when it follows again."""
        trouble = self._output.trouble
        if trouble != self._trouble:
            self._trouble = trouble
            self._write_change("output_lost" if trouble else "output_back", trouble)

    def _write_change(self, act: str, reason: str) -> None:
        said = {"reason": reason} if reason else {}
        self._write({"act": act, **said, "t_ns": time.monotonic_ns()})

    def _write_part(self, act: str, decision: WireDecision, t_ns: int, **more: float | str) -> None:
        part = {"run": decision.run, "seq": decision.seq, "verdict": decision.verdict, "cause": decision.cause}
        self._write({"act": act, **part, "t_ns": t_ns, **more})

    def _write(self, line: dict[str, object]) -> None:
        try:
            self._log.write(json.dumps(line) + "\n")
            self._log.flush()
        except OSError as exc:
            raise StorageError(self._log.name, exc.strerror or "cannot be written") from exc
