"""What came of a look at one part of a station: it answers, it is doubtful, or it does not work."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TypeAlias

from linewatch.core.errors import LinewatchError


@dataclass(frozen=True)
class Finding:
    """One thing that is wrong. is_warning: true of what the line can run with."""

    error: LinewatchError
    is_warning: bool = False


@dataclass(frozen=True)
class Answer:
    """One thing that works, with what was measured of it. part: gate, camera, and so on."""

    part: str
    text: str

    def __str__(self) -> str:
        return f"{self.part}: {self.text}"


Looked: TypeAlias = Iterator[Finding | Answer]


def warning(error: LinewatchError) -> Finding:
    return Finding(error, is_warning=True)


def raised(attempt: Callable[[], object]) -> Iterator[LinewatchError]:
    """The error that `attempt` ends with, if any."""
    try:
        attempt()
    except LinewatchError as exc:
        yield exc
