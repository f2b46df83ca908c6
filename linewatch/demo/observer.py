"""An observer of the line: everything that it publishes, as it was heard."""

import contextlib

import zmq

from linewatch.core.wire import Event, Heartbeat, WireDecision, WireError, unpack

_RECONNECT_MS = 20


class Observer:
    """Subscribes to one station. decisions, events: in the order heard. run: as the last heartbeat said, else empty."""

    def __init__(self, endpoint: str, station: str) -> None:
        """endpoint: of the line's observers; it need not be there yet."""
        self.decisions: list[WireDecision] = []
        self.events: list[Event] = []
        self.run = ""
        self._context: zmq.Context[zmq.Socket[bytes]] = zmq.Context()
        self._socket = self._context.socket(zmq.SUB)
        self._socket.setsockopt(zmq.RCVHWM, 0)  # the account rests on hearing everything
        self._socket.setsockopt(zmq.RECONNECT_IVL, _RECONNECT_MS)
        self._socket.setsockopt(zmq.LINGER, 0)
        self._socket.setsockopt(zmq.SUBSCRIBE, f"{station}.".encode())
        self._socket.connect(endpoint)

    def listen(self, wait_ms: int) -> int:
        """Wait at most `wait_ms` for news, take all there is; returns how many decisions were among it."""
        before = len(self.decisions)
        if self._socket.poll(wait_ms):
            with contextlib.suppress(zmq.Again):
                while True:
                    self._take(self._socket.recv_multipart(zmq.DONTWAIT))
        return len(self.decisions) - before

    def close(self) -> None:
        self._socket.close()
        self._context.term()

    def _take(self, frames: list[bytes]) -> None:
        # What cannot be read is no decision: its part will be missing from this book, which is what must come out.
        with contextlib.suppress(WireError):
            match unpack(frames):
                case WireDecision() as decision:
                    self.decisions.append(decision)
                case Event() as event:
                    self.events.append(event)
                case Heartbeat() as heartbeat:
                    self.run = heartbeat.run
