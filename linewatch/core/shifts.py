"""The `shifts` section of a station file: when the crews change, by the clock of which place."""

import functools
import os
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from pathlib import Path
from typing import Annotated
from zoneinfo import ZoneInfo

from pydantic import Field, field_validator

from linewatch.core.section import Section

TimeOfDay = Annotated[str, Field(pattern=r"^([01]\d|2[0-3]):[0-5]\d$")]
ShiftName = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_-]{0,31}$")]
_MACHINES = Path("/etc/localtime")


@dataclass(frozen=True)
class Span:
    """From `begin` on, up to but without `end`; both in UTC, so that they subtract right. name: of the shift, or empty.

    zone: whose clock people read. day: that the shift began on, by that clock.
    """

    name: str
    begin: datetime
    end: datetime
    zone: tzinfo

    @property
    def day(self) -> date:
        return self._local[0].date()

    @property
    def _local(self) -> list[datetime]:
        return [at.astimezone(self.zone) for at in (self.begin, self.end)]

    def __str__(self) -> str:
        """Both ends by the local clock, each with its distance from UTC: they differ when the clock is changed."""
        local = [f"{at:%Y-%m-%d %H:%M} (UTC{at.isoformat()[-6:]})" for at in self._local]
        return f"{' to '.join(local)}, {zone_name(self.zone)}, {(self.end - self.begin) / timedelta(hours=1):g} h"


class Shifts(Section):
    """When the crews change. The operator page counts by them, and `linewatch report --shift` reports on them."""

    time_zone: str | None = Field(
        None, description="place whose clock counts, as Europe/Berlin, summer time included; none is the machine's"
    )
    starts: dict[ShiftName, TimeOfDay] = Field(
        {"early": "06:00", "late": "14:00", "night": "22:00"},
        min_length=1,
        description="name and local time at which each shift begins; it ends where the next begins",
    )

    @field_validator("time_zone")
    @classmethod
    def _known(cls, name: str | None) -> str | None:
        if name is not None:
            try:
                ZoneInfo(name)
            except (OSError, ValueError, LookupError):  # what zoneinfo raises depends on how wrong the name is
                raise ValueError("is no time zone; one is named as in Europe/Berlin") from None
        return name

    @field_validator("starts")
    @classmethod
    def _differ(cls, starts: dict[str, str]) -> dict[str, str]:
        if len(set(starts.values())) < len(starts):
            raise ValueError("two shifts begin at the same time")
        return dict(sorted(starts.items(), key=lambda item: item[1]))

    @property
    def zone(self) -> tzinfo:
        return ZoneInfo(self.time_zone) if self.time_zone is not None else machine_zone()

    def on(self, day: date, name: str) -> Span:
        """The shift `name` that begins on `day`; the night belongs to the day it begins on. name: one of `starts`."""
        zone, names = self.zone, list(self.starts)
        number = names.index(name) + 1
        after = day if number < len(names) else day + timedelta(days=1)
        return Span(name, self._begin(day, name, zone), self._begin(after, names[number % len(names)], zone), zone)

    def current(self, now: datetime) -> Span:
        """The shift that goes on at `now`, which has a time zone."""
        today = now.astimezone(self.zone).date()
        spans = [self.on(today - timedelta(days=back), name) for back in (0, 1, 2) for name in self.starts]
        return max((span for span in spans if span.begin <= now), key=lambda span: span.begin)

    def before(self, span: Span) -> Span:
        """The shift that ended when `span` began."""
        return self.current(span.begin - timedelta(microseconds=1))

    def _begin(self, day: date, name: str, zone: tzinfo) -> datetime:
        """A time that the clock shows twice is the first of the two; one that it leaves out is as far after the gap."""
        return datetime.combine(day, time.fromisoformat(self.starts[name]), zone).astimezone(UTC)


@functools.cache
def machine_zone() -> tzinfo:
    """The zone of this machine's clock, with its summer time: TZ, else /etc/localtime, else UTC."""
    named = os.environ.get("TZ", "").removeprefix(":")
    try:
        if named:
            return ZoneInfo(named)
        key = str(_MACHINES.resolve()).rpartition("zoneinfo/")[2]
        with _MACHINES.open("rb") as file:
            return ZoneInfo.from_file(file, key=key)
    except (OSError, ValueError, LookupError):
        return UTC


def zone_name(zone: tzinfo) -> str:
    """As people and station files name it."""
    return getattr(zone, "key", None) or str(zone)
