"""One GET of one station's metrics: bounded in time and size, and in one line why it failed."""

import asyncio
import contextlib
import os
import socket
import ssl
from urllib.parse import urlsplit

import h11

from linewatch.dashboard.fleet.trouble import NONSENSE, UNREACHABLE, WRONG_ADDRESS, Trouble

MOST_BYTES = 256 << 10  # a station's metrics are some 10 kB
_PIECE = 1 << 16


async def ask(url: str, timeout_s: float) -> bytes:
    """What lies at `url`. timeout_s: for all of it. Raises Trouble."""
    try:
        async with asyncio.timeout(timeout_s):
            return await _asked(url)
    except TimeoutError:
        raise Trouble(UNREACHABLE, f"no answer within {timeout_s:g} s") from None
    except socket.gaierror as exc:
        raise Trouble(UNREACHABLE, f"its name is not known: {exc.strerror}") from exc
    except UnicodeError:
        raise Trouble(UNREACHABLE, "its name cannot be one of a machine") from None
    except (ssl.SSLError, h11.RemoteProtocolError) as exc:
        raise Trouble(NONSENSE, f"does not speak HTTP: {_one_line(exc)}") from exc
    except OSError as exc:
        raise Trouble(UNREACHABLE, _one_line(exc)) from exc


async def _asked(url: str) -> bytes:
    parts = urlsplit(url)
    secure = parts.scheme == "https"
    port = parts.port or (443 if secure else 80)
    reader, writer = await asyncio.open_connection(parts.hostname, port, ssl=secure or None)
    try:
        connection = h11.Connection(h11.CLIENT)
        headers = [("Host", parts.netloc), ("Accept", "text/plain"), ("Connection", "close")]
        writer.write(connection.send(h11.Request(method="GET", target=parts.path or "/", headers=headers)) or b"")
        writer.write(connection.send(h11.EndOfMessage()) or b"")
        await writer.drain()
        return await _answer(connection, reader)
    finally:
        with contextlib.suppress(OSError):
            writer.close()


async def _answer(connection: h11.Connection, reader: asyncio.StreamReader) -> bytes:
    body = bytearray()
    while True:
        event = connection.next_event()
        if event is h11.NEED_DATA:
            connection.receive_data(await reader.read(_PIECE))
        elif isinstance(event, h11.Response) and event.status_code != 200:
            raise Trouble(WRONG_ADDRESS, f"answers {event.status_code} {event.reason.decode('ascii', 'replace')}"[:80])
        elif isinstance(event, h11.Data):
            body += event.data
            if len(body) > MOST_BYTES:
                raise Trouble(NONSENSE, f"answers more than {MOST_BYTES >> 10} kB")
        elif not isinstance(event, h11.Response | h11.InformationalResponse):
            return bytes(body)


def _one_line(exc: Exception) -> str:
    """asyncio has words of its own for what the system names by number."""
    text = os.strerror(exc.errno) if isinstance(exc, OSError) and exc.errno else str(exc) or type(exc).__name__
    return text.splitlines()[0].lower()[:120]
