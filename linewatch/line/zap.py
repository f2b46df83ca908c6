"""The ZeroMQ authentication protocol (ZAP, RFC 27), as far as CURVE needs it: libzmq asks about every client's key.

Pure: frames in, frames out. libzmq waits for the answer before it lets the client through, without holding anybody up.
"""

from dataclasses import dataclass

ENDPOINT = "inproc://zeromq.zap.01"
_VERSION = b"1.0"
_FIXED_FRAMES = 6
_KEY_BYTES = 32


@dataclass(frozen=True)
class Request:
    """A client that wants in. number: of the request, as sent. address: its IP. key: its public key, 32 bytes."""

    number: bytes
    domain: bytes
    address: str
    key: bytes


def parse(frames: list[bytes]) -> Request | None:
    """The request in `frames`; none when it is not about one CURVE key."""
    if len(frames) != _FIXED_FRAMES + 1:
        return None
    version, number, domain, address, _identity, mechanism, key = frames
    if version != _VERSION or mechanism != b"CURVE" or len(key) != _KEY_BYTES:
        return None
    return Request(number, domain, address.decode("ascii", "replace")[:64], key)


def accepted(request: Request, name: str) -> list[bytes]:
    """The answer that lets the client in, as user `name`."""
    return [_VERSION, request.number, b"200", b"OK", name.encode(), b""]


def denied(number: bytes) -> list[bytes]:
    """The answer that refuses a client for good: it is told, and libzmq does not try again by itself."""
    return [_VERSION, number, b"400", b"this key is not allowed", b"", b""]
