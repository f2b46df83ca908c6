"""What was done to a chained log, as far as its hashes tell: at the first row that does not fit the one before it."""

import sqlite3

from linewatch.records.chain import Link
from linewatch.records.tip import Tip


def explain(
    connection: sqlite3.Connection, number: int, previous: str, noted: Tip | None, link: Link
) -> tuple[int, str]:
    """The first row that does not fit, and why; lines of a log without a noted tip tell less.

    number: of the row whose hash does not fit. previous: the hash of the row before it. connection: gives bytes.
    """
    line, found = _row(connection, number)
    follows = _predecessor(connection, line, found, link)
    if follows is not None and follows >= number:
        return number, f"reordered: it belongs behind row {follows}"
    if follows is not None:
        return follows + 1, f"inserted: row {number} belongs behind row {follows}"
    if _fits(connection, number + 1, previous, link):
        return number, f"inserted: row {number + 1} belongs behind row {number - 1}"
    moved = _moved(connection, noted)
    if moved < 0:
        return number, f"removed: what stood before it; the log has {-moved} rows too few"
    if moved > 0:
        return number, f"inserted: the log has {moved} rows too many"
    return number, "changed" if noted is not None else "changed, or what stood before it was removed"


def _row(connection: sqlite3.Connection, number: int) -> tuple[bytes, str]:
    line, found = connection.execute("SELECT line, hash FROM lines WHERE number = ?", (number,)).fetchone()
    return line, found.decode("ascii", "replace")


def _predecessor(connection: sqlite3.Connection, line: bytes, found: str, link: Link) -> int | None:
    """The row behind which `line` has the hash that was `found`, wherever it stands now."""
    for number, previous in connection.execute("SELECT number, hash FROM lines ORDER BY number"):
        if link(previous.decode("ascii", "replace"), line) == found:
            return int(number)
    return None


def _fits(connection: sqlite3.Connection, number: int, previous: str, link: Link) -> bool:
    """Whether row `number` is there and follows the row with the hash `previous`."""
    if connection.execute("SELECT 1 FROM lines WHERE number = ?", (number,)).fetchone() is None:
        return False
    line, found = _row(connection, number)
    return link(previous, line) == found


def _moved(connection: sqlite3.Connection, noted: Tip | None) -> int:
    """How many rows further back the noted row stands than it did; 0 when it is not there either."""
    if noted is None:
        return 0
    query = "SELECT number FROM lines WHERE CAST(hash AS TEXT) = ?"
    found = connection.execute(query, (noted.hash,)).fetchone()
    return 0 if found is None else int(found[0]) - noted.number
