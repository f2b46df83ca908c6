"""`linewatch faults`: start a line, put one fault after another into it, and say which promises held."""

import contextlib
import os
import shutil
import signal
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

from rich.console import Console

from linewatch.core.errors import CheckFailed, UsageError
from linewatch.demo.station_file import TEMPLATE
from linewatch.demo.virtual_line import make_folder
from linewatch.faults.fault import Fault
from linewatch.faults.line import FaultLine
from linewatch.faults.report import print_table, seen, write_summary
from linewatch.faults.small_disk import small_disk
from linewatch.faults.station_file import Layout, lay_out
from linewatch.faults.suite import FAULTS
from linewatch.faults.trying import Result, try_out

_SHARED_MEMORY = Path("/dev/shm")
_TERMINATED = 143  # as a shell names it


def faults(
    *,
    quick: bool,
    station: Path | None,
    null: bool,
    only: Sequence[str],
    patience: float,
    output: Path | None,
    summary: Path | None,
) -> int:
    """Try the faults and print what came of them; 0 when every promise held, else 1.

    station: none for the shipped virtual one. null: with a detector that finds nothing instead of the station's
    network. only: names of faults; none tries all, or the quick ones. patience: multiplies the times to recover, and
    with the station's network its deadline.
    output: folder for logs, station file and run folders; none keeps nothing. summary: file for the JSON.
    Raises UsageError for an unknown fault, StationError, StorageError, CheckFailed when the line does not run at all.
    """
    chosen = _chosen(quick, only)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(_TERMINATED))
    console, began = Console(), time.monotonic()
    with line_folders(output) as (folder, base):
        disk = folder / "disk"
        disk.mkdir(exist_ok=True)
        layout = lay_out(
            station or TEMPLATE, folder / "station.yaml", base / "gate", disk, null=null, patience=patience
        )
        with small_disk(disk):
            with FaultLine(folder, base, layout, patience) as line:
                results = list(_try_all(line, chosen, patience, console))
            if output is not None and os.path.ismount(disk):  # it is seen by this process alone, and ends with it
                shutil.copytree(disk, folder / "runs", dirs_exist_ok=True)
        seconds = time.monotonic() - began
        return _conclude(console, layout, results, seconds, summary)


def _chosen(quick: bool, only: Sequence[str]) -> list[Fault]:
    known = {fault.name: fault for fault in FAULTS}
    for name in only:
        if name not in known:
            raise UsageError("--only", f"is no fault; there are: {', '.join(known)}", name)
    return [fault for fault in FAULTS if (fault.name in only if only else fault.quick or not quick)]


def _try_all(line: FaultLine, chosen: Sequence[Fault], patience: float, console: Console) -> Iterator[Result]:
    for number, fault in enumerate(chosen, start=1):
        result = _tried(fault, line, patience)
        found = f"not shown: {result.left_out}" if result.trial is None else seen(result.trial)
        verdict = "BROKEN" if result.broken else "held" if result.trial else "-"
        text = f"{number:2d}/{len(chosen)}  {fault.name}: {verdict}; {found}"
        console.print(text, soft_wrap=True, highlight=False, markup=False)
        yield result
        if result.trial is None and result.broken:
            return  # there is no line any more to put the others into


def _tried(fault: Fault, line: FaultLine, patience: float) -> Result:
    """As `try_out`; a line that does not inspect any more is a broken promise, and what was seen before is kept."""
    try:
        return try_out(fault, line, patience)
    except CheckFailed as exc:
        if not line.observer.decisions:
            raise  # it never did
        return Result(fault, None, broken=(str(exc),), left_out="the line does not inspect any more")


def _conclude(console: Console, layout: Layout, results: list[Result], seconds: float, summary: Path | None) -> int:
    print_table(console, results)
    broken, left_out = sum(bool(one.broken) for one in results), sum(one.trial is None for one in results)
    lost = sum(len(one.trial.lost) for one in results if one.trial)
    detector = "null detector" if layout.null else layout.station.detector.model.name
    text = f"{len(results) - left_out} faults in {seconds:.0f} s with the {detector}: {broken} promises broken, "
    text += f"{lost} parts lost" + (f", {left_out} faults could not be shown here" if left_out else "")
    console.print(f"\n{text}", soft_wrap=True, highlight=False)
    if summary is not None:
        write_summary(summary, layout, results, seconds)
    return 1 if broken else 0


@contextlib.contextmanager
def line_folders(output: Path | None) -> Iterator[tuple[Path, Path]]:
    """The folder for what is kept, and a short private one for sockets, which is removed in the end."""
    shared = _SHARED_MEMORY if os.access(_SHARED_MEMORY, os.W_OK | os.X_OK) else None
    with tempfile.TemporaryDirectory(prefix="linewatch-", dir=shared) as base, contextlib.ExitStack() as stack:
        if output is None:
            output = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="linewatch-faults-")))
        make_folder(output)
        yield output.resolve(), Path(base)
