"""Telling systemd how the daemon is (sd_notify(3)); silent where there is no systemd."""

import contextlib
import os
import socket
from collections.abc import Mapping

from linewatch.core.errors import ConfigError
from linewatch.core.wire import HEARTBEAT_NS, SILENCE_NS

_LEAST_WATCHDOG_US = 2 * SILENCE_NS // 1000  # a pause that the line outlives must not end it


def check_watchdog(environment: Mapping[str, str] = os.environ) -> None:
    """Raises ConfigError where systemd's patience is shorter than a pause of the loop that is no fault."""
    given = environment.get("WATCHDOG_USEC", "")
    if given.isdecimal() and 0 < int(given) < _LEAST_WATCHDOG_US:
        reason = (
            f"us must be at least {_LEAST_WATCHDOG_US}: the deciding loop says every {HEARTBEAT_NS // 1000} us that it "
            "lives, and would be killed again and again; raise WatchdogSec in the unit"
        )
        raise ConfigError("WATCHDOG_USEC", reason, int(given))


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
