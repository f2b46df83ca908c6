"""What the page is told, as JSON; every text and number that it shows is in here."""

from typing import Literal

import msgspec

Tone = Literal["good", "reject", "doubt", "bad", "unknown"]


class Verdict(msgspec.Struct, frozen=True):
    """The last part. ago_s: since it was decided."""

    seq: int
    word: str
    tone: Tone
    why: str
    ago_s: float


class Rate(msgspec.Struct, frozen=True):
    """A figure with its alarm limit (none: no limit), both in the same unit; `of` says over how many parts."""

    value: float
    limit: float | None
    of: int
    alarm: bool


class Cell(msgspec.Struct, frozen=True):
    """The health of one thing."""

    name: str
    tone: Tone
    word: str
    detail: str = ""


class Box(msgspec.Struct, frozen=True):
    """In pixels of the picture shown."""

    x: float
    y: float
    width: float
    height: float
    label: str
    tone: Tone


class Reject(msgspec.Struct, frozen=True):
    """One rejected part. picture: address, or empty, when `no_picture` says why. view: x, y, width, height of what is
    shown of the picture, whose whole size is `size`; in px."""

    seq: int
    tone: Tone
    title: str
    why: str
    time: str
    picture: str = ""
    size: tuple[int, int] = (0, 0)
    view: tuple[float, float, float, float] = (0, 0, 0, 0)
    boxes: tuple[Box, ...] = ()
    no_picture: str = ""


class Bar(msgspec.Struct, frozen=True):
    """One row of the Pareto of causes."""

    name: str
    count: int
    tone: Tone


class Slack(msgspec.Struct, frozen=True):
    """Time left to the deadline, ms. recent: of the last parts, oldest first. stages: name and median."""

    deadline_ms: float
    recent: tuple[float, ...]
    middle: float | None
    least: float | None
    stages: tuple[tuple[str, float], ...]


class Page(msgspec.Struct, frozen=True):
    """Everything. line: how it is, in a word and a sentence. heard_ms: since the last heartbeat, none before the first.

    missed: decisions that this page did not hear. use: names and values of what is in use.
    """

    station: str
    line: Cell
    heard_ms: float | None
    run: str
    last: Verdict | None
    per_minute: float | None
    shift_since: str
    decided: int
    passed: int
    defects: int
    failsafe: int
    missed: int
    reject_rate: Rate
    failsafe_rate: Rate
    in_a_row: Rate
    alarms: tuple[str, ...]
    pareto: tuple[Bar, ...]
    slack: Slack
    health: tuple[Cell, ...]
    use: tuple[tuple[str, str], ...]
    rejects: tuple[Reject, ...]
