"""The web server of a page, and the tasks beside it."""

import asyncio
import contextlib
import signal
from collections.abc import Coroutine, Iterator

import uvicorn
from starlette.types import ASGIApp

from linewatch.dashboard.news import News

_GRACE_S = 1


async def until_one_ends(*work: Coroutine[None, None, None]) -> None:
    """The server ends when told to; any other that ends has failed, and the page must not look well without it."""
    tasks = [asyncio.create_task(one) for one in work]
    done, rest = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    for task in rest:
        task.cancel()
    await asyncio.gather(*rest, return_exceptions=True)
    for task in done:
        task.result()


def server(app: ASGIApp, news: News) -> uvicorn.Server:
    """Serves `app` until SIGTERM or Ctrl-C, which also close `news`."""
    config = uvicorn.Config(
        app,
        loop="asyncio",
        http="h11",
        ws="none",
        lifespan="off",
        log_config=None,
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=_GRACE_S,
    )
    return _Server(config, news)


class _Server(uvicorn.Server):
    """Ends in order on SIGTERM and Ctrl-C, with the open pages, and the command with code 0."""

    def __init__(self, config: uvicorn.Config, news: News) -> None:
        super().__init__(config)
        self._news = news

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self._stop)
        yield

    def _stop(self) -> None:
        self.should_exit = True
        self._news.close()
