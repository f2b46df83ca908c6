"""Did the parts leave that were blown off? A sensor behind the rejecter counts what goes by. Pure."""

from collections import deque

from linewatch.core.wire import WireDecision

WRAP = 1 << 16


class Confirmation:
    """Blows that wait for the sensor. unconfirmed: those it did not see in time, so far.

    Each count confirms the oldest blow that waits: of neighbours, the number that left is certain, not which ones.
    """

    def __init__(self, within_ms: float | None) -> None:
        """within_ms: from the order to blow to the sensor's count; none when there is no sensor."""
        self._within_ns = None if within_ms is None else round(within_ms * 1e6)
        self._waiting: deque[tuple[int, WireDecision]] = deque()
        self._last: int | None = None
        self.unconfirmed = 0

    def blown(self, decision: WireDecision, now_ns: int) -> None:
        """The order to blow this part off has been given."""
        if self._within_ns is not None:
            self._waiting.append((now_ns + self._within_ns, decision))

    def settled(self, ejected: int | None, now_ns: int) -> list[tuple[WireDecision, bool]]:
        """The blows that are confirmed, and those that were not in time.

        ejected: parts that the sensor has seen, modulo 2^16; none while that is not known.
        """
        seen = 0 if ejected is None or self._last is None else (ejected - self._last) % WRAP
        self._last = self._last if ejected is None else ejected
        found = [(self._waiting.popleft()[1], True) for _ in range(min(seen, len(self._waiting)))]
        while self._waiting and self._waiting[0][0] <= now_ns:
            self.unconfirmed += 1
            found.append((self._waiting.popleft()[1], False))
        return found
