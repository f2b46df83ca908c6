"""Listening to a running line, as any observer does: nothing goes back to it."""

import time
from pathlib import Path
from types import TracebackType
from typing import Self

import zmq

from linewatch.actuators.handshake import Handshake
from linewatch.actuators.received import Received
from linewatch.core.curve import ClientKeys, secure_client
from linewatch.core.errors import EndpointError, StationError
from linewatch.core.keyring import SERVER
from linewatch.core.station import Station
from linewatch.core.wire import Heartbeat, WireDecision, WireError, unpack
from linewatch.line.endpoints import needs_keys

SILENT_S = 1.0  # without a heartbeat, something may have been lost
_QUEUE = 10_000  # messages; what is lost beyond shows as missed
_RECONNECT_MS = 50
_LOOK_MS = 50


class LineEar:
    """Decisions of one station. missed: sent and not heard. silent_s: longest time without a heartbeat.

    runs: every run that was heard of, in order. undecodable: messages that were none of this version.
    """

    def __init__(self, endpoint: str, station: str, keys: ClientKeys | None) -> None:
        """Connects, in the background. Raises EndpointError for an endpoint that is none."""
        self._endpoint, self._station = endpoint, station
        self.missed = self.undecodable = 0
        self.silent_s = 0.0
        self.runs: list[str] = []
        self.line_ns = 0  # the line's clock at the last heartbeat
        self._received = Received()
        self._heard_ns: int | None = None
        self._context: zmq.Context[zmq.Socket[bytes]] = zmq.Context()
        self._socket = self._context.socket(zmq.SUB)
        self._socket.setsockopt(zmq.RCVHWM, _QUEUE)
        self._socket.setsockopt(zmq.LINGER, 0)
        self._socket.setsockopt(zmq.RECONNECT_IVL, _RECONNECT_MS)
        for topic in ("decision", "heartbeat"):
            self._socket.setsockopt(zmq.SUBSCRIBE, f"{station}.{topic}".encode())
        try:
            if keys is not None:
                secure_client(self._socket, keys)
            self._handshake = Handshake(self._context, self._socket, endpoint, has_keys=keys is not None)
        except zmq.ZMQError as exc:
            self._socket.close()
            self._context.term()
            raise EndpointError(endpoint, exc.strerror or "cannot be reached") from exc

    def wait_for_line(self, limit_s: float) -> None:
        """Until a heartbeat has come. Raises EndpointError that says what is known of why none does."""
        end_ns = time.monotonic_ns() + round(limit_s * 1e9)
        while self._heard_ns is None:
            self.hear()
            if time.monotonic_ns() > end_ns:
                why = f": {self._handshake.trouble}" if self._handshake.trouble else "; is the line running?"
                raise EndpointError(self._endpoint, f"no heartbeat of {self._station} for {limit_s:g} s{why}")

    def hear(self) -> list[WireDecision]:
        """The decisions that have come, each once, after waiting 50 ms at most; none before the first heartbeat."""
        self._handshake.look()
        decisions: list[WireDecision] = []
        if self._socket.poll(_LOOK_MS):
            while (frames := self._next()) is not None:
                decisions += self._take(frames)
        if self._heard_ns is not None:
            self.silent_s = max(self.silent_s, (time.monotonic_ns() - self._heard_ns) / 1e9)
        return decisions

    def close(self) -> None:
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
            message = unpack(frames)
        except WireError:  # of a newer line, or rubbish: whatever it was, it is missing in the account
            self.undecodable += 1
            return []
        match message:
            case Heartbeat():
                self._beat(message)
            case WireDecision() if self._heard_ns is not None:
                if message.run != self._received.run:
                    self._begin(message.run, 0)
                return [message] if self._received.add(message.seq) else []
        return []

    def _beat(self, beat: Heartbeat) -> None:
        if beat.run != self._received.run:
            self._begin(beat.run, beat.seq if self._heard_ns is None else 0)
        self.missed += self._received.skip(beat.seq)
        self._heard_ns, self.line_ns = time.monotonic_ns(), beat.t_ns

    def _begin(self, run: str, up_to: int) -> None:
        self._received = Received(run, up_to)
        self.runs.append(run)


def observer_keys(station: Station, key: Path | None) -> ClientKeys | None:
    """The keys to listen with, none when the line asks for none. key: this client's NAME.key; else the page's.

    Raises StationError, KeysError.
    """
    endpoints = station.endpoints
    if not needs_keys(endpoints.observers, endpoints.plaintext):
        return None
    mine = key or station.dashboard.key
    if mine is None:
        remedy = "`linewatch keys new challenge` and `linewatch keys allow keys/challenge.pub` make one"
        raise StationError(
            "--key", f"is needed, because endpoints.observers asks for keys ({remedy})", endpoints.observers
        )
    return ClientKeys.read(station.security.folder / f"{SERVER}.pub", mine)
