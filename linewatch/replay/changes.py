"""Two decisions of the same parts beside each other: every part whose verdict changed, with its picture."""

import base64
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import jinja2
import msgspec

from linewatch.core.errors import PictureError, StorageError
from linewatch.core.messages import Verdict
from linewatch.core.station import Station
from linewatch.pictures.draw import AMBER, RED, Box, fit
from linewatch.pictures.read import read_picture
from linewatch.pictures.rectify import rectifier_for
from linewatch.pictures.types import Picture
from linewatch.pictures.write import encode_jpeg, write_whole
from linewatch.records.decision_log import DecisionLine, read_decisions
from linewatch.replay.changes_page import PAGE

CHANGES, CHANGES_PAGE = "changes.jsonl", "changes.html"
_SIDE_PX = 420
_MOST_SHOWN = 400


class Change(msgspec.Struct, frozen=True):
    """One part that both decided, and not alike. before, after: the lines of the two logs."""

    source: str
    before: DecisionLine
    after: DecisionLine

    @property
    def now_passes(self) -> bool:
        return self.after.verdict is Verdict.PASS


class Changes(msgspec.Struct, frozen=True):
    """compared: parts that both decided. alone: parts that only one of them did. changed: in the order of the parts."""

    compared: int
    alone: int
    changed: tuple[Change, ...]


@dataclass(frozen=True)
class Compared:
    """What the page says of the two. of: the recording or run. see: the inspected picture of a line of side 0 or 1."""

    of: object
    names: tuple[str, str]
    models: tuple[object, object]
    see: Callable[[int, DecisionLine], Picture | None]


def find_changes(before: Path, after: Path) -> Changes:
    """Compare the decision logs of two run folders. Raises StorageError when they are not of the same pictures."""
    one, other = ({line.seq: line for line in read_decisions(folder)} for folder in (before, after))
    for seq in sorted(one.keys() & other.keys()):
        if one[seq].source != other[seq].source:
            reason = f"part {seq} is {other[seq].source} here, and {one[seq].source} in {before}"
            raise StorageError(after, f"is no replay of the same recording: {reason}")
    return changes_between(one, other)


def changes_between(one: Mapping[int, DecisionLine], other: Mapping[int, DecisionLine]) -> Changes:
    """The changes from one to another decision of the same parts, by seq."""
    both = sorted(one.keys() & other.keys())
    changed = [
        Change(one[seq].source, one[seq], other[seq]) for seq in both if one[seq].verdict is not other[seq].verdict
    ]
    return Changes(len(both), len(one.keys() ^ other.keys()), tuple(changed))


def stations_compared(recording: Path, stations: tuple[Station, Station]) -> Compared:
    """Two stations that a recording was played through."""
    one, other = stations
    return Compared(
        recording,
        (one.name, other.name),
        (one.detector.model, other.detector.model),
        lambda side, line: _recorded(recording, stations[side], line),
    )


def write_changes(changes: Changes, compared: Compared, output: Path) -> None:
    """changes.jsonl and changes.html, with what either of the two saw, into `output`. Raises StorageError."""
    lines = b"".join(msgspec.json.encode(change) + b"\n" for change in changes.changed)
    write_whole(output / CHANGES, lines)
    cards = [
        (change, [_shown(compared, side, line) for side, line in enumerate((change.before, change.after))])
        for change in changes.changed[:_MOST_SHOWN]
    ]
    environment = jinja2.Environment(autoescape=True, undefined=jinja2.StrictUndefined)
    page = environment.from_string(PAGE).render(
        changes=changes, cards=cards, names=compared.names, models=compared.models, recording=compared.of
    )
    write_whole(output / CHANGES_PAGE, page.encode())


def _recorded(recording: Path, station: Station, line: DecisionLine) -> Picture | None:
    """The picture as this station rectified it; none when it cannot be read."""
    try:
        picture = read_picture(recording / line.source, grey=station.camera.grey)
    except PictureError:
        return None
    rectify = rectifier_for(station)
    return picture if rectify is None else rectify(picture)


def _shown(compared: Compared, side: int, line: DecisionLine) -> str | None:
    """The picture with what counted, as a data address."""
    picture = compared.see(side, line)
    if picture is None:
        return None
    counted = [found for found in line.detections if found.effect != "ignore"]
    boxes = [
        Box(f.x, f.y, f.width, f.height, f"{f.label} {f.score:.2f}", RED if f.effect == "reject" else AMBER)
        for f in counted
    ]
    face = fit(picture, _SIDE_PX, _SIDE_PX, boxes)
    return "data:image/jpeg;base64," + base64.b64encode(encode_jpeg(face)).decode()
