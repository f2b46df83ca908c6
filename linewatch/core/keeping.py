"""The `storage.retention` section of a station file: which pictures are kept longer than others."""

from pydantic import Field, model_validator

from linewatch.core.messages import Cause
from linewatch.core.section import Section

ANY = "*"


class Keep(Section):
    """How long pictures of one class or one cause are kept; their place in the list says how much they are wanted."""

    label: str | None = Field(
        None,
        alias="class",
        min_length=1,
        description="crops of this class, and frames rejected for it; `*` is whatever is left",
    )
    cause: Cause | None = Field(None, description="frames of parts with this cause; instead of `class`")
    days: float | None = Field(None, gt=0, description="removed when older; none is as long as there is room")

    @model_validator(mode="after")
    def _one_kind(self) -> "Keep":
        if (self.label is None) == (self.cause is None):
            raise ValueError("either class or cause must be given")
        return self


def check_rules(rules: tuple[Keep, ...]) -> tuple[Keep, ...]:
    """Refuses a rule that no picture can reach. Raises ValueError."""
    seen: list[tuple[str | None, Cause | None]] = []
    for number, rule in enumerate(rules):
        if (ANY, None) in seen:
            raise ValueError(f"{number}: class `{ANY}` stands before it and takes every picture; put that one last")
        if (rule.label, rule.cause) in seen:
            raise ValueError(f"{number}: {rule.label or rule.cause} has a rule already")
        seen.append((rule.label, rule.cause))
    return rules
