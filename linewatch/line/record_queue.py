"""Decisions on their way to the recorder, which may die at any instant: kept until it has said that they are logged."""

from collections import deque
from collections.abc import Callable

from linewatch.core.messages import Record

MOST_KEPT = 4000  # records, a few MB; at 1,200 parts a minute more than three minutes without a recorder


class RecordQueue:
    """lost: records that no log will have, because too many waited."""

    def __init__(self, send: Callable[[Record], bool], most: int = MOST_KEPT) -> None:
        """send: gives one record to the recorder without waiting; False when it does not take it now."""
        self._send = send
        self._most = most
        self._waiting: deque[Record] = deque()
        self._sent: deque[Record] = deque(maxlen=most)  # to the recorder that runs now, not yet said to be logged
        self._logged = 0
        self.lost = 0

    @property
    def waiting(self) -> int:
        """Records that the recorder has not even been given."""
        return len(self._waiting)

    def add(self, record: Record) -> None:
        """One more; the oldest is given up when too many wait."""
        self._waiting.append(record)
        self.flush()
        if len(self._waiting) > self._most:
            self._waiting.popleft()
            self.lost += 1

    def flush(self) -> None:
        """Give the recorder what it takes now."""
        while self._waiting and self._send(self._waiting[0]):
            self._sent.append(self._waiting.popleft())

    def logged(self, count: int) -> None:
        """The recorder that runs now has logged the first `count` records that it was sent."""
        while self._sent and self._logged < count:
            self._sent.popleft()
            self._logged += 1

    def recorder_died(self) -> None:
        """What it had not logged goes to the next one, in the old order."""
        self._waiting.extendleft(reversed(self._sent))
        self._sent.clear()
        self._logged = 0
