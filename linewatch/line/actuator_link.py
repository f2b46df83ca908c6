"""The ROUTER socket: every decision to every registered actuator, again and again until it is acknowledged.

Actuators also get the heartbeats here, in order with the decisions: one that has all decisions up to the heartbeat's
`seq` knows that it has lost none.
"""

from collections import OrderedDict

import zmq

from linewatch.core.messages import Note
from linewatch.core.wire import (
    VERSION,
    Ack,
    Belt,
    Ejected,
    FromLine,
    Heartbeat,
    Leave,
    Register,
    Welcome,
    WireDecision,
    WireError,
    pack,
    unpack_from_actuator,
)
from linewatch.line.endpoints import MAX_INCOMING
from linewatch.line.peer import Peer

MEMORY = 1024  # decisions kept for actuators that come back
MAX_PEERS = 32
LINGER_MS = 100
_MOST_A_TURN = 256  # messages taken before the line looks at its gate again


class ActuatorLink:
    """Sends, repeats and counts. Times are monotonic nanoseconds, given by the caller.

    refused: messages of actuators that could not be understood. unsent: sends that found the actuator gone or full.
    """

    def __init__(self, context: "zmq.Context[zmq.Socket[bytes]]", station: str, run: str) -> None:
        """Not yet bound."""
        self.socket = context.socket(zmq.ROUTER)
        self.socket.setsockopt(zmq.ROUTER_MANDATORY, 1)  # a vanished actuator is an error to count, not silence
        self.socket.setsockopt(zmq.SNDHWM, MEMORY * 2)
        self.socket.setsockopt(zmq.LINGER, LINGER_MS)
        self.socket.setsockopt(zmq.MAXMSGSIZE, MAX_INCOMING)
        self._station = station
        self._run = run
        self._peers: dict[str, Peer] = {}
        self._memory: OrderedDict[int, WireDecision] = OrderedDict()
        self._forgotten = 0  # decisions up to here are no longer remembered
        self._decided_up_to = 0
        self._hold_ns = 0
        self._belt: Belt | None = None  # where it stands, once it has been said
        self._ejections: list[Ejected] = []
        self.refused = 0
        self.unsent = 0

    def decide(self, decision: WireDecision, now_ns: int) -> None:
        """Send a decision to every actuator and remember it for those that come back."""
        self._memory[decision.seq] = decision
        if len(self._memory) > MEMORY:
            self._forgotten = max(self._forgotten, self._memory.popitem(last=False)[0])
        for peer in self._peers.values():
            peer.expect(decision, now_ns)
            self._send(peer.identity, decision)

    def hold(self, until_ns: int) -> None:
        """Welcome nobody before: parts that no run has seen are on their way, and a rejecter in doubt rejects all."""
        self._hold_ns = until_ns

    def belt(self, where: Belt) -> None:
        """Send where the belt stands to every actuator."""
        self._belt = where
        for peer in self._peers.values():
            self._send(peer.identity, where)

    def beat(self, heartbeat: Heartbeat) -> None:
        """Send the heartbeat to every actuator."""
        self._decided_up_to = heartbeat.seq
        for peer in self._peers.values():
            self._send(peer.identity, heartbeat)

    def receive(self, now_ns: int) -> list[Note]:
        """Registrations and acknowledgements that wait."""
        notes: list[Note] = []
        for _ in range(_MOST_A_TURN):
            try:
                identity, *frames = self.socket.recv_multipart(zmq.DONTWAIT)
            except zmq.Again:
                break
            try:
                message = unpack_from_actuator(frames[0] if len(frames) == 1 else b"")
            except WireError as exc:
                self.refused += 1
                notes.append(Note("actuator_refused", f"message not understood: {exc}"))
                continue
            match message:
                case Register():
                    notes += self._register(identity, message, now_ns)
                case Ack():
                    self._acknowledge(identity, message)
                case Ejected():
                    notes += self._ejected(identity, message)
                case Leave():
                    notes += self._leave(identity, message)
        return notes

    def ejections(self) -> list[Ejected]:
        """What sensors have seen, or not, since the last call."""
        ejections, self._ejections = self._ejections, []
        return ejections

    def tick(self, now_ns: int) -> list[Note]:
        """Repeat what is not acknowledged, give up what is too late."""
        notes: list[Note] = []
        for peer in self._peers.values():
            gone = peer.overdue(now_ns)
            if gone:
                text = f"{peer.name} did not acknowledge {len(gone)} decisions in time, {peer.unconfirmed} so far"
                notes.append(Note("unconfirmed", text, max(gone)))
            for decision in peer.to_repeat(now_ns):
                self._send(peer.identity, decision)
        return notes

    def next_due_ns(self) -> int | None:
        """When `tick` has something to do."""
        due = [peer.next_due_ns() for peer in self._peers.values()]
        return min((at for at in due if at is not None), default=None)

    @property
    def registered(self) -> int:
        """Actuators that registered and did not leave."""
        return len(self._peers)

    @property
    def unconfirmed(self) -> int:
        """Decisions that some actuator never acknowledged in time."""
        return sum(peer.unconfirmed for peer in self._peers.values())

    def close(self) -> None:
        self.socket.close()

    def _register(self, identity: bytes, request: Register, now_ns: int) -> list[Note]:
        """Answer with what the actuator can still have: all since its last one, or what it can still act on."""
        if now_ns < self._hold_ns:
            return []  # it asks again
        peer = self._peers.get(request.name)
        if peer is None and len(self._peers) >= MAX_PEERS:
            return [Note("actuator_refused", f"{request.name}: {MAX_PEERS} actuators are registered already")]
        news = [] if peer is not None and peer.identity == identity else [_registered(request)]
        unconfirmed = 0 if peer is None else peer.unconfirmed
        peer = self._peers[request.name] = Peer(request.name, identity, unconfirmed)
        since = self._since(request, now_ns)
        self._send(identity, Welcome(v=VERSION, station=self._station, run=self._run, since=since))
        for seq, decision in self._memory.items():
            if seq > since:
                self._send(identity, decision)
                if not self._passed(decision, now_ns):
                    peer.expect(decision, now_ns)
        return news

    def _since(self, request: Register, now_ns: int) -> int:
        """Up to where decisions are over for this actuator: known, forgotten, or never of use to a newcomer."""
        if request.run == self._run:
            return max(self._forgotten, min(request.seq, max(self._memory, default=0)))
        if request.run:
            return self._forgotten
        passed = [seq for seq, decision in self._memory.items() if self._passed(decision, now_ns)]
        return max([self._forgotten, *(seq for seq in passed if seq <= self._decided_up_to)])

    def _passed(self, decision: WireDecision, now_ns: int) -> bool:
        """Whether the part is beyond the rejecter; a tracked one may stand before it for as long as the belt stands."""
        if decision.blow_count is None:
            return decision.t_blow_ns <= now_ns
        return self._belt is not None and self._belt.count >= decision.blow_count

    def _acknowledge(self, identity: bytes, ack: Ack) -> None:
        for peer in self._peers.values():
            if peer.identity == identity and ack.run == self._run:
                peer.confirm(ack.seq)

    def _ejected(self, identity: bytes, report: Ejected) -> list[Note]:
        name = next((peer.name for peer in self._peers.values() if peer.identity == identity), None)
        if name is None or report.run != self._run:
            return []
        self._ejections.append(report)
        if report.confirmed:
            return []
        return [Note("ejection_unconfirmed", f"{name}: no sensor saw the part leave that was blown off", report.seq)]

    def _leave(self, identity: bytes, request: Leave) -> list[Note]:
        peer = self._peers.get(request.name)
        if peer is None or peer.identity != identity:
            return []
        del self._peers[request.name]
        return [Note("actuator_left", request.name)]

    def _send(self, identity: bytes, message: FromLine) -> None:
        try:
            self.socket.send_multipart([identity, *pack(message)], zmq.DONTWAIT)
        except zmq.ZMQError:  # full, or gone: what matters is repeated, and missed acknowledgements are counted
            self.unsent += 1


def _registered(request: Register) -> Note:
    had = f"has run {request.run} up to {request.seq}" if request.run else "is new"
    return Note("actuator_registered", f"{request.name} {had}")
