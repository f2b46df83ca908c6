"""The stream behind a page: server-sent events, each the whole page as JSON."""

from collections.abc import AsyncIterator, Callable

from starlette.responses import PlainTextResponse, Response, StreamingResponse

from linewatch.dashboard.news import News

MOST_STREAMS = 32


class PageStream:
    """All open pages of one process."""

    def __init__(self, news: News, encoded: Callable[[], bytes]) -> None:
        """news: when there is something to show. encoded: the page as it is now."""
        self._news = news
        self._encoded = encoded
        self._open = 0

    def answer(self) -> Response:
        """To one page: at once when something happens and at least every 250 ms, until it is closed."""
        if self._open >= MOST_STREAMS:
            return PlainTextResponse(f"{MOST_STREAMS} pages are open already\n", 503)
        return StreamingResponse(self._pages(), media_type="text/event-stream", headers={"Cache-Control": "no-store"})

    async def _pages(self) -> AsyncIterator[bytes]:
        """A page that is slow to take one gets the newest next: nothing queues up."""
        self._open += 1
        try:
            while not self._news.closed:
                yield b"data: " + self._encoded() + b"\n\n"
                await self._news.wait()
        finally:
            self._open -= 1
