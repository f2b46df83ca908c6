"""How the daemon says that it is ready: the messages that it would send to systemd."""

import socket
from pathlib import Path

INSPECTING = "inspecting"


class DaemonStatus:
    """The socket that NOTIFY_SOCKET of the daemon names. Bound before the daemon starts, so that nothing is missed."""

    def __init__(self, path: Path) -> None:
        """path: of the socket, in a folder that exists."""
        self.path = path
        self.status = ""
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC)
        self._socket.bind(str(path))
        self._socket.setblocking(False)

    @property
    def inspecting(self) -> bool:
        """Whether camera, inspector and recorder all answer."""
        self._receive()
        return self.status == INSPECTING

    def fetch(self) -> None:
        """Take what has come; the kernel keeps little of it."""
        self._receive()

    def forget(self) -> None:
        """Know nothing, also of what still waits from a daemon that is gone."""
        self._receive()
        self.status = ""

    def close(self) -> None:
        self._socket.close()
        self.path.unlink(missing_ok=True)

    def _receive(self) -> None:
        while True:
            try:
                text = self._socket.recv(4096).decode("utf-8", "replace")
            except BlockingIOError:
                return
            for line in text.splitlines():
                if line.startswith("STATUS="):
                    self.status = line.removeprefix("STATUS=")
