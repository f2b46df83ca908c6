"""How far a command is: a bar on a terminal, nothing elsewhere."""

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import TypeVar

T = TypeVar("T")


@contextmanager
def ticking(what: str, total: int | None = None) -> Iterator[Callable[[], None]]:
    """A function to call after each step; the bar stands on stderr while the block runs.

    total: none when the number of steps is not known beforehand.
    """
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    console = Console(stderr=True)
    columns = (TextColumn(what), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console, disable=not console.is_terminal, transient=True) as bar:
        task = bar.add_task(what, total=total)
        yield lambda: bar.advance(task)


def counted(steps: Iterable[T], what: str, total: int) -> Iterator[T]:
    """`steps` as they are, while a bar shows how many of `total` are done."""
    with ticking(what, total) as tick:
        for step in steps:
            yield step
            tick()
