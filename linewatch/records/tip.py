"""The newest row of a chained log, noted beside it: rows that were cut off its end are missed there.

<run>/decisions.tip: one line, number and hash of the row, written over after each commit; it may be behind the log,
never ahead of it.
"""

import contextlib
import os
import re
from dataclasses import dataclass
from pathlib import Path

from linewatch.core.errors import StorageError

TIP = "decisions.tip"
_DIGITS = 12  # one length always, so that writing over leaves nothing of the old


@dataclass(frozen=True)
class Tip:
    number: int
    hash: str


def read_tip(folder: Path) -> Tip | None:
    """What is noted in `folder`; none when nothing is. Raises StorageError when it cannot be understood."""
    path = folder / TIP
    try:
        text = path.read_text(encoding="ascii", errors="replace")
    except FileNotFoundError:
        return None
    except OSError as exc:
        raise StorageError(path, exc.strerror or "cannot be read") from exc
    if not text:  # a full disk took the name alone
        return None
    found = re.fullmatch(r"(\d{1,18}) ([0-9a-f]{64})\n", text)
    if found is None:
        raise StorageError(path, "is damaged: number and hash of a row belong there")
    return Tip(int(found[1]), found[2])


def note_tip(folder: Path, tip: Tip) -> None:
    """Note `tip`; a disk that fails leaves the one before, which is as true."""
    with contextlib.suppress(OSError):
        fd = os.open(folder / TIP, os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC, 0o644)
        try:
            os.pwrite(fd, f"{tip.number:0{_DIGITS}d} {tip.hash}\n".encode(), 0)
        finally:
            os.close(fd)
