"""`linewatch dashboard`: the page's process, put together and run until stopped."""

import asyncio
import contextlib
import socket
from collections.abc import Callable
from pathlib import Path

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
from linewatch.dashboard.server import server, until_one_ends
from linewatch.line.runtime import runtime_folder


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
    web = server(App(board, metrics, news).asgi(), news)
    with zmq.asyncio.Context() as context, listener(context, use.endpoint, station.name, keys) as line:
        await until_one_ends(
            web.serve([server_socket]),
            listen(line, board, metrics, news.tell),
            follow_log(board, metrics, news.tell),
            look_at_machine(board),
        )
