"""The web side: the page, its stream of news, pictures, metrics and health. Nothing can be changed through it."""

import asyncio
import re

import msgspec
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import FileResponse, PlainTextResponse, Response
from starlette.routing import Route

from linewatch.dashboard.board import Board
from linewatch.dashboard.health import unready
from linewatch.dashboard.metrics import CONTENT_TYPE, Metrics
from linewatch.dashboard.news import News
from linewatch.dashboard.page import page_of
from linewatch.dashboard.stream import PageStream
from linewatch.dashboard.web import STATIC, site

_PICTURE = re.compile(r"(crops|frames)/\d{8,}(_[A-Za-z0-9-]+_\d+)?\.png")
_RUN = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}")
_encoder = msgspec.json.Encoder()


class App:
    """The routes around one board."""

    def __init__(self, board: Board, metrics: Metrics, news: News) -> None:
        self._board = board
        self._metrics = metrics
        self._stream = PageStream(news, lambda: _encoder.encode(page_of(board)))

    def asgi(self) -> Starlette:
        routes = [
            Route("/", self._index),
            Route("/events", self._events),
            Route("/pictures/{run}/{name:path}", self._picture),
            Route("/metrics", self._metrics_text),
            Route("/healthz", self._healthz),
            Route("/readyz", self._readyz),
        ]
        return site(routes, self._board.station.dashboard)

    async def _index(self, _request: Request) -> Response:
        return FileResponse(STATIC / "index.html")

    async def _events(self, _request: Request) -> Response:
        return self._stream.answer()

    async def _picture(self, request: Request) -> Response:
        run, name = request.path_params["run"], request.path_params["name"]
        if not _RUN.fullmatch(run) or not _PICTURE.fullmatch(name):
            return PlainTextResponse("no such picture\n", 404)
        path = self._board.station.storage.output / run / name
        if not await asyncio.to_thread(path.is_file):
            return PlainTextResponse("this picture is gone\n", 404)
        return FileResponse(path, headers={"Cache-Control": "private, max-age=3600"})

    async def _metrics_text(self, _request: Request) -> Response:
        return Response(self._metrics.text(), media_type=CONTENT_TYPE)

    async def _healthz(self, _request: Request) -> Response:
        """This process answers; the line is /readyz's business."""
        return PlainTextResponse("ok\n")

    async def _readyz(self, _request: Request) -> Response:
        reasons = unready(self._board, self._board.clock.now_ns())
        return PlainTextResponse("\n".join(reasons or ["ready"]) + "\n", 503 if reasons else 200)
