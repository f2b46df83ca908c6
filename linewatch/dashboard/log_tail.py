"""Reading what the recorder appends to the decision log, rows as they come; nothing is written."""

from pathlib import Path

import msgspec

from linewatch.core.errors import StorageError
from linewatch.records.database import is_database, read_rows
from linewatch.records.decision_log import DecisionLine, log_of, logs_in

_MOST_BYTES = 1 << 20  # read at once
_MOST_ROWS = 2000

_decoder = msgspec.json.Decoder(DecisionLine)


class LogTail:
    """The log of one run. Lines that are no decision are passed over: `report` names them."""

    def __init__(self, run_folder: Path) -> None:
        self.folder = run_folder
        self._at = 0  # the last row, or the bytes of the lines, that were read

    def read(self) -> list[DecisionLine]:
        """The next decisions, about 1 MB at most; empty when there is nothing new or the log cannot be read."""
        while texts := self._next():
            if lines := [line for text in texts if (line := _decoded(text)) is not None]:
                return lines
        return []

    def _next(self) -> list[bytes]:
        try:
            path = log_of(self.folder)
            return self._next_rows(path) if is_database(path) else self._next_lines(path)
        except (OSError, StorageError):
            return []

    def _next_rows(self, path: Path) -> list[bytes]:
        rows = list(read_rows(path, after=self._at, limit=_MOST_ROWS))
        self._at = rows[-1][0] if rows else self._at
        return [text for _, text in rows]

    def _next_lines(self, path: Path) -> list[bytes]:
        with path.open("rb") as file:
            file.seek(self._at)
            text = file.read(_MOST_BYTES)
        whole = text.rfind(b"\n") + 1
        if not whole and len(text) == _MOST_BYTES:  # no line of ours is that long
            whole = len(text)
        self._at += whole
        return text[:whole].splitlines()


def _decoded(text: bytes) -> DecisionLine | None:
    try:
        return _decoder.decode(text)
    except (msgspec.MsgspecError, UnicodeDecodeError):
        return None


def logs_since(output: Path, since_s: float) -> list[Path]:
    """The run folders in `output` whose log was written after `since_s` of the wall clock, oldest first; at least the
    newest, which may go on.
    """
    try:
        found = logs_in(output)
    except OSError:  # an output folder that cannot be read: the counts begin with what is heard
        return []
    return [folder for written_s, folder in found if written_s >= since_s] or [folder for _, folder in found[-1:]]
