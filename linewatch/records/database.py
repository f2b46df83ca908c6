"""SQLite as the decision log uses it: one writer, any readers, and its errors as ours."""

import contextlib
import errno
import os
import sqlite3
from collections.abc import Iterator
from pathlib import Path

from linewatch.core.errors import StorageError
from linewatch.records.chain import APPLICATION_ID, DATABASE, SCHEMA_VERSION

_WRITER_WAIT_S = 0.05  # whoever locks the log must not hold the recorder up: it tries again
_READER_WAIT_S = 2.0
_CHECKPOINT_PAGES = 64  # 256 kB: so much more than the log itself is on the disk
_MAGIC = b"SQLite format 3\0"
_PRIMARY = 0xFF  # of an extended result code
_FULL = (sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR_SHMSIZE)
_REASONS = {
    sqlite3.SQLITE_FULL: os.strerror(errno.ENOSPC),
    sqlite3.SQLITE_IOERR: os.strerror(errno.EIO),
    sqlite3.SQLITE_BUSY: "is locked by another process",
    sqlite3.SQLITE_LOCKED: "is locked by another process",
    sqlite3.SQLITE_READONLY: "cannot be written",
    sqlite3.SQLITE_CANTOPEN: "cannot be opened",
    sqlite3.SQLITE_CORRUPT: "is damaged",
    sqlite3.SQLITE_NOTADB: "is damaged, or no SQLite database",
}


@contextlib.contextmanager
def telling(path: Path) -> Iterator[None]:
    """What SQLite raises inside becomes StorageError."""
    try:
        yield
    except sqlite3.Error as exc:
        code = getattr(exc, "sqlite_errorcode", 0)
        reason = _REASONS.get(code & _PRIMARY)
        detail = "" if reason is None or code & _PRIMARY == code else f" ({exc.sqlite_errorname})"
        raise StorageError(path, f"{exc}" if reason is None else reason + detail) from exc


def is_full(cause: BaseException | None) -> bool:
    """Whether SQLite failed because the disk is full."""
    return isinstance(cause, sqlite3.Error) and getattr(cause, "sqlite_errorcode", 0) in _FULL


def open_writer(path: Path) -> sqlite3.Connection:
    """Open or create the database, in WAL mode, every commit brought onto the disk. Raises StorageError."""
    with telling(path):
        connection = sqlite3.connect(path, timeout=_WRITER_WAIT_S, isolation_level=None)
        try:
            connection.execute("PRAGMA journal_mode = WAL")
            connection.execute("PRAGMA synchronous = FULL")
            connection.execute(f"PRAGMA wal_autocheckpoint = {_CHECKPOINT_PAGES}")
        except BaseException:
            connection.close()
            raise
    return connection


def open_reader(path: Path) -> sqlite3.Connection:
    """Open for reading alone, beside a writer or without one; text comes as bytes. Raises StorageError."""
    if not path.is_file():
        raise StorageError(path, os.strerror(errno.ENOENT))
    with telling(path):
        connection = sqlite3.connect(_reader_address(path), uri=True, timeout=_READER_WAIT_S, isolation_level=None)
    connection.text_factory = bytes
    return connection


def holds_log(connection: sqlite3.Connection, path: Path) -> bool:
    """False for an empty database: its recorder was killed before it wrote. Raises StorageError for one not ours."""
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    (application,) = connection.execute("PRAGMA application_id").fetchone()
    if application != APPLICATION_ID:
        if connection.execute("SELECT count(*) FROM sqlite_master").fetchone() == (0,):
            return False
        raise StorageError(path, "is a SQLite database, and no decision log of linewatch")
    if version != SCHEMA_VERSION:
        raise StorageError(path, f"is a decision log of schema {version}; this linewatch reads {SCHEMA_VERSION}")
    return True


def read_rows(path: Path, after: int = 0, limit: int = -1) -> Iterator[tuple[int, bytes]]:
    """Number and line of the rows behind row `after`, all of one moment. Raises StorageError."""
    with telling(path), contextlib.closing(open_reader(path)) as connection:
        if holds_log(connection, path):
            query = "SELECT number, line FROM lines WHERE number > ? ORDER BY number LIMIT ?"
            yield from connection.execute(query, (after, limit))


def is_database(path: Path) -> bool:
    """Whether the log at `path` is one of SQLite, by its name or, renamed, by its first bytes."""
    if path.suffix == Path(DATABASE).suffix:
        return True
    with contextlib.suppress(OSError), path.open("rb") as file:
        return file.read(len(_MAGIC)) == _MAGIC
    return False


def _reader_address(path: Path) -> str:
    """A closed log in a folder that may not be written (an archive) is read without the files that WAL wants there."""
    wal = path.with_name(f"{path.name}-wal")
    waits = wal.exists() and wal.stat().st_size > 0
    still = not os.access(path.parent, os.W_OK) and not waits
    return f"{path.resolve().as_uri()}?{'immutable=1' if still else 'mode=ro'}"
