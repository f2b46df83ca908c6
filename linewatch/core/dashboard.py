"""The `dashboard` section of a station file: where the operator page is served, and to whom."""

from pathlib import Path
from typing import ClassVar, Literal

from pydantic import Field

from linewatch.core.served import Served


class Dashboard(Served):
    """Operator page, metrics and health, by `linewatch dashboard STATION`."""

    WORDS: ClassVar[str] = "i accept that anyone on this network can watch this line"

    port: int = Field(8765, ge=0, le=65535, description="0 takes a free one, which is printed")
    open_to_network: Literal["", "i accept that anyone on this network can watch this line"] = Field(
        "", description="these words let other machines see the page, its pictures and the metrics, without a password"
    )
    key: Path | None = Field(
        None,
        description="NAME.key of the page's own, which the line allows; needed when endpoints.observers needs keys",
    )
