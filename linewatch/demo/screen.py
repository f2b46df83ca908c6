"""What is seen while the line runs: a live block on a terminal, a line now and then anywhere else."""

from typing import Protocol

from rich.console import Console, Group
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from linewatch.demo.standing import Standing

_EVERY_S = 5.0
_BAR = 40


class Screen(Protocol):
    """Shows how the line stands, as often as it is told."""

    def show(self, now: Standing) -> None: ...

    def close(self) -> None: ...


def screen_for(console: Console) -> Screen:
    """The live block for a terminal, else lines."""
    return LiveScreen(console) if console.is_terminal else LineScreen(console)


class LiveScreen:
    """One block that is drawn anew."""

    def __init__(self, console: Console) -> None:
        self._live = Live(console=console, auto_refresh=False)
        self._live.start()

    def show(self, now: Standing) -> None:
        self._live.update(_block(now), refresh=True)

    def close(self) -> None:
        """Leave the last state on the terminal."""
        self._live.stop()


class LineScreen:
    """A line every five seconds of the line's time."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._next_s = _EVERY_S

    def show(self, now: Standing) -> None:
        if now.elapsed_s >= self._next_s:
            self._next_s += _EVERY_S
            self._console.print(line_of(now), soft_wrap=True, highlight=False)

    def close(self) -> None: ...


def line_of(now: Standing) -> str:
    """How the line stands, in one line."""
    return (
        f"{now.elapsed_s:5.1f} s  {now.parts} bottles  pass {now.passed}  reject {now.reject_defect}  "
        f"fail-safe {now.failsafe}  p50 {now.p50_ms:.0f} ms  last {now.last}"
    )


def _block(now: Standing) -> Group:
    bar = Table.grid(padding=(0, 1))
    bar.add_row(ProgressBar(now.seconds, now.elapsed_s, width=_BAR), f"{now.elapsed_s:.1f} of {now.seconds:g} s")
    counts = Table.grid(padding=(0, 3))
    counts.add_row(
        Text(f"{now.parts} bottles", style="bold"),
        Text(f"pass {now.passed}", style="green"),
        Text(f"reject {now.reject_defect}", style="red" if now.reject_defect else "dim"),
        Text(f"fail-safe {now.failsafe}", style="yellow" if now.failsafe else "dim"),
    )
    figures = Text(f"{now.pace_per_min} bottles/min   p50 {now.p50_ms:.0f} ms   last {now.last}", style="dim")
    return Group(bar, counts, figures)
