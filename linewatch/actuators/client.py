"""An actuator's side of the wire: every decision once, each acknowledged, and in any doubt: reject all."""

import time
from types import TracebackType
from typing import Self

import zmq

from linewatch.actuators.belt import BeltView
from linewatch.actuators.handshake import Handshake
from linewatch.actuators.received import Received
from linewatch.core.curve import ClientKeys, secure_client
from linewatch.core.errors import EndpointError, UsageError
from linewatch.core.wire import (
    SILENCE_NS,
    VERSION,
    Ack,
    Belt,
    Ejected,
    FromActuator,
    FromLine,
    Heartbeat,
    Leave,
    Register,
    Welcome,
    WireDecision,
    WireError,
    pack_from_actuator,
    unpack,
)

REGISTER_NS = 200_000_000
LINGER_MS = 100
_QUEUE = 8192  # messages


class Client:
    """A registered actuator.

        with Client(endpoint, "bottle-sim", "rejecter-1") as client:
            while True:
                for decision in client.receive(timeout_ms=20):
                    schedule(decision)
                if client.reject_all:
                    air_on()

    reject_all: why nothing may pass, empty while all is well: no heartbeat for 250 ms, a message that could not be
    read, a decision that is missing, a run that nobody has welcomed us to, a belt that nobody knows the place of.
    duplicates: decisions that came again. undecodable: messages that were none. lost: decisions that will never come.
    belt: of a line that tracks parts by counts: where it is, to place decisions that have a `blow_count`.
    """

    def __init__(
        self,
        endpoint: str,
        station: str,
        name: str,
        *,
        since: tuple[str, int] = ("", 0),
        keys: ClientKeys | None = None,
    ) -> None:
        """Connects, in the background, and registers as `name`.

        since: (run, seq) of the last decision that an earlier client of this name had. keys: for a line on tcp.
        Raises UsageError for a name of no or more than 64 characters, EndpointError for an endpoint that is none.
        """
        if not 1 <= len(name) <= 64:
            raise UsageError("name", "must have 1 to 64 characters", name)
        self.station = station
        self.name = name
        self.duplicates = self.undecodable = self.lost = 0
        self.belt = BeltView()
        self._received = Received(*since)
        self._doubt = "not registered yet"
        self._answered = False  # the line has welcomed us since the last doubt
        self._heard_ns: int | None = None
        self._asked_ns: int | None = None
        self._context: zmq.Context[zmq.Socket[bytes]] = zmq.Context()
        self._socket = self._context.socket(zmq.DEALER)
        self._socket.setsockopt(zmq.LINGER, LINGER_MS)
        self._socket.setsockopt(zmq.IMMEDIATE, 1)  # nothing is queued for a line that is not there
        self._socket.setsockopt(zmq.RCVHWM, _QUEUE)
        self._socket.setsockopt(zmq.RECONNECT_IVL, 50)
        self._socket.setsockopt(zmq.RECONNECT_IVL_MAX, 500)
        if keys is not None:
            secure_client(self._socket, keys)
        try:
            self._handshake = Handshake(self._context, self._socket, endpoint, has_keys=keys is not None)
        except zmq.ZMQError as exc:
            self._socket.close()
            self._context.term()
            raise EndpointError(endpoint, exc.strerror or "cannot be reached") from exc

    @property
    def reject_all(self) -> str:
        """Why everything must be rejected now; empty while decisions can be trusted."""
        return self._line_doubt() or self.belt.trouble(time.monotonic_ns())

    def _line_doubt(self) -> str:
        if self._heard_ns is None or time.monotonic_ns() - self._heard_ns > SILENCE_NS:
            trouble = self._handshake.trouble
            return f"no heartbeat: {trouble}" if trouble else "no heartbeat"
        return self._doubt

    @property
    def run(self) -> str:
        """The line's run; empty before the first welcome."""
        return self._received.run

    @property
    def seq(self) -> int:
        """Every decision of the run up to this one has come or will never come."""
        return self._received.up_to

    def fileno(self) -> int:
        """Readable when `receive` may have something; edge-triggered, so call `receive` regularly all the same."""
        return int(self._socket.getsockopt(zmq.FD))

    def receive(self, timeout_ms: float = 50.0) -> list[WireDecision]:
        """The decisions that have come, each once, after waiting at most `timeout_ms` for the first message.

        Call it at least every 100 ms: it also registers again when the line falls silent.
        """
        self._handshake.look()
        self._register_if_needed()
        decisions: list[WireDecision] = []
        if self._socket.poll(max(0, round(timeout_ms))):
            while (frames := self._next()) is not None:
                decisions += self._take(frames)
        self._register_if_needed()
        return decisions

    def ejected(self, run: str, seq: int, *, confirmed: bool) -> None:
        """Tell the line whether a sensor saw the part leave that was blown off."""
        self._say(Ejected(v=VERSION, run=run, seq=seq, confirmed=confirmed))

    def close(self) -> None:
        """Leave: the line need not miss this actuator."""
        self._say(Leave(v=VERSION, name=self.name))
        self._handshake.close()
        self._socket.close()
        self._context.term()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _next(self) -> list[bytes] | None:
        try:
            return self._socket.recv_multipart(zmq.DONTWAIT)
        except zmq.Again:
            return None

    def _take(self, frames: list[bytes]) -> list[WireDecision]:
        try:
            message = self._checked(unpack(frames))
        except WireError as exc:
            self.undecodable += 1
            self._distrust(f"message not understood: {exc}")
            return []
        match message:
            case WireDecision():
                return self._decision(message)
            case Welcome():
                self._welcomed(message)
            case Heartbeat():
                self._heartbeat(message)
            case Belt():
                self._hear_belt(message)
        return []

    def _checked(self, message: FromLine) -> FromLine:
        if message.station != self.station:
            raise WireError(f"it is of station {message.station}")
        return message

    def _decision(self, decision: WireDecision) -> list[WireDecision]:
        if decision.run != self._received.run:
            self._distrust("a decision of a run that has not welcomed us")
            return []
        self._say(Ack(v=VERSION, run=decision.run, seq=decision.seq))
        if decision.blow_count is not None:
            self.belt.expect()
        if self._received.add(decision.seq):
            return [decision]
        self.duplicates += 1
        return []

    def _welcomed(self, welcome: Welcome) -> None:
        newcomer = not self._received.run
        if welcome.run != self._received.run:
            self._received, self.belt = Received(welcome.run), BeltView()
        lost = self._received.skip(welcome.since)
        self.lost += 0 if newcomer else lost
        self._answered = True

    def _heartbeat(self, heartbeat: Heartbeat) -> None:
        if heartbeat.run != self._received.run:
            self._distrust("a heartbeat of a run that has not welcomed us")
            return
        self._heard_ns = time.monotonic_ns()
        missing = self._received.lacks(heartbeat.seq)
        if missing:
            self._distrust(f"{missing} decisions up to {heartbeat.seq} are missing")
        elif self._answered:
            self._doubt = ""

    def _hear_belt(self, where: Belt) -> None:
        if where.run == self._received.run:  # the heartbeat tells of another run
            self.belt.heard(where)

    def _distrust(self, why: str) -> None:
        """Reject all until the line has welcomed us anew and nothing is missing."""
        self._doubt, self._answered = why, False

    def _register_if_needed(self) -> None:
        """Register again while in doubt, in case that the line never heard of us or has forgotten us."""
        now_ns = time.monotonic_ns()
        if not self._line_doubt():
            self._asked_ns = None
        elif self._asked_ns is None or now_ns - self._asked_ns >= REGISTER_NS:
            since = self._received
            if self._say(Register(v=VERSION, name=self.name, run=since.run, seq=since.up_to)):
                self._asked_ns = now_ns

    def _say(self, message: FromActuator) -> bool:
        try:
            self._socket.send(pack_from_actuator(message), zmq.DONTWAIT)
        except zmq.Again:
            return False
        return True
