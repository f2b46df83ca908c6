"""Why the line does not let a client in, and knocking again: libzmq itself never tries again once refused."""

import contextlib
import time

import zmq

from linewatch.core.curve import Socket, happened, unwatch, watch

KNOCK_NS = 500_000_000  # between two tries of a client that was refused
_EVENTS = (
    zmq.EVENT_HANDSHAKE_SUCCEEDED
    | zmq.EVENT_HANDSHAKE_FAILED_AUTH
    | zmq.EVENT_HANDSHAKE_FAILED_PROTOCOL
    | zmq.EVENT_HANDSHAKE_FAILED_NO_DETAIL
)


class Handshake:
    """Connects `socket` and watches. trouble: why the last handshake failed, empty when it did not."""

    def __init__(self, context: "zmq.Context[Socket]", socket: Socket, endpoint: str, *, has_keys: bool) -> None:
        """Connects, in the background. Raises zmq.ZMQError for an endpoint that is none."""
        self.trouble = ""
        self._has_keys = has_keys
        self._socket = socket
        self._endpoint = endpoint
        self._knock_ns: int | None = None
        self._watching = watch(context, socket, "client", _EVENTS)
        try:
            socket.connect(endpoint)
        except zmq.ZMQError:
            self.close()
            raise

    def look(self) -> None:
        """Take the news, and knock again when it is time; call it regularly."""
        for event, _ in happened(self._watching):
            self.trouble = self._said(event)
            if event in (zmq.EVENT_HANDSHAKE_FAILED_AUTH, zmq.EVENT_HANDSHAKE_FAILED_PROTOCOL):
                self._knock_ns = time.monotonic_ns() + KNOCK_NS
        if self._knock_ns is not None and time.monotonic_ns() >= self._knock_ns:
            self._knock_ns = None
            with contextlib.suppress(zmq.ZMQError):  # libzmq may have forgotten the connection that was refused
                self._socket.disconnect(self._endpoint)
            self._socket.connect(self._endpoint)

    def close(self) -> None:
        """Before the socket is closed."""
        unwatch(self._socket, self._watching)

    def _said(self, event: int) -> str:
        if event == zmq.EVENT_HANDSHAKE_SUCCEEDED:
            return ""
        if event == zmq.EVENT_HANDSHAKE_FAILED_AUTH:
            return "the line does not allow this client's key"
        if not self._has_keys:
            return "the line wants keys and this client has none"
        if event == zmq.EVENT_HANDSHAKE_FAILED_PROTOCOL:
            return "this client has keys, and the line speaks without"
        return "the line broke the handshake off; is this its public key?"
