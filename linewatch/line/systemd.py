"""Telling systemd how the daemon is (sd_notify(3)); silent where there is no systemd."""

import contextlib
import os
import socket


class Notifier:
    """Sends to NOTIFY_SOCKET, a path or an abstract name. Never waits and never fails."""

    def __init__(self, address: str | None = None) -> None:
        """address: for NOTIFY_SOCKET in the environment."""
        address = os.environ.get("NOTIFY_SOCKET", "") if address is None else address
        self._address = "\0" + address[1:] if address.startswith("@") else address
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) if address else None
        if self._socket is not None:
            self._socket.setblocking(False)

    def ready(self, status: str) -> None:
        self._say(f"READY=1\nSTATUS={status}\nMAINPID={os.getpid()}")

    def status(self, status: str) -> None:
        self._say(f"STATUS={status}")

    def watchdog(self) -> None:
        self._say("WATCHDOG=1")

    def stopping(self, status: str) -> None:
        self._say(f"STOPPING=1\nSTATUS={status}")

    def close(self) -> None:
        if self._socket is not None:
            self._socket.close()

    def _say(self, text: str) -> None:
        if self._socket is not None:
            with contextlib.suppress(OSError):  # systemd restarting is no reason to stop a line
                self._socket.sendto(text.encode(), self._address)
