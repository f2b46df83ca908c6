"""Where a page of ours is served, and to whom: this machine alone, unless somebody says the words."""

import ipaddress
from typing import ClassVar

from pydantic import Field, model_validator

from linewatch.core.section import Section


class Served(Section):
    """Base of the sections that open a port. WORDS: what open_to_network must say; subclasses name field and words."""

    WORDS: ClassVar[str] = ""

    host: str = Field("127.0.0.1", description="address to serve at; beyond loopback only with the words below")
    port: int = Field(0, ge=0, le=65535, description="0 takes a free one, which is printed")
    open_to_network: str = ""

    @property
    def is_loopback(self) -> bool:
        """Whether nobody beyond this machine reaches it. Raises ValueError for a host that is no address."""
        return self.host == "localhost" or ipaddress.ip_address(self.host).is_loopback

    @model_validator(mode="after")
    def _open_only_in_words(self) -> "Served":
        try:
            local = self.is_loopback
        except ValueError:
            raise ValueError(f"host {self.host!r} must be localhost or an IP address of this machine") from None
        if not local and not self.open_to_network:
            raise ValueError(
                f"host {self.host!r} can be reached from other machines: open_to_network must say the words "
                f"{self.WORDS!r}"
            )
        return self
