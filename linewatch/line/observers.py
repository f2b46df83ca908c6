"""The XPUB socket: decisions, heartbeats and events to whoever listens.

A full pipe of one slow observer must neither hold the line up nor cost the others a message. Lossy XPUB drops silently,
and with XPUB_NODROP the message is refused for everybody; so a message is first sent with NODROP, which tells us that
somebody is behind and is counted, and then again without it, which leaves out only those who are. They see the gap in
`seq`, at the latest by the next heartbeat they get.
"""

import zmq

from linewatch.core.wire import FromLine, pack, topic
from linewatch.line.endpoints import MAX_INCOMING

SEND_QUEUE = 1000  # messages an observer may be behind
LINGER_MS = 100
_MOST_A_TURN = 256  # subscriptions taken before the line looks at its gate again


class Observers:
    """Publishes to whoever subscribes.

    behind: how often some observer fell behind and lost messages. sent: messages so far.
    """

    def __init__(self, context: "zmq.Context[zmq.Socket[bytes]]", station: str) -> None:
        """Not yet bound."""
        self.socket = context.socket(zmq.XPUB)
        self.socket.setsockopt(zmq.SNDHWM, SEND_QUEUE)
        self.socket.setsockopt(zmq.LINGER, LINGER_MS)
        self.socket.setsockopt(zmq.MAXMSGSIZE, MAX_INCOMING)
        self.socket.setsockopt(zmq.XPUB_VERBOSE, 1)
        self.socket.setsockopt(zmq.XPUB_NODROP, 1)
        self._events = topic(station, "event")
        self.behind = 0
        self.sent = 0

    def send(self, message: FromLine) -> None:
        """Publish without waiting for anybody."""
        frames = pack(message)
        self.sent += 1
        try:
            self.socket.send_multipart(frames, zmq.DONTWAIT)
        except zmq.Again:
            self.behind += 1
            self.socket.setsockopt(zmq.XPUB_NODROP, 0)
            self.socket.send_multipart(frames, zmq.DONTWAIT)
            self.socket.setsockopt(zmq.XPUB_NODROP, 1)

    def new_listeners(self) -> bool:
        """Take the subscriptions that wait; True when somebody new wants events and missed those of the start."""
        wanted = False
        for _ in range(_MOST_A_TURN):
            try:
                said = self.socket.recv(zmq.DONTWAIT)
            except zmq.Again:
                break
            wanted |= said[:1] == b"\x01" and self._events.startswith(said[1:])
        return wanted

    def close(self) -> None:
        self.socket.close()
