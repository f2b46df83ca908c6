"""One guarded socket: its keys, its failed handshakes, and cutting every connection that it has."""

import zmq

from linewatch.core.curve import Socket, happened, secure_server, unwatch, watch

_FAILED = zmq.EVENT_HANDSHAKE_FAILED_PROTOCOL | zmq.EVENT_HANDSHAKE_FAILED_NO_DETAIL
_REASONS = {
    int(zmq.PROTOCOL_ERROR_ZMTP_MECHANISM_MISMATCH): "a client spoke without keys",
    int(zmq.PROTOCOL_ERROR_ZMTP_CRYPTOGRAPHIC): "a client has another public key for this line",
}


class Door:
    """Lets `socket` speak CURVE alone. watching: readable when a handshake failed."""

    def __init__(self, context: "zmq.Context[Socket]", name: str, socket: Socket, secret: str) -> None:
        """Before `socket` is bound. name: `observers` or `actuators`. secret: the line's own."""
        self.name = name
        self._socket = socket
        self._shut = ""  # the endpoint to open again
        secure_server(socket, secret)
        self.watching = watch(context, socket, name, _FAILED)

    def shut(self) -> None:
        """Cut every connection, and take none in until `open`: closing the listener is what libzmq offers for this."""
        if not self._shut:
            self._shut = self._socket.getsockopt_string(zmq.LAST_ENDPOINT)
            self._socket.unbind(self._shut)

    def open(self) -> bool:
        """Take clients in again; false while the system has not given the port back yet."""
        if self._shut:
            try:
                self._socket.bind(self._shut)
            except zmq.ZMQError:
                return False
            self._shut = ""
        return True

    def failures(self) -> list[str]:
        """Why handshakes failed since the last call."""
        return [_reason(event, value) for event, value in happened(self.watching)]

    def close(self) -> None:
        """Before the socket is closed."""
        unwatch(self._socket, self.watching)


def _reason(event: int, value: int) -> str:
    if event == zmq.EVENT_HANDSHAKE_FAILED_NO_DETAIL:
        return "a client broke off before it had shown a key; has it any?"
    return _REASONS.get(value, f"a client did not keep to the protocol ({value:#x})")
