"""What every page of ours has in common: its assets, its headers, and the names that it may be asked under."""

from collections.abc import Sequence
from pathlib import Path

from starlette.applications import Starlette
from starlette.datastructures import MutableHeaders
from starlette.middleware import Middleware
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.routing import BaseRoute, Mount
from starlette.staticfiles import StaticFiles
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from linewatch.core.served import Served

STATIC = Path(__file__).with_name("static")
_HEADERS = {
    "Content-Security-Policy": "default-src 'self'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
}


def site(routes: Sequence[BaseRoute], settings: Served) -> Starlette:
    """`routes` and the assets."""
    guard = Middleware(TrustedHostMiddleware, allowed_hosts=_hosts(settings), www_redirect=False)
    every = [*routes, Mount("/static", StaticFiles(directory=STATIC))]
    return Starlette(routes=every, middleware=[guard, Middleware(_WithHeaders)])


class _WithHeaders:
    """Every answer says that nothing from elsewhere may be loaded into it."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                headers.update(_HEADERS)
                headers.setdefault("Cache-Control", "no-cache")  # scripts of an older version must not stay
            await send(message)

        await self._app(scope, receive, send_with_headers if scope["type"] == "http" else send)


def _hosts(settings: Served) -> list[str]:
    """Names it may be asked under; a web page elsewhere must not get in by a name of its own for this machine."""
    return ["localhost", "127.0.0.1", "[::1]", "::1", settings.host] if settings.is_loopback else ["*"]
