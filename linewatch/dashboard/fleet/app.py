"""The web side of a fleet: its page, the stream behind it, and the same as JSON."""

from collections.abc import Sequence

import msgspec
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import FileResponse, PlainTextResponse, Response
from starlette.routing import Route

from linewatch.core.fleet import Fleet
from linewatch.dashboard.fleet.page import page_of
from linewatch.dashboard.fleet.watching import Watched
from linewatch.dashboard.news import News
from linewatch.dashboard.stream import PageStream
from linewatch.dashboard.web import STATIC, site

_encoder = msgspec.json.Encoder()


class FleetApp:
    """The routes around the watched stations."""

    def __init__(self, all_watched: Sequence[Watched], fleet: Fleet, news: News) -> None:
        self._watched = all_watched
        self._fleet = fleet
        self._stream = PageStream(news, self._encoded)

    def asgi(self) -> Starlette:
        routes = [
            Route("/", self._index),
            Route("/events", self._events),
            Route("/fleet.json", self._json),
            Route("/healthz", self._healthz),
        ]
        return site(routes, self._fleet)

    async def _index(self, _request: Request) -> Response:
        return FileResponse(STATIC / "fleet.html")

    async def _events(self, _request: Request) -> Response:
        return self._stream.answer()

    async def _json(self, _request: Request) -> Response:
        return Response(self._encoded(), media_type="application/json", headers={"Cache-Control": "no-store"})

    async def _healthz(self, _request: Request) -> Response:
        """This process answers; the stations are /fleet.json's business."""
        return PlainTextResponse("ok\n")

    def _encoded(self) -> bytes:
        return _encoder.encode(page_of(self._watched))
