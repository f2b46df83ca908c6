"""Waking every open page when there is something to show, and regularly when there is not."""

import asyncio
import contextlib

AT_LEAST_EVERY_S = 0.25  # so that silence of the line, and of this process, shows within a second
AT_MOST_EVERY_S = 0.05


class News:
    """closed: no more pages are to be sent."""

    def __init__(self) -> None:
        self.closed = False
        self._event = asyncio.Event()

    def tell(self) -> None:
        """There is something to show."""
        event, self._event = self._event, asyncio.Event()
        event.set()

    def close(self) -> None:
        self.closed = True
        self.tell()

    async def wait(self) -> None:
        """Until there is something to show, in any case not for long; a burst becomes one page."""
        event = self._event
        await asyncio.sleep(0 if self.closed else AT_MOST_EVERY_S)
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(event.wait(), AT_LEAST_EVERY_S - AT_MOST_EVERY_S)
