"""The recorder process: decisions in over the channel, pixels from the ring, everything else onto the disk.

Lossy by contract, and honest about it: when it falls behind it drops pictures first, says so, and makes nobody wait.
"""

import argparse
from collections import deque
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import NoReturn, Protocol

import structlog

from linewatch.core import logs
from linewatch.core.child import Child, controller_channel, runtime_folder
from linewatch.core.errors import StorageError, UsageError
from linewatch.core.keyfiles import read_secret
from linewatch.core.messages import AnyMessage, Logged, Note, Record
from linewatch.core.ring import StaleFrame
from linewatch.core.station import Station, load_station
from linewatch.pictures.frames import RingReader
from linewatch.pictures.rectify import rectifier_for
from linewatch.pictures.types import Picture
from linewatch.records.ageing import Ageing
from linewatch.records.chained_log import ChainedLog
from linewatch.records.decision_log import PictureState
from linewatch.records.lock import lock_output
from linewatch.records.recording import RecordingWriter
from linewatch.records.retention import Retention
from linewatch.records.run_folder import RunFolder, Tell
from linewatch.records.storage import PictureStore
from linewatch.records.sweep import sweep

CHILD = "recorder"
_BEHIND = 16  # records waiting: as many ring slots as the camera keeps for a recorder that lags
_CONFIRM_EVERY_NS = 100_000_000  # so much is brought onto the disk at once, and may come again after a kill
_MOST_EARLY_NOTES = 1000

log = structlog.get_logger()


class Sink(Protocol):
    """Where records go: a run folder or a recording. unwritten: how many of the newest the disk has not taken yet."""

    @property
    def unwritten(self) -> int: ...
    def record(self, record: Record, pixels: Picture | None, missing: PictureState = "absent") -> None: ...
    def note(self, note: Note) -> None: ...
    def sync(self) -> None: ...
    def close(self) -> object: ...


SinkOf = Callable[[str, Tell], Sink]


class RecorderProcess:
    """The loop between the controller's channel and a sink per run. `run` returns when told to stop, all written."""

    def __init__(self, child: Child, frames: RingReader, sink_of: SinkOf) -> None:
        """sink_of: opens what the run of that name is written to; raises StorageError."""
        self._child = child
        self._frames = frames
        self._sink_of = sink_of
        self._sink: Sink | None = None
        self._run = ""
        self._backlog: deque[AnyMessage] = deque()
        self._early_notes: deque[Note] = deque(maxlen=_MOST_EARLY_NOTES)
        self._dropped = 0
        self._failed = 0
        self._records = 0
        self._confirmed = 0
        self._next_confirm_ns = 0

    def run(self, detail: str) -> None:
        """Say Ready with `detail`, then record until Stop, SIGTERM or the controller's death; what came is written."""
        self._child.start(detail)
        while self._backlog or not self._child.stopping:
            self._turn()
        self._turn()  # what came between the last look and the signal
        while self._backlog:
            self._turn()
        self._close()

    def tell(self, kind: str, text: str) -> None:
        """Log, and let the controller know."""
        log.warning(kind, text=text)
        self._child.channel.send(Note(kind, text))

    def _turn(self) -> None:
        self._backlog.extend(self._child.turn(0.0) if self._backlog else self._child.turn())
        if self._backlog:
            self._handle(self._backlog.popleft())
            self._child.progress += 1
        now_ns = self._child.clock.now_ns()
        if self._records > self._confirmed and now_ns >= self._next_confirm_ns:
            self._next_confirm_ns = now_ns + _CONFIRM_EVERY_NS
            self._confirm()

    def _confirm(self) -> None:
        """Bring what came onto the disk, and tell the controller how many records it need not keep any longer."""
        if self._sink is not None:
            self._try(self._sink.sync)
        logged = self._records - (self._sink.unwritten if self._sink is not None else 0)
        if logged > self._confirmed and self._child.channel.send(Logged(logged)):
            self._confirmed = logged

    def _handle(self, message: AnyMessage) -> None:
        match message:
            case Record():
                sink = self._sink_for(message.decision.run)
                pixels, missing = self._pixels(message)
                self._try(lambda: sink.record(message, pixels, missing))
                self._records += 1
            case Note():
                self._keep_note(message)
            case _:
                log.warning("unexpected_message", type=type(message).__name__)

    def _keep_note(self, note: Note) -> None:
        """Notes that come before the first part wait for its run folder."""
        if self._sink is None:
            self._early_notes.append(note)
        else:
            self._sink.note(note)

    def _pixels(self, record: Record) -> tuple[Picture | None, PictureState]:
        """The part's pixels, or why there are none."""
        if record.slot < 0:
            return None, "absent"
        if len(self._backlog) > _BEHIND:
            self._drop()
            return None, "dropped"
        self._caught_up()
        try:
            return self._frames.read(record.decision.seq, record.slot, record.generation), "kept"
        except (StaleFrame, StorageError):
            return None, "gone"

    def _sink_for(self, run: str) -> Sink:
        """Raises StorageError when there is none: the process ends, and the controller keeps what is not logged."""
        if self._sink is None or run != self._run:
            self._close()
            self._sink, self._run = self._sink_of(run, self.tell), run
            for note in self._early_notes:
                self._sink.note(note)
            self._early_notes.clear()
        return self._sink

    def _drop(self) -> None:
        self._dropped += 1
        if self._dropped == 1:
            self.tell(
                "recorder_behind", f"{len(self._backlog)} records wait: their pictures are dropped, not their lines"
            )

    def _caught_up(self) -> None:
        if self._dropped and not self._backlog:
            self.tell("recorder_caught_up", f"{self._dropped} parts are without their pictures")
            self._dropped = 0

    def _try(self, work: Callable[[], object]) -> None:
        """Do `work`; a disk that fails costs records, is told once, and never ends the process."""
        try:
            work()
        except StorageError as exc:
            self._failed += 1
            if self._failed == 1:
                self.tell("storage_failed", str(exc))
        else:
            if self._failed:
                self.tell("storage_works_again", f"{self._failed} writes failed meanwhile")
            self._failed = 0

    def _close(self) -> None:
        if self._sink is not None:
            self._sink.close()
        self._sink = None


def serve(arguments: list[str]) -> None:
    """The recorder process of the station file in `arguments`. Raises what keeps it from starting."""
    options = _options(arguments)
    station = load_station(options.station)
    channel, runtime = controller_channel(), runtime_folder()
    logs.set_up(CHILD)
    if options.recording is None:
        folder, sink_of = station.storage.output, _run_folders(station)
    else:
        folder, sink_of = options.recording, _recording(station, options)
    RecorderProcess(Child(CHILD, channel), RingReader(runtime), sink_of).run(f"writing to {folder}")


def _run_folders(station: Station) -> SinkOf:
    """Takes the output folder for this process, puts earlier runs right, and opens run folders under one budget."""
    storage = station.storage
    key = None if storage.audit_key is None else read_secret(storage.audit_key)
    lock_output(storage.output)
    for text in sweep(storage.output, station.name, key):
        log.warning("run_closed", text=text)
    rectify = rectifier_for(station)
    budget, floor = round(storage.budget_mb * 1e6), round(storage.floor_mb * 1e6)
    store = PictureStore(storage.output, budget, floor, Retention(storage.retention))
    ageing = Ageing(store)

    def open_run(run: str, tell: Tell) -> Sink:
        if not run or Path(run).name != run or run.startswith("."):
            raise StorageError(storage.output, "is no name for a run folder", run)
        folder = storage.output / run
        return RunFolder(
            folder, crops=storage.crops, frames=storage.frames, rectify=rectify, store=store, ageing=ageing, tell=tell,
            open_log=partial(ChainedLog, station=station.name, key=key),
        )  # fmt: skip

    return open_run


def _recording(station: Station, options: argparse.Namespace) -> SinkOf:
    writer = RecordingWriter(options.recording, options.station, round(station.storage.floor_mb * 1e6))
    return lambda _run, _tell: writer


def _options(arguments: list[str]) -> argparse.Namespace:
    parser = _Parser(prog="linewatch.records", add_help=False)
    parser.add_argument("station", type=Path)
    parser.add_argument("--recording", type=Path)
    return parser.parse_args(arguments)


class _Parser(argparse.ArgumentParser):
    """Says what is wrong in one line, as every error of ours does."""

    def error(self, message: str) -> NoReturn:
        raise UsageError(self.prog, message)
