"""When the present shift began, in the machine's local time."""

from collections.abc import Sequence
from datetime import datetime, timedelta


def shift_start(now: datetime, starts: Sequence[str]) -> datetime:
    """The latest of the daily times `starts`, HH:MM, that is not after `now`. now: with its time zone, kept."""
    candidates = []
    for start in starts:
        hour, minute = map(int, start.split(":"))
        today = now.replace(hour=hour, minute=minute, second=0, microsecond=0)
        candidates.append(today if today <= now else today - timedelta(days=1))
    return max(candidates)
