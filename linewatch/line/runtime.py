"""The runtime folder of a station: sockets, frame ring and lock; private, on a tmpfs where there is one."""

import fcntl
import os
import stat
from pathlib import Path
from typing import IO

from linewatch.core.errors import EndpointError, StorageError

SHARED_MEMORY = Path("/dev/shm")
LOCK_FILE = "line.lock"


def runtime_folder(station: str, base: Path | None = None) -> Path:
    """Where the runtime folder of `station` lies; it need not exist.

    base: chosen by the user; else what systemd or the login session gives, else shared memory, else /tmp.
    """
    return (base or _standard_base()) / station


def resolve(endpoint: str, runtime: Path) -> str:
    """`endpoint` with @runtime replaced by the runtime folder."""
    return endpoint.replace("@runtime", str(runtime))


def private_folder(path: Path) -> Path:
    """Make `path` a folder that only this user can enter. Raises StorageError when it is somebody else's."""
    try:
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
        found = path.lstat()
        if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.geteuid():
            raise StorageError(path, "is no folder of this user and cannot be trusted with sockets")
        path.chmod(0o700)
    except OSError as exc:
        raise StorageError(path, exc.strerror or "cannot be made") from exc
    return path


def lock(runtime: Path) -> IO[str]:
    """Keep a second daemon off this station while the returned file is open. Raises EndpointError naming the first."""
    path = runtime / LOCK_FILE
    try:
        file = path.open("a+")
    except OSError as exc:
        raise StorageError(path, exc.strerror or "cannot be written") from exc
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as exc:
        file.seek(0)
        owner = file.read(20).strip() or "unknown"
        file.close()
        raise EndpointError(runtime, f"another linewatch (process {owner}) runs this station") from exc
    file.truncate(0)
    file.write(f"{os.getpid()}\n")
    file.flush()
    return file


def _standard_base() -> Path:
    given = os.environ.get("RUNTIME_DIRECTORY", "").split(":")[0]
    if given:
        return Path(given)
    session = os.environ.get("XDG_RUNTIME_DIR", "")
    if session:
        return Path(session) / "linewatch"
    shared = SHARED_MEMORY if os.access(SHARED_MEMORY, os.W_OK | os.X_OK) else Path("/tmp")
    return shared / f"linewatch-{os.geteuid()}"
