"""Writing the running line's decision log: decisions.sqlite, every batch of rows on the disk once `append` returns."""

import contextlib
import sqlite3
from collections.abc import Sequence
from pathlib import Path

import msgspec
import structlog

from linewatch.core.clock import wall_time
from linewatch.core.errors import StorageError
from linewatch.core.messages import Note
from linewatch.records.chain import (
    APPLICATION_ID,
    DATABASE,
    KEYED,
    NO_HASH,
    PLAIN,
    SCHEMA,
    SCHEMA_VERSION,
    Header,
    link_by,
)
from linewatch.records.database import holds_log, open_writer, telling
from linewatch.records.decision_log import DecisionLine
from linewatch.records.tip import Tip, note_tip, read_tip

_TELL_EVERY = 1000  # rows: then the journal, which others keep, names the tip as well
_CLOSING_WAIT_MS = 500

log = structlog.get_logger()


class ChainedLog:
    """One run's log. batch: lines that are worth a writing before the next `sync`.

    remark: what people should know of how it was found at opening; none when it was new or whole.
    """

    batch = 256

    def __init__(self, run_folder: Path, station: str, key: str | None = None) -> None:
        """Opens, continues or creates the log in `run_folder`. Raises StorageError.

        key: keys the chain of a log that is created; one that is continued stays as it is.
        """
        self._folder = run_folder
        self._key = key
        self._path = run_folder / DATABASE
        self._connection = open_writer(self._path)
        try:
            with telling(self._path):
                if not holds_log(self._connection, self._path):
                    self._begin(station)
                self._keyed = self._is_keyed()
                self._link = link_by(key if self._keyed else None)
                tip = self._tip()
                self._fits, self.remark = self._look_at_noted(tip)
        except BaseException:
            self._connection.close()
            raise
        self._note(tip)
        self._tell(tip)

    def append(self, lines: Sequence[DecisionLine]) -> None:
        """Add `lines` in one transaction, each seq once. Raises StorageError; the log is then as before."""
        if self._keyed and self._key is None:
            raise StorageError(self._path, "is chained with a key, and storage.audit_key names none")
        with telling(self._path), self._connection:
            self._connection.execute("BEGIN IMMEDIATE")
            before = self._tip()
            tip = self._insert(before, [line for line in lines if not self._holds(line.seq)])
        self._note(tip)
        if tip.number // _TELL_EVERY > before.number // _TELL_EVERY:
            self._tell(tip)

    def sync(self) -> None:
        """Nothing is left to do: what was appended is on the disk."""

    def close(self) -> None:
        """Leave one plain file, without the files that WAL wants beside it; while somebody reads, they stay."""
        with contextlib.suppress(sqlite3.Error):
            tip = self._tip()
            self._note(tip)  # again, should the disk not have taken it
            self._tell(tip)
            self._connection.execute(f"PRAGMA busy_timeout = {_CLOSING_WAIT_MS}")
            self._connection.execute("PRAGMA journal_mode = DELETE")
        with contextlib.suppress(sqlite3.Error):
            self._connection.close()

    def _begin(self, station: str) -> None:
        """Schema and row 0 in one transaction: a log killed before it is empty, and begun again."""
        kind = PLAIN if self._key is None else KEYED
        text = msgspec.json.encode(Header(SCHEMA_VERSION, station, self._folder.resolve().name, wall_time(), kind))
        with self._connection:
            self._connection.execute("BEGIN IMMEDIATE")
            for statement in SCHEMA:
                self._connection.execute(statement)
            self._connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
            self._connection.execute(f"PRAGMA user_version = {SCHEMA_VERSION}")
            self._connection.execute(
                "INSERT INTO lines VALUES (0, ?, ?)", (text.decode(), link_by(self._key)(NO_HASH, text))
            )

    def _insert(self, tip: Tip, lines: Sequence[DecisionLine]) -> Tip:
        rows = []
        for number, line in enumerate(lines, start=tip.number + 1):
            text = msgspec.json.encode(line)
            tip = Tip(number, self._link(tip.hash, text))
            rows.append((number, text.decode(), tip.hash))
        self._connection.executemany("INSERT INTO lines VALUES (?, ?, ?)", rows)
        return tip

    def _is_keyed(self) -> bool:
        query = "SELECT json_extract(line, '$.hash') FROM lines WHERE number = 0"
        found = self._connection.execute(query).fetchone()
        if found is None:
            raise StorageError(f"{self._path}: row 0", "was removed: the log cannot go on")
        return bool(found == (KEYED,))

    def _tip(self) -> Tip:
        """The newest row, asked for anew each time: a chain that begins where the log ends cannot fork."""
        query = "SELECT number, CAST(hash AS TEXT) FROM lines ORDER BY number DESC LIMIT 1"
        return Tip(*self._connection.execute(query).fetchone())

    def _holds(self, seq: int) -> bool:
        """A commit that failed may have reached the disk all the same."""
        query = "SELECT 1 FROM lines WHERE json_extract(line, '$.seq') = ?"
        return self._connection.execute(query, (seq,)).fetchone() is not None

    def _look_at_noted(self, tip: Tip) -> tuple[bool, Note | None]:
        """Whether the log holds the row that was noted as its newest, and what to say of it."""
        try:
            noted = read_tip(self._folder)
        except StorageError as exc:  # no reason to keep no log
            return False, Note("log_changed", str(exc))
        if noted is None:
            return True, None
        found = self._connection.execute("SELECT hash FROM lines WHERE number = ?", (noted.number,)).fetchone()
        if found == (noted.hash,):
            return True, None
        text = f"{self._path} ends at row {tip.number} and does not hold the noted row {noted.number}: it was changed"
        return False, Note("log_changed", text)

    def _note(self, tip: Tip) -> None:
        """A noted row that the log does not hold stays noted: it is the evidence."""
        if self._fits:
            note_tip(self._folder, tip)

    def _tell(self, tip: Tip) -> None:
        log.info("decision_log_tip", run=self._folder.name, row=tip.number, hash=tip.hash)
