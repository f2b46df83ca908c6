"""What is compared with what: one YAML document per plan, typed, unknown keys refused."""

from pathlib import Path
from typing import Any, Literal, Self

import yaml
from pydantic import Field, ValidationError, model_validator

from linewatch.core.errors import DatasetError
from linewatch.core.station import Section, told
from linewatch.training.config import Augmentation, Schedule

Family = Literal["dsmoe", "probe", "yolov8", "yolox", "dfine"]
Precision = Literal["bf16", "fp32"]


class SetPlan(Section):
    """One data set, by its training configuration (classes, sources, split, prompts), and how it is shown."""

    name: str = Field(pattern=r"^[a-z0-9_]+$")
    config: Path = Field(description="training configuration; its split is taken, its budget is not")
    input_px: int = Field(multiple_of=32, gt=0, description="side of the picture at evaluation and in the figures")
    augmentation: Augmentation


class Variant(Section):
    """One network.

    architecture: fields of linewatch's Architecture for `dsmoe`, `width` for `probe`, `size` or `queries` for peers.
    """

    name: str = Field(pattern=r"^[A-Za-z0-9_.-]+$")
    family: Family
    architecture: dict[str, Any] = Field(default_factory=dict)
    learning_rate: float | None = Field(None, gt=0, description="none is the schedule's")


class Plan(Section):
    """All runs: every variant on every set with every seed."""

    title: str
    short: bool = Field(description="whether the budget is too short to say more than who starts faster")
    sets: tuple[SetPlan, ...] = Field(min_length=1)
    variants: tuple[Variant, ...] = Field(min_length=1)
    seeds: tuple[int, ...] = Field(min_length=1)
    precision: Precision = "bf16"
    schedule: Schedule

    @model_validator(mode="after")
    def _one_rate_in_an_encoder(self) -> Self:
        if self.schedule.layer_decay != 1:
            raise ValueError("layer_decay: an encoder has one learning rate in the comparison")
        return self


def load_plan(path: Path) -> Plan:
    """The plan at `path`; paths in it are taken from the current folder. Raises DatasetError."""
    try:
        document = yaml.safe_load(path.read_text(encoding="utf-8"))
    except OSError as exc:
        raise DatasetError(path, exc.strerror or "cannot be read") from exc
    except (yaml.YAMLError, UnicodeDecodeError) as exc:
        raise DatasetError(path, f"is not YAML: {exc}") from exc
    try:
        plan = Plan.model_validate(document)
    except ValidationError as exc:
        errors = exc.errors(include_url=False)
        raise DatasetError(*told(path, errors[0], len(errors) - 1)) from exc
    for what, names in (("sets", [s.name for s in plan.sets]), ("variants", [v.name for v in plan.variants])):
        if len(set(names)) != len(names):
            raise DatasetError(f"{path}: {what}", "a name stands twice", names)
    return plan


def with_budget(plan: Plan, steps: int | None, seeds: tuple[int, ...] | None) -> Plan:
    """The plan with fewer (or more) steps or other seeds; fewer steps make it a short one."""
    changes: dict[str, Any] = {}
    if steps is not None and steps != plan.schedule.steps:
        warmup = min(plan.schedule.warmup_steps, steps // 10)
        changes["schedule"] = plan.schedule.model_copy(update={"steps": steps, "warmup_steps": warmup})
        changes["short"] = plan.short or steps < plan.schedule.steps
    if seeds is not None:
        changes["seeds"] = seeds
    return plan.model_copy(update=changes)
