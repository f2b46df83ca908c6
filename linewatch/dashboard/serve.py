"""`linewatch dashboard`: the page's process, put together and run until stopped."""

import asyncio
import contextlib
import signal
import socket
from collections.abc import Callable, Coroutine, Iterator
from pathlib import Path

import uvicorn
import zmq.asyncio

from linewatch.core.clock import MonotonicClock
from linewatch.core.curve import ClientKeys
from linewatch.core.station import Station, load_station
from linewatch.dashboard.address import address, bound
from linewatch.dashboard.app import App
from linewatch.dashboard.board import Board, InUse
from linewatch.dashboard.following import follow_log, listen, listener, look_at_machine
from linewatch.dashboard.in_use import in_use, keys_of
from linewatch.dashboard.metrics import Metrics
from linewatch.dashboard.news import News
from linewatch.line.runtime import runtime_folder

_GRACE_S = 1


def serve(station_path: Path, tell: Callable[[str], None], port: int | None = None) -> int:
    """Serve the page of the station file at `station_path` until SIGTERM or Ctrl-C.

    tell: hears the page's address once it can be opened. port: another than the station file's.
    Returns 0. Raises StationError, KeysError, EndpointError when it cannot be served.
    """
    station = load_station(station_path)
    keys = keys_of(station)
    use = in_use(station, runtime_folder(station.name))
    settings = station.dashboard if port is None else station.dashboard.model_copy(update={"port": port})
    with contextlib.closing(bound(settings)) as server_socket:
        tell(address(settings, server_socket))
        asyncio.run(_serve(station, use, keys, server_socket))
    return 0


async def _serve(station: Station, use: InUse, keys: ClientKeys | None, server_socket: socket.socket) -> None:
    board = Board(station, use, MonotonicClock())
    metrics, news = Metrics(board), News()
    server = _Server(_config(App(board, metrics, news)), news)
    with zmq.asyncio.Context() as context, listener(context, use.endpoint, station.name, keys) as line:
        await _until_one_ends(
            server.serve([server_socket]),
            listen(line, board, metrics, news.tell),
            follow_log(board, metrics, news.tell),
            look_at_machine(board),
        )


async def _until_one_ends(*work: Coroutine[None, None, None]) -> None:
    """The server ends when told to; any other that ends has failed, and the page must not look well without it."""
    tasks = [asyncio.create_task(one) for one in work]
    done, rest = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    for task in rest:
        task.cancel()
    await asyncio.gather(*rest, return_exceptions=True)
    for task in done:
        task.result()


def _config(app: App) -> uvicorn.Config:
    return uvicorn.Config(
        app.asgi(),
        loop="asyncio",
        http="h11",
        ws="none",
        lifespan="off",
        log_config=None,
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=_GRACE_S,
    )


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
