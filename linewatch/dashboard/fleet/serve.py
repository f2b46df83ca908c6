"""`linewatch fleet`: the fleet's page until stopped, or its state once."""

import asyncio
import contextlib
import socket
from collections.abc import Callable

from linewatch.core.fleet import Fleet
from linewatch.dashboard.address import address, bound
from linewatch.dashboard.fleet.app import FleetApp
from linewatch.dashboard.fleet.page import FleetPage, page_of
from linewatch.dashboard.fleet.watching import Watched, look, look_again_and_again, spare_threads
from linewatch.dashboard.news import News
from linewatch.dashboard.server import server, until_one_ends


def serve(fleet: Fleet, tell: Callable[[str], None]) -> int:
    """Serve the fleet's page until SIGTERM or Ctrl-C.

    tell: hears the page's address once it can be opened. Returns 0. Raises EndpointError when it cannot be served.
    """
    with contextlib.closing(bound(fleet, "fleet")) as server_socket:
        tell(address(fleet, server_socket))
        asyncio.run(_serve(fleet, server_socket))
    return 0


def seen_once(fleet: Fleet) -> FleetPage:
    """Ask every station once, all at the same time."""
    return asyncio.run(_seen_once(fleet))


async def _serve(fleet: Fleet, server_socket: socket.socket) -> None:
    news, watched = News(), [Watched(listed) for listed in fleet.stations]
    web = server(FleetApp(watched, fleet, news).asgi(), news)
    await until_one_ends(web.serve([server_socket]), look_again_and_again(watched, fleet, news.tell))


async def _seen_once(fleet: Fleet) -> FleetPage:
    spare_threads(fleet)
    watched = [Watched(listed) for listed in fleet.stations]
    await asyncio.gather(*(look(one, fleet) for one in watched))
    return page_of(watched)
