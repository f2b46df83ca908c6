"""Binding ZeroMQ sockets: who may reach them, and saying plainly when they are taken."""

import ipaddress
import os
import socket
from pathlib import Path

import zmq

from linewatch.core.errors import EndpointError, StationError
from linewatch.core.station import Endpoints
from linewatch.line.runtime import resolve

MAX_INCOMING = 4096  # bytes; whoever sends a longer message is disconnected
MAX_IPC_PATH = 107  # bytes, of a Unix socket's address


def check_endpoint(key: str, endpoint: str, plaintext: str) -> None:
    """Refuse what strangers could reach. Raises StationError for `endpoints.key`."""
    where = f"endpoints.{key}"
    scheme, _, address = endpoint.partition("://")
    if scheme == "ipc" and address:
        return
    if scheme != "tcp":
        raise StationError(where, "must be ipc://PATH or tcp://HOST:PORT", endpoint)
    host = address.rpartition(":")[0].strip("[]")
    if not _is_loopback(host) and not plaintext:
        raise StationError(where, "is reachable from the network; endpoints.plaintext must say the words", endpoint)


def bind(socket_: "zmq.Socket[bytes]", key: str, endpoints: Endpoints, runtime: Path) -> str:
    """Bind `socket_` to the endpoint under `key`; returns it as bound. Raises StationError, EndpointError."""
    endpoint = resolve(getattr(endpoints, key), runtime)
    check_endpoint(key, endpoint, endpoints.plaintext)
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


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
