"""The base of every section of a station file, and of what is written like one."""

from pydantic import BaseModel, ConfigDict


class Section(BaseModel):
    """Unknown keys and infinite numbers are errors, values do not change after loading."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)
