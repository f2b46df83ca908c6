"""The daemon's children, by name, as the kernel lists them."""

import contextlib
from pathlib import Path

_NAMES = {
    b"linewatch.cameras": "camera",
    b"linewatch.inspection": "inspector",
    b"linewatch.faults.null_inspector": "inspector",
    b"linewatch.records": "recorder",
    b"linewatch.faults.failing_recorder": "recorder",
}


def children_of(pid: int) -> dict[str, int]:
    """Process ids of camera, inspector and recorder below the daemon `pid`; whoever is not running is not in it."""
    found: dict[str, int] = {}
    for child in _text(f"/proc/{pid}/task/{pid}/children").split():
        for word in _text(f"/proc/{child.decode()}/cmdline").split(b"\0"):
            if word in _NAMES:
                found[_NAMES[word]] = int(child)
    return found


def _text(path: str) -> bytes:
    with contextlib.suppress(OSError):  # it ended meanwhile
        return Path(path).read_bytes()
    return b""
