"""A challenge from its start to its signed report."""

import hashlib
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from linewatch.challenge.judging import Result
from linewatch.challenge.line import LineEar, observer_keys
from linewatch.challenge.model import Inspecting, inspecting
from linewatch.challenge.page import write_page
from linewatch.challenge.parts import ChallengeSet, check_classes, load_set
from linewatch.challenge.report import Report, Signed, signed, succeeded, text_of, write_signed
from linewatch.challenge.ritual import Ritual, Say
from linewatch.core.clock import wall_time
from linewatch.core.errors import KeysError, StorageError, UsageError
from linewatch.core.keyfiles import read_secret
from linewatch.core.station import Station, load_station
from linewatch.dashboard.in_use import way_to
from linewatch.inspection.detector import Detector
from linewatch.line.runtime import runtime_folder
from linewatch.replay.interrupt import interrupts
from linewatch.replay.progress import Report as Progress
from linewatch.replay.progress import silent

SIGNING = "signing"  # folder of signing keys, in the station's folder of keys
_LINE_S = 10.0


@dataclass(frozen=True)
class Order:
    """What the command line says. sign: NAME.key to sign with. key: NAME.key to listen with, for a line on tcp."""

    station: Path
    challenge: Path
    operator: str
    output: Path | None = None
    sign: Path | None = None
    key: Path | None = None
    feed: Path | None = None


@dataclass(frozen=True)
class _Prepared:
    order: Order
    station: Station
    challenge: ChallengeSet
    inspecting: Inspecting
    sign: Path
    target: Path


def challenge(
    order: Order,
    say: Say,
    *,
    runtime: Path | None = None,
    progress: Progress = silent,
    detector: Detector | None = None,
) -> tuple[Signed, tuple[Path, ...]]:
    """Perform the challenge and write its report; returns it, and the files. say: hears what people must do.

    runtime: folder of the runtime folders, none for the usual place. detector: with `feed`, in place of the station's.
    Raises what keeps it from starting before anybody is asked for a part; after that only StorageError, once the report
    was said instead. Main thread only.
    """
    ready = _prepared(order)
    began = wall_time()
    if order.feed is None:
        report = _asked(ready, began, say, runtime)
    else:
        report = _fed(ready, order.feed, began, progress, detector)
    result = signed(report, ready.sign)
    try:
        write_signed(result, ready.target)
        page = write_page(result, ready.target, order.feed)
    except StorageError:
        say(text_of(result).decode())  # so that nothing is lost
        raise
    return result, (ready.target, page)


def _prepared(order: Order) -> _Prepared:
    """Everything that can be wrong before the first part goes in."""
    station, known_bad = load_station(order.station), load_set(order.challenge)
    if not order.operator.strip() or len(order.operator) > 100:
        raise UsageError("--operator", "must be the name of a person, or of the job that runs this", order.operator)
    model = inspecting(station)
    check_classes(known_bad, model.classes, order.challenge)
    sign = order.sign or station.security.folder / SIGNING / "challenge.key"
    if not sign.exists():
        remedy = f"`linewatch keys signing {sign.stem} --folder {sign.parent}` makes one"
        raise KeysError(sign, f"is not there, and the report must be signed: {remedy}")
    read_secret(sign)
    target = order.output or Path("reports") / f"challenge-{station.name}-{datetime.now(UTC):%Y%m%dT%H%M%SZ}.json"
    _check_target(target)
    return _Prepared(order, station, known_bad, model, sign, target)


def _check_target(target: Path) -> None:
    if target.suffix != ".json":
        raise UsageError("--output", "must be a JSON file, NAME.json; the page is written beside it", str(target))
    if target.exists():
        raise StorageError(target, "is there already: reports are never overwritten")
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
    except OSError as exc:
        raise StorageError(target.parent, exc.strerror or "cannot be made") from exc


def _asked(ready: _Prepared, began: str, say: Say, runtime: Path | None) -> Report:
    station = ready.station
    endpoint = way_to(station.endpoints.observers, runtime_folder(station.name, runtime))
    with LineEar(endpoint, station.name, observer_keys(station, ready.order.key)) as ear, interrupts() as interrupt:
        ear.wait_for_line(_LINE_S)
        ritual = Ritual(ready.challenge, ear, interrupt, say, ready.inspecting.name, station.recipe)
        results = tuple(ritual.perform())
        return _report(ready, began, results, tuple(ritual.problems), ritual.others)


def _fed(ready: _Prepared, folder: Path, began: str, progress: Progress, detector: Detector | None) -> Report:
    """The replay's own files lie in a folder beside the report."""
    from linewatch.challenge.feed import feed  # loads what inspects; listening to a line needs none of it

    output, station_path = ready.target.with_suffix(""), ready.order.station
    results, stopped_by = feed(ready.challenge, folder, station_path, output, progress=progress, detector=detector)
    problems = (f"interrupted by {stopped_by}",) if stopped_by else ()
    return _report(ready, began, tuple(results), problems, 0)


def _report(
    ready: _Prepared, began: str, results: tuple[Result, ...], problems: tuple[str, ...], others: int
) -> Report:
    order, challenge_set = ready.order, ready.challenge
    return Report(
        v=1,
        how="line" if order.feed is None else "feed",
        operator=order.operator,
        station=ready.station.name,
        recipe=ready.station.recipe,
        model=ready.inspecting.name,
        model_sha256=ready.inspecting.sha256,
        station_sha256=_sha256(order.station),
        set_name=challenge_set.name,
        set_sha256=_sha256(order.challenge),
        order=challenge_set.order,
        traffic=challenge_set.traffic,
        class_must_match=challenge_set.class_must_match,
        began=began,
        ended=wall_time(),
        results=results,
        others=others,
        problems=problems,
        succeeded=succeeded(results, problems),
    )


def _sha256(path: Path) -> str:
    try:
        return hashlib.sha256(path.read_bytes()).hexdigest()
    except OSError as exc:
        raise StorageError(path, exc.strerror or "cannot be read") from exc
