"""What a fault is: how it is put into the line, and how what was seen is judged by what was promised."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TypeAlias

from linewatch.faults.line import FaultLine
from linewatch.faults.trial import Trial


class NotShown(Exception):
    """This machine cannot show the fault; the text says why. It is then left out, and said to be."""


@dataclass(frozen=True)
class Injected:
    """What was done. since_ns: monotonic time of the fault, or of its end where the line cannot recover before.

    how: in words. broken: promises whose breaking only the injector could see.
    """

    since_ns: int
    how: str
    broken: tuple[str, ...] = ()


Inject: TypeAlias = Callable[[FaultLine], Injected]
"""Puts the fault in while parts come. Raises NotShown."""

Judge: TypeAlias = Callable[[Trial], Iterator[str]]
"""Names every promise that was broken, a line each."""


@dataclass(frozen=True)
class Fault:
    """One fault. limit_s: how long the line may take to recover. quick: in the quick suite as well.

    load: parts come while it is tried; a refused start needs none.
    """

    name: str
    promise: str
    inject: Inject
    judge: Judge
    limit_s: float = 15.0
    quick: bool = False
    load: bool = True
