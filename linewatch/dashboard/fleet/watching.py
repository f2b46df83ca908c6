"""One task a station: ask, read, remember since when it is as it is. None waits for another."""

import asyncio
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import datetime

from linewatch.core.fleet import METRICS, Fleet, Listed
from linewatch.dashboard.fleet.asking import ask
from linewatch.dashboard.fleet.reading import Reading, read
from linewatch.dashboard.fleet.trouble import UNREACHABLE, Trouble

_NOT_ASKED = Trouble(UNREACHABLE, "not asked yet")
_THREADS_EACH = 12  # looking up a name blocks a thread for longer than any time-out of ours: the others must not wait


@dataclass
class Watched:
    """A station of the list. reading: the last one, `read_at` (monotonic s). trouble: none while it answers.

    since: when the present trouble began, by the wall clock; since_at by the monotonic one.
    """

    listed: Listed
    reading: Reading | None = None
    read_at: float = 0.0
    trouble: Trouble | None = _NOT_ASKED
    since: datetime = field(default_factory=lambda: datetime.now().astimezone())
    since_at: float = field(default_factory=time.monotonic)

    def heard(self, reading: Reading) -> None:
        self.reading, self.read_at, self.trouble = reading, time.monotonic(), None

    def failed(self, trouble: Trouble) -> None:
        """Another trouble than before begins now; the first one began when the watching did."""
        if self.trouble is None or (self.trouble is not _NOT_ASKED and self.trouble.word != trouble.word):
            self.since, self.since_at = datetime.now().astimezone(), time.monotonic()
        self.trouble = trouble


async def look(watched: Watched, fleet: Fleet) -> None:
    """Ask one station once."""
    try:
        body = await ask(watched.listed.url + METRICS, fleet.timeout_s)
        watched.heard(await asyncio.to_thread(read, body))
    except Trouble as trouble:
        watched.failed(trouble)


async def look_again_and_again(all_watched: list[Watched], fleet: Fleet, tell: Callable[[], None]) -> None:
    """Until cancelled; `tell` after each answer and each failure."""
    spare_threads(fleet)
    async with asyncio.TaskGroup() as tasks:
        for watched in all_watched:
            tasks.create_task(_follow(watched, fleet, tell))


def spare_threads(fleet: Fleet) -> None:
    """Enough of them that no station waits for the name of another."""
    threads = ThreadPoolExecutor(_THREADS_EACH * len(fleet.stations), "fleet")
    asyncio.get_running_loop().set_default_executor(threads)


async def _follow(watched: Watched, fleet: Fleet, tell: Callable[[], None]) -> None:
    while True:
        began = time.monotonic()
        await look(watched, fleet)
        tell()
        await asyncio.sleep(max(0.05, fleet.every_s - (time.monotonic() - began)))
