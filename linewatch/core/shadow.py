"""The `shadow` section of a station file: a candidate model that looks at passing parts and decides nothing."""

from typing import Annotated, Literal

from pydantic import BeforeValidator, Field

from linewatch.core.criteria import Criterion
from linewatch.core.detectors import DsmoeDetector, OnnxDetector, dsmoe_unless_told
from linewatch.core.section import Section

_CPU = "the CPU alone: on a GPU the networks of two processes wait for one another"


class _Aside(Section):
    """What a shadow has beside its detector."""

    acceptance: tuple[Criterion, ...] | None = Field(
        None, min_length=1, description="criteria of its own; none takes those of the station"
    )
    threads: int = Field(1, ge=1, description="CPU threads, which run only when nothing else wants to")
    memory_mb: float = Field(4096.0, gt=0, description="more than this it is not given, and ends")
    budget_mb: float = Field(256.0, gt=0, description="pictures of parts on which it differs, of all runs together")


class DsmoeShadow(_Aside, DsmoeDetector):
    """A candidate for DS-MoE."""

    device: Literal["cpu"] = Field("cpu", description=_CPU)
    threads: int = Field(1, ge=1, description="CPU threads, which run only when nothing else wants to")


class OnnxShadow(_Aside, OnnxDetector):
    """A candidate that is an ONNX file."""

    threads: int = Field(1, ge=1, description="CPU threads, which run only when nothing else wants to")


Shadow = Annotated[DsmoeShadow | OnnxShadow, Field(discriminator="kind"), BeforeValidator(dsmoe_unless_told)]
