"""A small disk of the suite's own, in a mount namespace of its own: the machine's mounts stay as they are."""

import contextlib
import ctypes
import errno
import os
import time
from collections.abc import Iterator
from pathlib import Path

from linewatch.core.errors import StorageError

SIZE_MB = 16
_CLONE_NEWNS, _MS_RDONLY, _MS_REMOUNT, _MS_REC, _MS_PRIVATE = 0x20000, 1, 32, 0x4000, 1 << 18
_MNT_DETACH = 2
_BALLAST = "ballast"
_BLOCK = bytes(64 << 10)
_RETRY_S = 0.005

_libc = ctypes.CDLL(None, use_errno=True)


@contextlib.contextmanager
def small_disk(folder: Path) -> Iterator[None]:
    """Mount a tmpfs of 16 MB on `folder`, seen by this process and those it starts; nothing where that is forbidden."""
    private = not _libc.unshare(_CLONE_NEWNS) and not _mount("none", "/", None, _MS_REC | _MS_PRIVATE, None)
    mounted = private and not _mount("tmpfs", str(folder), "tmpfs", 0, f"size={SIZE_MB}m")
    try:
        yield
    finally:
        if mounted:
            _libc.umount2(str(folder).encode(), _MNT_DETACH)


def set_read_only(folder: Path, read_only: bool, limit_s: float = 3.0) -> bool:
    """Remount; tried for `limit_s`, as a file that is open for writing forbids it. False when it stayed so."""
    end = time.monotonic() + limit_s
    while _mount(None, str(folder), None, _MS_REMOUNT | (_MS_RDONLY if read_only else 0), f"size={SIZE_MB}m"):
        if ctypes.get_errno() != errno.EBUSY or time.monotonic() > end:
            return False
        time.sleep(_RETRY_S)
    return True


def fill(folder: Path) -> None:
    """Write until the disk takes no more."""
    file = os.open(folder / _BALLAST, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    try:
        for size in (len(_BLOCK), 4096, 1):
            with contextlib.suppress(OSError):
                while os.write(file, _BLOCK[:size]):
                    pass
    finally:
        os.close(file)


def empty(folder: Path) -> None:
    """Take the ballast away. Raises StorageError."""
    try:
        (folder / _BALLAST).unlink(missing_ok=True)
    except OSError as exc:
        raise StorageError(folder / _BALLAST, exc.strerror or "cannot be removed") from exc


def _mount(source: str | None, target: str, kind: str | None, flags: int, options: str | None) -> int:
    texts = [None if text is None else text.encode() for text in (source, target, kind)]
    return int(_libc.mount(*texts, ctypes.c_ulong(flags), None if options is None else options.encode()))
