"""`audit verify`: is every row of a chained decision log the one that was written, and none missing?"""

import contextlib
import sqlite3
from dataclasses import dataclass
from pathlib import Path

import msgspec

from linewatch.core.errors import CheckFailed, StorageError
from linewatch.records.chain import DATABASE, KEYED, NO_HASH, PLAIN, SCHEMA, Header, Link, link_by
from linewatch.records.database import holds_log, is_database, open_reader, telling
from linewatch.records.decision_log import decoded, log_of
from linewatch.records.summary import SUMMARY
from linewatch.records.tampering import explain
from linewatch.records.tip import TIP, Tip, read_tip


@dataclass(frozen=True)
class Verified:
    """A log whose every row fits. tip: its newest row. noted: what stood beside it as that; none when nothing did."""

    path: Path
    header: Header
    tip: Tip
    noted: Tip | None


def verify(run: Path, known: str = "", key: str | None = None) -> Verified:
    """Read the whole log of a run. run: its folder, where the noted tip must lie, or the database alone.

    known: a hash that was kept elsewhere and must be in the log; empty for none. key: what it must be chained with.
    Raises CheckFailed that names the first row that does not fit, and how; StorageError when there is no such log.
    """
    path = log_of(run)
    if not is_database(path):
        raise StorageError(path, "has no chain to verify: only a line's database has one, a replay writes JSON lines")
    # What stands beside a log is of that log alone, and is asked for before it is read: a running one goes on.
    closed = path.name == DATABASE and (path.parent / SUMMARY).is_file()
    noted = read_tip(path.parent) if path.name == DATABASE else None
    if noted is None and run.is_dir():
        raise CheckFailed(
            run / TIP, "is missing: whether the log's end was cut off is not known; verify the file alone"
        )
    with telling(path), contextlib.closing(open_reader(path)) as connection:
        connection.execute("BEGIN")
        if not holds_log(connection, path):
            raise CheckFailed(path, "is empty" if noted is None else f"truncated: row {noted.number} was noted")
        _check_database(connection, path)
        header = _header(connection)
        tip = _walk(connection, path, noted, known, _link(path, header, key))
    if closed and noted is not None and noted.number < tip.number:
        raise CheckFailed(f"{path}: row {noted.number + 1}", "inserted after the run was closed")
    if header is None:
        raise CheckFailed(f"{path}: row 0", "changed: it does not say whose log this is")
    return Verified(path, header, tip, noted)


def _check_database(connection: sqlite3.Connection, path: Path) -> None:
    """The database is whole, and says what our schema says: another view or index would show other decisions."""
    (found,) = connection.execute("PRAGMA integrity_check(1)").fetchone()
    if found != b"ok":
        raise StorageError(path, f"is damaged: {found.decode('utf-8', 'replace')}")
    texts = {sql for (sql,) in connection.execute("SELECT sql FROM sqlite_master WHERE sql IS NOT NULL")}
    strange = texts.symmetric_difference(text.encode() for text in SCHEMA)
    if strange:
        name = " ".join(min(strange).decode("utf-8", "replace").split()[:4])
        raise CheckFailed(path, "changed: its tables and views are not those of the schema", name)


def _walk(connection: sqlite3.Connection, path: Path, noted: Tip | None, known: str, link: Link) -> Tip:
    """The newest row of a log that fits from its first row to its last."""
    tip, seen, there = Tip(-1, NO_HASH), not known, noted
    for number, line, found in connection.execute("SELECT number, line, hash FROM lines ORDER BY number"):
        if number != tip.number + 1:
            wrong, reason = (tip.number + 1, "removed") if number > tip.number else (number, "inserted")
            raise CheckFailed(f"{path}: row {wrong}", reason)
        if link(tip.hash, line).encode() != found:
            wrong, reason = explain(connection, number, tip.hash, noted, link)
            raise CheckFailed(f"{path}: row {wrong}", reason)
        tip = Tip(number, found.decode())
        seen = seen or tip.hash == known
        if noted is not None and number == noted.number:
            there = tip
        if number:
            decoded(path, number, line)
    if noted is not None and tip.number < noted.number:
        raise CheckFailed(f"{path}: row {tip.number + 1}", f"truncated: row {noted.number} was noted as written")
    if there != noted:
        raise CheckFailed(f"{path}: row {noted.number if noted else 0}", "changed, and all behind it hashed anew")
    if not seen:
        raise CheckFailed(path, "holds no row with this hash: changed or truncated", known)
    return tip


def _header(connection: sqlite3.Connection) -> Header | None:
    """Row 0, if it is there and can be understood; else what was done to it is told by its hash."""
    found = connection.execute("SELECT line FROM lines WHERE number = 0").fetchone()
    with contextlib.suppress(msgspec.MsgspecError):
        return msgspec.json.decode(found[0], type=Header) if found else None
    return None


def _link(path: Path, header: Header | None, key: str | None) -> Link:
    """How the log must be chained."""
    kind = PLAIN if header is None else header.hash
    if kind == KEYED and key is None:
        raise StorageError(path, "is chained with a key: give its file with --key")
    if kind != KEYED and key is not None:
        raise CheckFailed(f"{path}: row 0", "changed: the log is not chained with a key")
    return link_by(key)
