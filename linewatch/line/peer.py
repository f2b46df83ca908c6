"""One registered actuator: what it has not acknowledged yet, and when to say it again."""

from dataclasses import dataclass, field

from linewatch.core.wire import WireDecision

RESEND_NS = 20_000_000
LEAST_TIME_NS = 50_000_000  # even a decision that comes late is repeated for so long


@dataclass
class _Unacked:
    decision: WireDecision
    until_ns: int
    resend_ns: int


@dataclass
class Peer:
    """An actuator that registered as `name`.

    identity: its connection. unconfirmed: decisions it never acknowledged in time.
    """

    name: str
    identity: bytes
    unconfirmed: int = 0
    _unacked: dict[int, _Unacked] = field(default_factory=dict)

    def expect(self, decision: WireDecision, now_ns: int) -> None:
        """Wait for the acknowledgement of `decision` until the blow is due."""
        until_ns = max(decision.t_blow_ns, now_ns + LEAST_TIME_NS)
        self._unacked[decision.seq] = _Unacked(decision, until_ns, now_ns + RESEND_NS)

    def confirm(self, seq: int) -> None:
        """The actuator has decision `seq`."""
        self._unacked.pop(seq, None)

    def overdue(self, now_ns: int) -> list[int]:
        """The seqs that were not acknowledged in time; they are given up."""
        gone = [seq for seq, unacked in self._unacked.items() if unacked.until_ns <= now_ns]
        for seq in gone:
            del self._unacked[seq]
        self.unconfirmed += len(gone)
        return gone

    def to_repeat(self, now_ns: int) -> list[WireDecision]:
        """The decisions to send again now."""
        due = [unacked for unacked in self._unacked.values() if unacked.resend_ns <= now_ns]
        for unacked in due:
            unacked.resend_ns = now_ns + RESEND_NS
        return [unacked.decision for unacked in due]

    def next_due_ns(self) -> int | None:
        """When `overdue` or `to_repeat` has something to say."""
        return min((min(unacked.until_ns, unacked.resend_ns) for unacked in self._unacked.values()), default=None)
