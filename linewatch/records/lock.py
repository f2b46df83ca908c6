"""One recorder per output folder: two would each spend the whole budget and remove the other's pictures."""

import fcntl
import os
import time
from pathlib import Path

from linewatch.core.errors import StorageError

LOCK = ".recorder.lock"
_WAIT_S = 3.0  # a recorder that is just finishing
_RETRY_S = 0.05


def lock_output(output: Path) -> int:
    """Make `output` and take it for this process, until it exits; returns the lock's file descriptor.

    Raises StorageError when it cannot be written or another recorder has it.
    """
    try:
        output.mkdir(parents=True, exist_ok=True)
        fd = os.open(output / LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
    except OSError as exc:
        raise StorageError(output, exc.strerror or "cannot be written") from exc
    give_up = time.monotonic() + _WAIT_S
    while True:
        try:
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() > give_up:
                os.close(fd)
                raise StorageError(output, "is in use by another recorder: give each station its own") from None
            time.sleep(_RETRY_S)
        except OSError as exc:
            os.close(fd)
            raise StorageError(output, exc.strerror or "cannot be locked") from exc
        else:
            return fd
