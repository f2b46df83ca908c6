"""Putting right, at the next start, what a killed recorder or a power loss left behind."""

import contextlib
from collections.abc import Iterator
from pathlib import Path

from linewatch.core.errors import StorageError
from linewatch.pictures.write import TEMPORARY_SUFFIX
from linewatch.records.chained_log import ChainedLog
from linewatch.records.crops import CROPS, FRAMES
from linewatch.records.database import is_database
from linewatch.records.decision_log import DecisionLog, log_of, read_decisions
from linewatch.records.json_log import JsonLog
from linewatch.records.storage import pictures_of, run_folders
from linewatch.records.summary import SUMMARY, Tally, write_summary


def sweep(output: Path, station: str, key: str | None = None) -> list[str]:
    """Close every run in `output` that was interrupted: put its log right, remove pictures that no line names.

    A run that was closed has its summary and is not read again. key: of the station's logs, if they have one.
    Returns what was done, a line each; a run that cannot be put right is left as it is and named.
    Raises StorageError when `output` itself cannot be read.
    """
    done: list[str] = []
    for run in run_folders(output):
        if not (run / SUMMARY).exists():
            try:
                done.append(_close(run, station, key))
            except (StorageError, OSError) as exc:
                done.append(f"{run.name}: left as it is: {exc}")
    return done


def _close(run: Path, station: str, key: str | None) -> str:
    log: DecisionLog = ChainedLog(run, station, key) if is_database(log_of(run)) else JsonLog(run)
    log.close()
    tally, named = Tally(), set[str]()
    for line in read_decisions(run):
        tally.add(line)
        named.update(line.crops)
        named.update([line.frame] if line.frame else [])
    orphans = [path for path in _ours(run) if path.relative_to(run).as_posix() not in named]
    for path in orphans:
        path.unlink(missing_ok=True)
    write_summary(run, tally.summary(station, run.name, interrupted=True))
    found = "its log is whole" if log.remark is None else log.remark.text
    return f"{run.name}: was interrupted; {found}, {len(orphans)} pictures without a record removed"


def _ours(run: Path) -> Iterator[Path]:
    yield from (picture.path for picture in pictures_of(run))
    for kind in (CROPS, FRAMES):
        with contextlib.suppress(FileNotFoundError):
            yield from list((run / kind).glob(f"*.png{TEMPORARY_SUFFIX}"))
