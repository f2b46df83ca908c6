"""Pictures made before their trigger, in spare time, so that the trigger is answered at once."""

from collections.abc import Callable
from typing import Generic, TypeVar

from linewatch.core.errors import LinewatchError

T = TypeVar("T")


class Ahead(Generic[T]):
    """A small buffer of what `make(seq)` gives for the next parts. An error is kept and raised for its own part."""

    def __init__(self, make: Callable[[int], T], depth: int) -> None:
        self._make = make
        self._depth = depth
        self._ready: dict[int, T | LinewatchError] = {}
        self._next = 1

    def take(self, seq: int) -> T:
        """What belongs to part `seq`; made now when it is not ready. Parts up to `seq` are then done with."""
        found = self._ready.pop(seq, None)
        self._ready = {ready: value for ready, value in self._ready.items() if ready > seq}
        self._next = max(self._next, seq + 1)
        if isinstance(found, LinewatchError):
            raise found
        return self._make(seq) if found is None else found

    def prepare(self) -> bool:
        """Make one more, if there is room; true when there is room for another."""
        if len(self._ready) < self._depth:
            try:
                self._ready[self._next] = self._make(self._next)
            except LinewatchError as exc:
                self._ready[self._next] = exc
            self._next += 1
        return len(self._ready) < self._depth
