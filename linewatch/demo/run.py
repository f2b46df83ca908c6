"""`linewatch demo`: measure this machine, run the virtual bottle line at its pace, and account for every bottle."""

import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

from rich.console import Console

from linewatch.core.errors import UsageError
from linewatch.demo.accounting import Account
from linewatch.demo.figures import Speed, deadline_for, pace_for
from linewatch.demo.interrupt import Interrupt
from linewatch.demo.memory import Memory, largest
from linewatch.demo.result import Conditions, Result, assess
from linewatch.demo.screen import screen_for
from linewatch.demo.standing import standing
from linewatch.demo.station_file import Bottles
from linewatch.demo.summary import write_summary
from linewatch.demo.table import print_table
from linewatch.demo.virtual_line import RUN_COMMAND, VirtualLine, make_folder
from linewatch.demo.warm_up import WARM_UP_S, speed_of, warm_up

AUTO = "auto"
_STEP_MS = 100
_MEMORY_EVERY_S = 2.0
_PACES = (1, 1200)  # bottles a minute


@dataclass(frozen=True)
class Options:
    """What the user asked for. pace_per_min: none lets the machine's speed decide."""

    seconds: float
    pace_per_min: int | None
    bottles: Bottles
    folder: Path
    summary: Path | None
    run_command: Sequence[str]
    warm_up_s: float
    dashboard: bool


@dataclass(frozen=True)
class _Measured:
    """What the warm-up found."""

    speed: Speed
    account: Account


def demo(
    seconds: float = 30.0,
    summary: Path | None = None,
    output: Path | None = None,
    pace: str = AUTO,
    defect_rate: float = 0.15,
    seed: int | None = None,
    model: Path | None = None,
    *,
    dashboard: bool = False,
    run_command: Sequence[str] = RUN_COMMAND,
    warm_up_s: float = WARM_UP_S,
    console: Console | None = None,
) -> int:
    """Run the virtual bottle line and print its account.

    seconds: how long the line runs after the warm-up. summary: JSON file to write. output: folder for everything that
    the run leaves, by default runs/demo-<time>. pace: bottles a minute, 1 .. 1200, or `auto`. defect_rate: 0 .. 1, the
    share of bottles with a defect. seed: of the bottles, by default the shipped station's. model: folder of the model,
    by default the shipped one. dashboard: serve the operator page meanwhile. run_command: starts the daemon with a
    station file.
    Returns 0 when exactly one decision was made, given out and kept for every bottle, 1 when not, 130 after Ctrl-C.
    Raises UsageError, StorageError (before anything starts), and what a process of the line ended with.
    """
    options = Options(
        seconds=_positive("--seconds", seconds),
        pace_per_min=_pace(pace),
        bottles=Bottles(seed, _share("--defect-rate", defect_rate), model),
        folder=output or Path("runs") / f"demo-{datetime.now(UTC):%Y%m%dT%H%M%S}",
        summary=summary,
        run_command=run_command,
        warm_up_s=warm_up_s,
        dashboard=dashboard,
    )
    make_folder(options.folder)
    if summary is not None:
        make_folder(summary.parent)
    with Interrupt() as interrupt:
        return _demo(options, interrupt, console or Console())


def _demo(options: Options, interrupt: Interrupt, console: Console) -> int:
    console.print("Starting the line to find out how fast this machine inspects ...")
    result = _measure(options, interrupt, console)
    if isinstance(result, _Measured):
        result = _produce(options, result, interrupt, console)
    return _conclude(result, options, interrupt, console)


def _measure(options: Options, interrupt: Interrupt, console: Console) -> _Measured | Result:
    """The warm-up, a run of its own because its deadline is another; its result if it was interrupted."""
    with VirtualLine(options.folder / "warm-up", options.bottles, None, options.run_command) as line:
        line.wait_until_inspecting(interrupt)
        began = time.monotonic()
        warm_up(line, interrupt, options.warm_up_s)
        conditions = _conditions(line, options, 0, time.monotonic() - began)
        result = assess(line.finish(interrupt), conditions)
    if interrupt:
        return result
    speed = speed_of(result.witnesses.wire)
    console.print(f"Warm-up: {speed.parts} bottles, one at a time, {speed.part_ms:.0f} ms each.")
    return _Measured(speed, result.account)


def _produce(options: Options, measured: _Measured, interrupt: Interrupt, console: Console) -> Result:
    """The line at its pace."""
    pace = options.pace_per_min or pace_for(measured.speed)
    deadline_ms = deadline_for(measured.speed)
    command, with_page = options.run_command, options.dashboard
    with VirtualLine(options.folder, options.bottles, deadline_ms, command, with_page=with_page) as line:
        transport_ms = line.station.rejecter.transport_ms
        speed = f"This machine inspects {measured.speed.parts_per_s:.1f} parts/s; the line runs at {pace} bottles/min."
        times = f"Decided within {deadline_ms} ms of the gate; the rejecter is {transport_ms:g} ms behind the gate."
        console.print(f"{speed}\n{times}", soft_wrap=True, highlight=False)
        line.wait_until_inspecting(interrupt)
        if with_page:
            console.print(line.page(interrupt), soft_wrap=True, highlight=False, markup=False)
        began = time.monotonic()
        memory = _follow(line, options.seconds, pace, interrupt, console)
        conditions = _conditions(line, options, pace, time.monotonic() - began)
        conditions = replace(conditions, memory=memory, speed=measured.speed, warm_up=measured.account)
        return assess(line.finish(interrupt), conditions)


def _follow(
    line: VirtualLine, seconds: float, pace_per_min: int, interrupt: Interrupt, console: Console
) -> Memory | None:
    """Let the line run, show how it stands; returns the most memory that it took."""
    memory, began, next_look_s = None, time.monotonic(), 0.0
    if not interrupt:
        line.run(pace_per_min)
    screen = screen_for(console)
    try:
        while not interrupt and (elapsed_s := time.monotonic() - began) < seconds:
            line.follow(_STEP_MS)
            screen.show(standing(line.observer.decisions, elapsed_s, seconds, pace_per_min))
            if elapsed_s >= next_look_s:
                next_look_s += _MEMORY_EVERY_S
                memory = largest(memory, line.memory())
    finally:
        screen.close()
    return memory


def _conclude(result: Result, options: Options, interrupt: Interrupt, console: Console) -> int:
    """Table, summary, and where everything lies; the contact sheet's path last."""
    if interrupt:
        console.print("Stopped before its time; this is what was done:")
    print_table(console, result)
    if options.summary is not None:
        write_summary(options.summary, result)
        _print_path(console, "summary", options.summary)
    run_folder = result.witnesses.run_folder
    if run_folder is not None:
        # Imported here: it loads OpenCV, which nothing before needs.
        from linewatch.records.contact_sheet import write_contact_sheet
        from linewatch.records.decision_log import log_of

        _print_path(console, "crops", run_folder / "crops")
        _print_path(console, "decision log", log_of(run_folder))
        _print_path(console, "rejects", write_contact_sheet(run_folder))
    if interrupt:
        return interrupt.exit_code
    return 0 if result.holds else 1


def _conditions(line: VirtualLine, options: Options, pace_per_min: int, seconds: float) -> Conditions:
    loaded = [event.text for event in line.observer.events if event.kind == "child_ready"]
    inspector = [text.removeprefix("inspector: ") for text in loaded if text.startswith("inspector: ")]
    return Conditions(
        station=line.station,
        folder=options.folder,
        pace_per_min=pace_per_min,
        seconds=seconds,
        inspector=inspector[-1] if inspector else "",
        memory=None,
        speed=None,
        warm_up=None,
    )


def _print_path(console: Console, name: str, path: Path) -> None:
    console.print(f"{name:<13} {path}", soft_wrap=True, highlight=False, markup=False)


def _pace(text: str) -> int | None:
    if text == AUTO:
        return None
    least, most = _PACES
    if not text.isdecimal() or not least <= int(text) <= most:
        raise UsageError("--pace", f"must be {AUTO} or bottles a minute, {least} .. {most}", text)
    return int(text)


def _positive(where: str, value: float) -> float:
    if not 0 < value < float("inf"):
        raise UsageError(where, "must be a number of seconds above 0", value)
    return value


def _share(where: str, value: float) -> float:
    if not 0 <= value <= 1:
        raise UsageError(where, "must lie in 0 .. 1", value)
    return value
