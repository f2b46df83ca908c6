"""CURVE on ZeroMQ sockets (RFC 26): who encrypts with which keys, and hearing of handshakes that fail.

libzmq says nothing by itself when a handshake fails: the peer just stays silent. Its socket monitor tells.
"""

import struct
from dataclasses import dataclass, field
from pathlib import Path

import zmq

from linewatch.core.keyfiles import read_public, read_secret

ZAP_DOMAIN = b"linewatch"
_EVENT = struct.Struct("=HI")  # number and value, as zmq_socket_monitor(3) sends them
_MOST_EVENTS = 64  # taken at once

Socket = zmq.Socket[bytes]


@dataclass(frozen=True)
class ClientKeys:
    """What a client needs: the line's public key and its own secret, 40 Z85 characters each."""

    line_public: str
    secret: str = field(repr=False)

    @classmethod
    def read(cls, line_public: Path, secret: Path) -> "ClientKeys":
        """The keys in these files. Raises KeysError."""
        return cls(read_public(line_public), read_secret(secret))


def new_pair() -> tuple[str, str]:
    """A new public key and its secret."""
    public, secret = zmq.curve_keypair()
    return public.decode(), secret.decode()


def public_of(secret: str) -> str:
    """The public key that belongs to `secret`."""
    return zmq.curve_public(secret.encode()).decode()


def secure_client(socket: Socket, keys: ClientKeys) -> None:
    """Let `socket` speak only to the line that has `keys.line_public`; before it connects."""
    socket.setsockopt(zmq.CURVE_SERVERKEY, keys.line_public.encode())
    socket.setsockopt(zmq.CURVE_PUBLICKEY, public_of(keys.secret).encode())
    socket.setsockopt(zmq.CURVE_SECRETKEY, keys.secret.encode())


def secure_server(socket: Socket, secret: str) -> None:
    """Let `socket` speak only to clients that the ZAP handler of its context lets in; before it binds."""
    socket.setsockopt(zmq.CURVE_SERVER, 1)
    socket.setsockopt(zmq.CURVE_SECRETKEY, secret.encode())
    socket.setsockopt(zmq.ZAP_DOMAIN, ZAP_DOMAIN)
    socket.setsockopt(zmq.ZAP_ENFORCE_DOMAIN, 1)  # without a handler nobody gets in, instead of everybody


def watch(context: "zmq.Context[Socket]", socket: Socket, name: str, events: int) -> Socket:
    """A socket that says when one of `events` happens to `socket`, until `unwatch`. name: unique in its context."""
    address = f"inproc://linewatch.watch.{name}"
    socket.monitor(address, events)
    watching = context.socket(zmq.PAIR)
    watching.setsockopt(zmq.LINGER, 0)
    watching.connect(address)
    return watching


def unwatch(socket: Socket, watching: Socket) -> None:
    """Stop watching; before `socket` is closed."""
    socket.disable_monitor()
    watching.close()


def happened(watching: Socket) -> list[tuple[int, int]]:
    """Events that wait, as number and value, oldest first."""
    found: list[tuple[int, int]] = []
    while len(found) < _MOST_EVENTS:
        try:
            event, _endpoint = watching.recv_multipart(zmq.DONTWAIT)
        except zmq.Again:
            break
        found.append(_EVENT.unpack(event))
    return found
