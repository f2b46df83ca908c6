"""Where notes go: to observers as events, to the recorder, and into the log, there never in a flood."""

from collections.abc import Callable

import structlog

from linewatch.core.messages import Note

LOG_PER_WINDOW = 5  # lines of one kind; the rest is counted
WINDOW_NS = 1_000_000_000


class Bulletin:
    """Spreads notes. publish: to observers. record: to the recorder."""

    def __init__(
        self, publish: Callable[[Note, int], None], record: Callable[[Note], object], log: structlog.stdlib.BoundLogger
    ) -> None:
        self._publish = publish
        self._record = record
        self._log = log
        self._windows: dict[str, tuple[int, int]] = {}  # kind: start of its window, notes in it

    def say(self, note: Note, now_ns: int) -> None:
        """Spread `note`. A stalled log must not stall the line, so each kind gets few lines a second."""
        self._publish(note, now_ns)
        self._record(note)
        start_ns, count = self._windows.get(note.kind, (now_ns, 0))
        if now_ns - start_ns >= WINDOW_NS:
            if count > LOG_PER_WINDOW:
                self._log.info(note.kind, text=f"{count - LOG_PER_WINDOW} more of these in the last seconds")
            start_ns, count = now_ns, 0
        self._windows[note.kind] = (start_ns, count + 1)
        if count < LOG_PER_WINDOW:
            self._log.info(note.kind, text=note.text, seq=note.seq)
