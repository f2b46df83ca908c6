"""A port for the demo's operator page: the usual one, else whichever is free."""

import socket

PAGE_PORT = 8765


def free_port(wanted: int) -> int:
    """`wanted` when nobody serves there on this machine, else one that the system gives."""
    for port in (wanted, 0):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return int(probe.getsockname()[1])
    return wanted
