"""Append-only files of JSON lines: one write a line, a torn end repaired at the next opening, never rewritten.

A process killed inside a write, or a machine that loses power, leaves at most one line that is not whole: the last.
"""

import contextlib
import errno
import os
from collections.abc import Iterator
from pathlib import Path

import msgspec

from linewatch.core.errors import StorageError


class LineFile:
    """The writing end. One process writes a file at a time.

    repaired: bytes of a torn last line that were cut off at opening; 0 when the file was whole.
    """

    def __init__(self, path: Path) -> None:
        """Opens or creates the file at `path`. Raises StorageError when it cannot be written."""
        self.path = path
        try:
            self._fd = os.open(path, os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o644)
            self.repaired = _cut_torn_end(self._fd)
        except OSError as exc:
            raise StorageError(path, exc.strerror or "cannot be written") from exc

    def append(self, value: object) -> int:
        """Write `value` as one line in one call; returns its bytes. Raises StorageError; the file is then as before."""
        line = msgspec.json.encode(value) + b"\n"
        try:
            size = os.fstat(self._fd).st_size
            written = os.write(self._fd, line)
            if written != len(line):
                os.ftruncate(self._fd, size)
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        except OSError as exc:
            raise StorageError(self.path, exc.strerror or "cannot be written") from exc
        return len(line)

    def sync(self) -> None:
        """Bring what was written onto the disk. Raises StorageError."""
        try:
            os.fdatasync(self._fd)
        except OSError as exc:
            if exc.errno != errno.EINVAL:  # a pipe or device has nothing to sync
                raise StorageError(self.path, exc.strerror or "cannot be synced") from exc

    def close(self) -> None:
        with contextlib.suppress(OSError):
            os.close(self._fd)


def read_lines(path: Path) -> Iterator[tuple[int, bytes]]:
    """Number, from 1, and text of each whole line; a torn last line is left out. Raises StorageError.

    Use `torn_end` to say that something was left out.
    """
    try:
        with path.open("rb") as file:
            end = path.stat().st_size - torn_end(path)
            at = 0
            for number, line in enumerate(file, start=1):
                at += len(line)
                if at > end:
                    return
                yield number, line
    except OSError as exc:
        raise StorageError(path, exc.strerror or "cannot be read") from exc


def torn_end(path: Path) -> int:
    """How many bytes at the end of the file are no whole line. Raises StorageError."""
    try:
        with path.open("rb") as file:
            return _torn_bytes(file.fileno())
    except OSError as exc:
        raise StorageError(path, exc.strerror or "cannot be read") from exc


def _cut_torn_end(fd: int) -> int:
    torn = _torn_bytes(fd)
    if torn:
        os.ftruncate(fd, os.fstat(fd).st_size - torn)
    return torn


def _torn_bytes(fd: int) -> int:
    size = os.fstat(fd).st_size
    start = _line_start(fd, size)
    if start == size and size > 0:  # ends with a newline; after a power loss the line before it may still be rubbish
        start = _line_start(fd, size - 1)
        return 0 if _is_json(os.pread(fd, size - start, start)) else size - start
    return size - start


def _line_start(fd: int, end: int) -> int:
    """Where the line that ends before byte `end` begins: just behind the newline before it, or 0."""
    step = 1 << 16
    while end > 0:
        begin = max(0, end - step)
        found = os.pread(fd, end - begin, begin).rfind(b"\n")
        if found >= 0:
            return begin + found + 1
        end = begin
    return 0


def _is_json(line: bytes) -> bool:
    try:
        msgspec.json.decode(line)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return False
    return True
