"""The `dashboard` section of a station file: where the operator page is served, and to whom."""

import ipaddress
from pathlib import Path
from typing import Literal

from pydantic import Field, model_validator

from linewatch.core.section import Section


def is_loopback(host: str) -> bool:
    """Whether nobody beyond this machine reaches it. Raises ValueError for what is no address."""
    return host == "localhost" or ipaddress.ip_address(host).is_loopback


class Dashboard(Section):
    """Operator page, metrics and health, by `linewatch dashboard STATION`."""

    host: str = Field("127.0.0.1", description="address to serve at; beyond loopback only with the words below")
    port: int = Field(8765, ge=0, le=65535, description="0 takes a free one, which is printed")
    open_to_network: Literal["", "i accept that anyone on this network can watch this line"] = Field(
        "", description="these words let other machines see the page, its pictures and the metrics, without a password"
    )
    key: Path | None = Field(
        None,
        description="NAME.key of the page's own, which the line allows; needed when endpoints.observers needs keys",
    )

    @property
    def is_loopback(self) -> bool:
        return is_loopback(self.host)

    @model_validator(mode="after")
    def _open_only_in_words(self) -> "Dashboard":
        try:
            local = self.is_loopback
        except ValueError:
            raise ValueError(f"host {self.host!r} must be localhost or an IP address of this machine") from None
        if not local and not self.open_to_network:
            raise ValueError(
                f"host {self.host!r} can be reached from other machines: open_to_network must say the words "
                "'i accept that anyone on this network can watch this line'"
            )
        return self
