"""The one port that the page opens: the one that the station file names, loopback unless it says the words."""

import errno
import socket

from linewatch.core.errors import EndpointError
from linewatch.core.served import Served

_BACKLOG = 64


def bound(settings: Served, what: str = "dashboard") -> socket.socket:
    """A listening socket. Raises EndpointError when the port is taken or the address is none of this machine."""
    host = "127.0.0.1" if settings.host == "localhost" else settings.host
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    server_socket = socket.socket(family, socket.SOCK_STREAM)
    server_socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        server_socket.bind((host, settings.port))
        server_socket.listen(_BACKLOG)
    except OSError as exc:
        server_socket.close()
        reason = "is taken by another program" if exc.errno == errno.EADDRINUSE else exc.strerror or "cannot be bound"
        raise EndpointError(f"{what} {settings.host}:{settings.port}", reason) from exc
    return server_socket


def address(settings: Served, server_socket: socket.socket) -> str:
    """What to open in a browser."""
    host = f"[{settings.host}]" if ":" in settings.host else settings.host
    return f"http://{host}:{server_socket.getsockname()[1]}/"
