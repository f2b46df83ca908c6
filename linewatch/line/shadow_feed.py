"""Which parts the shadow is shown: one at a time, after its decision has gone out, and none waits for it."""

from collections.abc import Callable

from linewatch.core.messages import Look, Record


class ShadowFeed:
    """shown, busy, absent: parts with a picture that it was shown, or not, being busy or not there.

    is_there: it has said Ready. Nothing is queued: at most one part is on its way to it or in its hands.
    """

    def __init__(self, send: Callable[[Look], bool]) -> None:
        """send: gives it one part without waiting; False when it does not take it."""
        self._send = send
        self._at: int | None = None
        self.is_there = False
        self.shown = self.busy = self.absent = 0

    def offer(self, record: Record) -> None:
        """Show it a part that has been decided, if it is free."""
        if record.slot < 0:
            return
        if not self.is_there:
            self.absent += 1
        elif self._at is not None or not self._send(self._look(record)):
            self.busy += 1
        else:
            self._at = record.decision.seq
            self.shown += 1

    def looked(self, seq: int) -> None:
        """It is done with part `seq`."""
        if seq == self._at:
            self._at = None

    def lost(self) -> None:
        """Its process is gone, and the part it held with it."""
        self.is_there, self._at = False, None

    def __str__(self) -> str:
        return f"{self.shown} parts shown to it; not shown, as it was busy: {self.busy}, not there: {self.absent}"

    def _look(self, record: Record) -> Look:
        decision = record.decision
        return Look(
            decision.seq, record.slot, record.generation, decision.verdict, decision.cause, self.busy, self.absent
        )
