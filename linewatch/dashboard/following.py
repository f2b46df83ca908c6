"""The three tasks that keep the board true: listening to the line, reading its log, looking at the machine."""

import asyncio
import contextlib
from collections.abc import Callable
from pathlib import Path
from typing import cast

import zmq
import zmq.asyncio

from linewatch.core.curve import ClientKeys, secure_client
from linewatch.core.errors import EndpointError
from linewatch.core.wire import WireError, unpack
from linewatch.dashboard.board import Board
from linewatch.dashboard.log_tail import LogTail, logs_since
from linewatch.dashboard.machine import look
from linewatch.dashboard.metrics import Metrics
from linewatch.dashboard.pictures import Shown, shown
from linewatch.records.decision_log import DecisionLine

_LOG_EVERY_S = 0.1
_MACHINE_EVERY_S = 10.0
_RECONNECT_MS = 50
_SILENT_MS = 2000
_QUEUE = 10_000  # messages; what is lost beyond shows as missed

Socket = zmq.asyncio.Socket


def listener(context: zmq.asyncio.Context, endpoint: str, station: str, keys: ClientKeys | None) -> Socket:
    """A socket that hears everything of `station`; the line need not be there yet. Raises EndpointError."""
    socket = context.socket(zmq.SUB)
    socket.setsockopt(zmq.RCVHWM, _QUEUE)
    socket.setsockopt(zmq.LINGER, 0)
    socket.setsockopt(zmq.RECONNECT_IVL, _RECONNECT_MS)
    socket.setsockopt(zmq.RECONNECT_IVL_MAX, 10 * _RECONNECT_MS)
    socket.setsockopt(zmq.SUBSCRIBE, f"{station}.".encode())
    try:
        if keys is not None:
            secure_client(cast("zmq.Socket[bytes]", socket), keys)  # options are set alike on both
        socket.connect(endpoint)
    except zmq.ZMQError as exc:
        socket.close()
        raise EndpointError(endpoint, exc.strerror or "cannot be reached") from exc
    return socket


async def listen(socket: Socket, board: Board, metrics: Metrics, wake: Callable[[], None]) -> None:
    """Hear until cancelled. wake: called when something came that people shall see at once."""
    while True:
        if not await socket.poll(_SILENT_MS):
            _connect_anew(socket, board.use.endpoint)
            continue
        try:
            message = unpack(await socket.recv_multipart())
        except WireError:  # of a newer line, or rubbish: a page needs not understand everything
            board.undecodable += 1
            continue
        before = board.changed
        board.heard(message)
        metrics.heard(message)
        if board.changed != before:
            wake()


def _connect_anew(socket: Socket, endpoint: str) -> None:
    """libzmq does not try again by itself once its key was refused, which may have been allowed since."""
    with contextlib.suppress(zmq.ZMQError):
        socket.disconnect(endpoint)
    socket.connect(endpoint)


async def follow_log(board: Board, metrics: Metrics, wake: Callable[[], None]) -> None:
    """Read what this shift's runs have logged so far, then what the present run logs, until cancelled."""
    output = board.station.storage.output
    size = board.use.picture_px
    tails: dict[Path, LogTail] = {}
    for folder in await asyncio.to_thread(logs_since, output, board.counts.since.timestamp()):
        tail = tails[folder] = LogTail(folder)
        while await _take(board, tail, size, None):
            pass
    while True:
        run = board.hearing.run
        if run:
            tail = tails.setdefault(output / run, LogTail(output / run))
            before = board.changed
            while await _take(board, tail, size, metrics):
                pass
            if board.changed != before:
                wake()
        await asyncio.sleep(_LOG_EVERY_S)


async def look_at_machine(board: Board) -> None:
    """Now and then, until cancelled."""
    while True:
        board.machine = await asyncio.to_thread(look, board.station.storage.output)
        await asyncio.sleep(_MACHINE_EVERY_S)


async def _take(board: Board, tail: LogTail, size: tuple[int, int], metrics: Metrics | None) -> bool:
    """One piece of a log onto the board; false when there was none. A slow disk holds up this task alone."""
    run = tail.folder.name
    lines = await asyncio.to_thread(tail.read)
    wanted = [line for line in lines if board.rejects.wants(run, line)]
    pictures = await asyncio.to_thread(_pictures, tail.folder, wanted, size)
    for line in lines:
        board.logs(run, line, pictures.get(line.seq))
        if metrics is not None:
            metrics.logged(line)
    return bool(lines)


def _pictures(folder: Path, lines: list[DecisionLine], size: tuple[int, int]) -> dict[int, Shown]:
    return {line.seq: shown(folder, line, size) for line in lines}
