"""The keys that a station's endpoints need before they are bound."""

from dataclasses import dataclass, field

from linewatch.core.errors import KeysError, StationError
from linewatch.core.keyring import Keyring
from linewatch.core.station import Station
from linewatch.line.allow_list import AllowList
from linewatch.line.endpoints import needs_keys


@dataclass(frozen=True)
class LineKeys:
    """The line's own secret, 40 Z85 characters, and who may connect."""

    secret: str = field(repr=False)
    allowed: AllowList


def line_keys(station: Station) -> LineKeys | None:
    """The keys of `station`; none when no endpoint of it needs any.

    Raises StationError for the first endpoint that needs keys, when they are missing, damaged or open to others.
    """
    guarded = guarded_endpoints(station)
    if not guarded:
        return None
    ring = Keyring(station.security.folder)
    try:
        return LineKeys(ring.server_secret(), AllowList(ring.allowed_folder))
    except KeysError as exc:
        key, endpoint = guarded[0]
        remedy = f"`linewatch keys new server --folder {ring.folder}` makes them"
        reason = f"tcp needs keys, and {exc} ({remedy}; else endpoints.plaintext must say the words)"
        raise StationError(f"endpoints.{key}", reason, endpoint) from exc


def guarded_endpoints(station: Station) -> list[tuple[str, str]]:
    """Key and value of the endpoints that only clients with keys reach."""
    endpoints = station.endpoints
    both = (("observers", endpoints.observers), ("actuators", endpoints.actuators))
    return [(key, endpoint) for key, endpoint in both if needs_keys(endpoint, endpoints.plaintext)]
