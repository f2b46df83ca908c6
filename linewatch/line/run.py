"""`linewatch run`: the finished parts of one station's line, put together and run until stopped."""

import contextlib
import secrets
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from linewatch.core import logs
from linewatch.core.clock import MonotonicClock
from linewatch.core.messages import Note
from linewatch.core.ring import RING_FILE
from linewatch.core.station import Station, load_station
from linewatch.line.alarms import Alarms
from linewatch.line.belt import Belt
from linewatch.line.bulletin import Bulletin
from linewatch.line.controller import RECORDER, Controller
from linewatch.line.last_run import Ended, LastRun
from linewatch.line.publisher import Publisher
from linewatch.line.rules import rules_of
from linewatch.line.runtime import lock, private_folder, runtime_folder
from linewatch.line.sequencer import Sequencer
from linewatch.line.supervised import ChildSpec
from linewatch.line.supervisor import Supervisor, standard_children
from linewatch.line.systemd import Notifier, check_watchdog
from linewatch.line.waker import Waker
from linewatch.triggers.keeper import build_gate


def run(
    station_path: Path,
    *,
    runtime: Path | None = None,
    children: Sequence[ChildSpec] | None = None,
    limit: int | None = None,
) -> int:
    """Run the line of the station file at `station_path` until SIGTERM or Ctrl-C.

    runtime: folder for the station's runtime folder, none for the usual place. children: what to run in place of the
    standard camera, inspector and recorder. limit: stop after so many parts.
    Returns 0 when stopped, 2 or 3 when a child refused the station (it said why on stderr).
    Raises ConfigError, GateError, EndpointError or StorageError when the line cannot start.
    """
    station = load_station(station_path)
    check_watchdog()
    folder = private_folder(runtime_folder(station.name, runtime))
    with contextlib.ExitStack() as stack:
        stack.enter_context(lock(folder))
        specs = standard_children(station_path.resolve(), station) if children is None else children
        return _run(station, folder, specs, stack, limit)


def new_run_id() -> str:
    """Wall-clock stamp, so that run folders sort by time, and a random suffix, so that a stepped clock does no harm."""
    return f"{datetime.now(UTC):%Y%m%dT%H%M%S}-{secrets.token_hex(3)}"


def _run(
    station: Station, folder: Path, specs: Sequence[ChildSpec], stack: contextlib.ExitStack, limit: int | None
) -> int:
    run_id, clock, log = new_run_id(), MonotonicClock(), logs.set_up("line")
    waker = Waker()
    stack.callback(waker.close)
    stack.enter_context(waker.on_signals())
    notifier = Notifier()
    stack.callback(notifier.close)
    gate = build_gate(station, clock)
    gate.open()
    stack.callback(gate.close)
    publisher = Publisher(station, run_id, folder)
    stack.callback(publisher.close)
    last_run = LastRun(folder, station.storage.output, station.name)
    before = last_run.before()
    if before is not None:  # what went through the gate since then, or was not decided, is still on the belt
        publisher.actuators.hold(clock.now_ns() + round(station.eject_delay_ms * 1e6))
    unwritten = last_run.begin(run_id)
    supervisor = Supervisor(specs, folder, run_id)
    stack.callback(_clear, supervisor, folder)
    bulletin = Bulletin(publisher.say, lambda note: supervisor.send(RECORDER, note), log)
    controller = Controller(
        gate=gate,
        supervisor=supervisor,
        sequencer=Sequencer(rules_of(station, run_id)),
        alarms=Alarms(station.alarms, clock.now_ns()),
        publisher=publisher,
        bulletin=bulletin,
        last_run=last_run,
        notifier=notifier,
        waker=waker,
        clock=clock,
        limit=limit,
        belt=_belt(station, clock.now_ns(), occupied=before is not None),
    )
    log.info("run_opens", station=station.name, run=run_id, runtime=str(folder), endpoints=publisher.endpoints)
    return controller.run(_opening_notes(before, unwritten))


def _belt(station: Station, now_ns: int, *, occupied: bool) -> Belt | None:
    counts = station.rejecter.encoder_counts
    return None if counts is None else Belt(counts, station.rejecter.transport_ms, now_ns, occupied=occupied)


def _opening_notes(before: Ended | None, unwritten: str) -> list[Note]:
    """What every observer of this run must know of its beginning."""
    notes = [] if before is None else [Note("gap", str(before), before.seq)]
    return [*notes, Note("output_unwritable", unwritten)] if unwritten else notes


def _clear(supervisor: Supervisor, folder: Path) -> None:
    """Nothing of the run stays behind: no process, and no frames in memory."""
    supervisor.kill()
    with contextlib.suppress(OSError):
        (folder / RING_FILE).unlink(missing_ok=True)
