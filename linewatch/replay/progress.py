"""How far a replay is: a bar with rate and remaining time on a terminal, a plain line every few seconds elsewhere."""

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TextIO, TypeAlias

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, ProgressColumn, Task, TextColumn, TimeRemainingColumn
from rich.text import Text

PLAIN_EVERY_NS = 5_000_000_000

Report: TypeAlias = Callable[[int, int], None]
"""Called with the number of decided parts and of all parts."""


class _Rate(ProgressColumn):
    def render(self, task: Task) -> Text:
        return Text("" if task.speed is None else f"{task.speed:.1f} parts/s")


@contextmanager
def progress_on(stream: TextIO | None = None) -> Iterator[Report]:
    """A report that shows itself on `stream` (stderr by default)."""
    out = stream or sys.stderr
    if not out.isatty():
        yield _plain(out)
        return
    columns = (TextColumn("replay"), BarColumn(), MofNCompleteColumn(), _Rate(), TimeRemainingColumn())
    with Progress(*columns, console=Console(file=out)) as bar:
        task = bar.add_task("replay", total=None)
        yield lambda done, total: bar.update(task, completed=done, total=total)


def silent(_done: int, _total: int) -> None:
    """A report that nobody reads."""


def _plain(out: TextIO) -> Report:
    first: tuple[int, int] | None = None  # time and count of the first report: what came before was loading
    last_ns = 0

    def report(done: int, total: int) -> None:
        nonlocal first, last_ns
        now_ns = time.monotonic_ns()
        if first is None:
            first, last_ns = (now_ns, done), now_ns
        if done < total and now_ns - last_ns < PLAIN_EVERY_NS:
            return
        last_ns = now_ns
        rate = (done - first[1]) * 1e9 / max(now_ns - first[0], 1)
        left = f", {(total - done) / rate:.0f} s left" if rate and done < total else ""
        print(f"replay: {done} of {total} parts, {rate:.2f} parts/s{left}", file=out, flush=True)

    return report
