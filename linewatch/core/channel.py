"""A private channel between the controller and one child: a pair of SOCK_SEQPACKET sockets, one message per datagram.

A child that dies closes its end, and the controller's next poll sees it; no lock, no queue, nothing that a killed
process can keep. Sending never blocks: a full channel is the receiver's fault and is counted, not waited for.
"""

import os
import socket
from collections.abc import Iterator

import msgspec

from linewatch.core.messages import AnyMessage, decode, encode

MAX_DATAGRAM = 1 << 17
CHANNEL_FD = "LINEWATCH_CHANNEL_FD"  # environment variable through which a child finds its end


class ChannelClosed(Exception):
    """The other end is gone."""


class Channel:
    """One end. `fileno()` is pollable; `dropped` counts the messages that found the channel full."""

    def __init__(self, sock: socket.socket) -> None:
        self._sock = sock
        self._sock.setblocking(False)
        self.dropped = 0
        self.garbled = 0

    def fileno(self) -> int:
        return self._sock.fileno()

    def send(self, message: AnyMessage) -> bool:
        """Send without waiting; False when the channel is full or the other end gone."""
        try:
            self._sock.send(encode(message))
        except OSError:
            self.dropped += 1
            return False
        return True

    def receive(self) -> Iterator[AnyMessage]:
        """All messages that wait, in order. Raises ChannelClosed when the other end is gone."""
        while True:
            try:
                datagram = self._sock.recv(MAX_DATAGRAM)
            except BlockingIOError:
                return
            except ConnectionResetError:  # told once, when the other end left messages unread; what it sent still waits
                continue
            except OSError as exc:
                raise ChannelClosed(str(exc)) from exc
            if not datagram:
                raise ChannelClosed("closed by the other end")
            try:
                yield decode(datagram)
            except msgspec.MsgspecError:
                self.garbled += 1

    def close(self) -> None:
        self._sock.close()


def channel_pair() -> tuple[Channel, socket.socket]:
    """A channel for this process and the bare socket to hand to a child (pass its fd, then close it here)."""
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    for end in (ours, theirs):
        end.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 1 << 20)
    return Channel(ours), theirs


def inherited_channel() -> Channel:
    """The child's end, from the environment that the supervisor gave it. Raises KeyError outside a supervised child."""
    return Channel(socket.socket(fileno=int(os.environ[CHANNEL_FD])))
