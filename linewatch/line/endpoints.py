"""Binding ZeroMQ sockets: who may reach them, and saying plainly when they are taken."""

import os
import socket
from pathlib import Path

import zmq

from linewatch.core.errors import EndpointError, StationError
from linewatch.core.station import Endpoints
from linewatch.line.runtime import resolve

MAX_INCOMING = 4096  # bytes; whoever sends a longer message is disconnected
MAX_IPC_PATH = 107  # bytes, of a Unix socket's address


def check_endpoint(key: str, endpoint: str) -> None:
    """Raises StationError for `endpoints.key` unless it is ipc or tcp."""
    scheme, _, address = endpoint.partition("://")
    if scheme not in ("ipc", "tcp") or not address:
        raise StationError(f"endpoints.{key}", "must be ipc://PATH or tcp://HOST:PORT", endpoint)


def needs_keys(endpoint: str, plaintext: str) -> bool:
    """Whether only clients with keys may connect: always on tcp, unless the words were said."""
    return endpoint.startswith("tcp://") and not plaintext


def bind(socket_: "zmq.Socket[bytes]", key: str, endpoints: Endpoints, runtime: Path) -> str:
    """Bind `socket_` to the endpoint under `key`; returns it as bound. Raises StationError, EndpointError."""
    endpoint = resolve(getattr(endpoints, key), runtime)
    check_endpoint(key, endpoint)
    if endpoint.startswith("ipc://"):
        _check_ipc(endpoint)
    before = os.umask(0o077)  # an ipc socket outside the runtime folder is private as well
    try:
        socket_.bind(endpoint)
    except zmq.ZMQError as exc:
        reason = "is taken by another program" if exc.errno == zmq.EADDRINUSE else exc.strerror
        raise EndpointError(endpoint, reason) from exc
    finally:
        os.umask(before)
    return str(socket_.getsockopt_string(zmq.LAST_ENDPOINT))


def _check_ipc(endpoint: str) -> None:
    """ZeroMQ would silently take over an ipc path that somebody serves, and cuts off one that is too long."""
    path = endpoint.removeprefix("ipc://")
    if len(os.fsencode(path)) > MAX_IPC_PATH:
        raise EndpointError(endpoint, f"is longer than the {MAX_IPC_PATH} bytes of a socket path")
    address = "\0" + path[1:] if path.startswith("@") else path
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
        probe.settimeout(0.2)
        try:
            probe.connect(address)
        except OSError:
            return
    raise EndpointError(endpoint, "is taken by another program")
