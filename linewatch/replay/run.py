"""`replay`: a recorded folder in; decisions, crops and figures out."""

import time
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import msgspec

from linewatch.core.clock import RecordedClock
from linewatch.core.errors import StorageError, UsageError
from linewatch.core.station import Station, load_station
from linewatch.inspection.detector import Detector
from linewatch.inspection.inspector import assemble
from linewatch.inspection.start import open_detector
from linewatch.pictures.rectify import rectifier_for
from linewatch.records.report import write_report
from linewatch.records.run_folder import RunFolder
from linewatch.replay.inspecting import Inspecting, OneProcess
from linewatch.replay.interrupt import interrupts
from linewatch.replay.playback import Pace, Playback
from linewatch.replay.player import Player
from linewatch.replay.progress import Report, silent
from linewatch.replay.selection import select
from linewatch.replay.spread.spread import Wish, spread
from linewatch.replay.summary import ReplaySummary
from linewatch.replay.truth import compare, load_names, load_truth


def replay(
    folder: Path,
    station_path: Path,
    *,
    output: Path,
    pace: Pace = "fast",
    limit: int | None = None,
    truth: Sequence[Path] = (),
    only: Path | Collection[str] | None = None,
    progress: Report = silent,
    detector: Detector | None = None,
    ray: Wish | None = None,
) -> ReplaySummary:
    """Play the recorded `folder` through the station and write what comes of it.

    folder: a recording, or pictures sorted by name. output: new or empty folder; decisions.jsonl, crops/, events.jsonl,
    summary.json and report.html go there. pace: as fast as this machine can, or not
    faster than recorded; the decisions are the same. limit: the first so many parts. truth: COCO files; a picture
    without boxes is a good part. only: the file names to play, or a text file with one a line. detector: in place of
    the station's own. ray: inspect by the workers of a cluster; the decisions are the same. SIGINT and SIGTERM end the
    replay early, and what is done is written. Main thread only.
    Raises StationError, CalibrationError, ModelError, DeviceError, DatasetError, UsageError or StorageError before
    anything is written; after that only StorageError, when results cannot be written, and with `ray` DeviceError.
    """
    if ray is not None and pace == "recorded":
        raise UsageError("--pace", "must be fast with --ray: workers keep no recorded times", pace)
    station = load_station(station_path)
    known = load_truth(truth) if truth else None
    selection = select(folder, station, limit, load_names(only) if isinstance(only, Path) else only)
    refuse_used(output)
    notes = list(selection.notes)
    opened = _here(station, station_path, detector, pace) if ray is None else spread(station, station_path, folder, ray)
    with opened as inspecting:
        run_folder = _run_folder(output, station, notes)
        playback = Playback(inspecting, Player(station, RecordedClock()), run_folder, pace)
        started_ns = time.monotonic_ns()
        with interrupts() as interrupt:
            outcomes = playback.play(selection.parts, interrupt, progress)
            seconds = (time.monotonic_ns() - started_ns) / 1e9
            complete = len(outcomes) == len(selection.parts)
            summary = ReplaySummary(
                **{**msgspec.structs.asdict(run_folder.close()), "interrupted": not complete},
                complete=complete,
                stopped_by="" if interrupt.signal is None else interrupt.signal.name,
                recording=str(folder),
                model=inspecting.name,
                planned=len(selection.parts),
                seconds=round(seconds, 3),
                parts_per_s=round(len(outcomes) / seconds, 2),
                truth=None if known is None else compare(outcomes, known),
                notes=(*notes, *inspecting.notes),
            )
            summary.write(output)
            write_report(output)
    if summary.log_lost:
        raise StorageError(output, f"{summary.log_lost} decisions could not be written")
    return summary


@contextmanager
def _here(station: Station, station_path: Path, detector: Detector | None, pace: Pace) -> Iterator[Inspecting]:
    """This process as inspector, warm. A pace to keep leaves no time to wait for a batch."""
    detector = detector or open_detector(station)
    inspector = assemble(station, detector, RecordedClock(), station_path)
    detector.warm_up()
    yield OneProcess(
        inspector, detector.name, station.camera.grey, 1 if pace == "recorded" else inspector.largest_batch
    )


def _run_folder(output: Path, station: Station, notes: list[str]) -> RunFolder:
    return RunFolder(
        output,
        crops=station.storage.crops,
        frames="none",  # the recording has them
        rectify=rectifier_for(station),
        tell=lambda kind, text: notes.append(f"{kind}: {text}"),
    )


def refuse_used(output: Path) -> None:
    """So that nothing written is ever lost. Raises StorageError unless `output` is new or an empty folder."""
    try:
        used = output.exists() and next(output.iterdir(), None) is not None
    except OSError as exc:
        raise StorageError(output, exc.strerror or "cannot be read") from exc
    if used:
        raise StorageError(output, "is not empty: give a new folder, so that nothing written is lost")
