"""The file of `linewatch fleet`: which stations, and where their common page is served."""

from pathlib import Path
from typing import Annotated, ClassVar, Literal
from urllib.parse import urlsplit, urlunsplit

from pydantic import AfterValidator, Field, ValidationError, model_validator

from linewatch.core.errors import StationError, UsageError
from linewatch.core.section import Section
from linewatch.core.served import Served
from linewatch.core.station import read_yaml, told

METRICS = "metrics"


def _page(url: str) -> str:
    """The address of a station's page, with a slash at the end, from that or from the one of its metrics."""
    try:
        parts = urlsplit(url)
        port_fits = parts.port != 0
    except ValueError as exc:
        raise ValueError(f"is no address: {exc}") from None
    if parts.scheme not in ("http", "https") or not parts.hostname or not port_fits:
        raise ValueError("must be an address like http://192.168.1.11:8765/")
    if parts.query or parts.fragment or parts.username or not url.isascii() or any(c <= " " for c in url):
        raise ValueError("must be plain: no query, fragment, user, space or sign beyond ASCII")
    path = parts.path.removesuffix(METRICS) if parts.path.endswith("/" + METRICS) else parts.path
    return urlunsplit((parts.scheme, parts.netloc, path.rstrip("/") + "/", "", ""))


class Listed(Section):
    """One station of the list."""

    name: str = Field("", max_length=64, description="what people call it; empty takes the name that it gives itself")
    url: Annotated[str, AfterValidator(_page)] = Field(
        description="of its operator page or its metrics: http://HOST:8765/ or http://HOST:8765/metrics"
    )


class Fleet(Served):
    """Several stations on one page, from their metrics."""

    WORDS: ClassVar[str] = "i accept that anyone on this network can watch these lines"

    stations: tuple[Listed, ...] = Field(min_length=1, max_length=200, description="in the order of the hall")
    port: int = Field(8770, ge=0, le=65535, description="0 takes a free one, which is printed")
    open_to_network: Literal["", "i accept that anyone on this network can watch these lines"] = Field(
        "", description="these words let other machines see the page, without a password"
    )
    every_s: float = Field(1.0, ge=0.2, le=60, description="how often each station is asked")
    timeout_s: float = Field(2.0, ge=0.2, le=60, description="a station that has not answered by then is unreachable")

    @model_validator(mode="after")
    def _told_apart(self) -> "Fleet":
        for key in ("url", "name"):
            seen = [value for station in self.stations if (value := getattr(station, key))]
            twice = next((value for index, value in enumerate(seen) if value in seen[:index]), None)
            if twice is not None:
                raise ValueError(f"two stations have the {key} {twice!r}")
        return self


def load_fleet(path: Path) -> Fleet:
    """The fleet in the YAML file at `path`. Raises StationError that names file, key, value and reason."""
    document = read_yaml(path)
    if not isinstance(document, dict):
        raise StationError(path, "must be a YAML mapping", type(document).__name__)
    try:
        return Fleet.model_validate(document)
    except ValidationError as exc:
        errors = exc.errors(include_url=False)
        raise StationError(*told(path, errors[0], len(errors) - 1)) from exc


def fleet_of(urls: list[str]) -> Fleet:
    """The fleet of several addresses. Raises UsageError."""
    try:
        return Fleet.model_validate({"stations": [{"url": url} for url in urls]})
    except ValidationError as exc:
        first = exc.errors(include_url=False)[0]
        value = first["input"] if isinstance(first["input"], str) else None
        raise UsageError("fleet", first["msg"].removeprefix("Value error, "), value) from exc
