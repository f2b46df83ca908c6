"""What a finished run leaves: one JSON lines file, its training losses first, its result last."""

import hashlib
from dataclasses import asdict
from pathlib import Path
from typing import Any

import msgspec

from benchmarks.accuracy.plan import Plan, SetPlan, Variant
from linewatch.core.errors import StorageError
from linewatch.dsmoe.network import Architecture
from linewatch.training.evaluation import Metrics
from linewatch.training.whole_file import make_folder, write_whole


class Loss(msgspec.Struct, frozen=True, tag_field="kind", tag="loss"):
    step: int
    loss: float


class PartLevel(msgspec.Struct, frozen=True):
    """At the threshold with the fewest false rejects among those without an escape, chosen on these same parts."""

    threshold: float
    escapes: int
    bad: int
    false_rejects: int
    good: int


class RoutingUse(msgspec.Struct, frozen=True):
    """Over the held-out pictures, mean of the scales.

    load_cv: coefficient of variation of how many pictures each expert works on. entropy: of the routing probabilities,
    nats, mean over pictures. by_class: (classes, experts) mean gate of the expert on pictures with the class.
    """

    load_cv: float
    entropy: float
    by_class: list[list[float]]


class Result(msgspec.Struct, frozen=True, tag_field="kind", tag="result"):
    """One run with all that is needed to judge it. parameters: count; gflops: of one picture of input_px."""

    set: str
    variant: str
    family: str
    seed: int
    digest: str
    short: bool
    steps: int
    batch: int
    input_px: int
    crop_px: int
    learning_rate: float
    bf16: bool
    learnt_pictures: int
    held_out_is: str
    classes: list[str]
    parameters: int
    gflops: float
    metrics: Metrics
    part_level: PartLevel | None
    routing: RoutingUse | None
    device: str
    torch: str
    date: str


Line = Loss | Result


class RunKey(msgspec.Struct, frozen=True):
    """Names one run; the digest covers all settings that its outcome depends on, a set's where they are no defaults."""

    set: str
    variant: str
    seed: int
    digest: str

    @property
    def name(self) -> str:
        return f"{self.set}--{self.variant}--s{self.seed}--{self.digest}"


def key_of(plan: Plan, chosen: SetPlan, variant: Variant, seed: int) -> RunKey:
    settings: dict[str, Any] = {
        # An option that comes later, off by default, leaves earlier runs what they are.
        "set": chosen.model_dump(mode="json", exclude_defaults=True),
        "variant": variant.model_dump(mode="json"),
        "schedule": plan.schedule.model_dump(mode="json", exclude={"keep_every", "validate_every"}),
        "precision": plan.precision,
        "config": hashlib.sha256(chosen.config.read_bytes()).hexdigest(),
    }
    if variant.family == "dsmoe":  # what a plan leaves unsaid may change, and earlier runs are then of another network
        settings["unsaid"] = asdict(Architecture(classes=1))
    encoded = msgspec.json.encode(settings, order="sorted")
    return RunKey(chosen.name, variant.name, seed, hashlib.sha256(encoded).hexdigest()[:8])


class Results:
    """The folder of a comparison: `runs/` of the finished ones, `states/` of those under way."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        make_folder(folder / "runs")
        make_folder(folder / "states")

    def state(self, key: RunKey) -> Path:
        return self.folder / "states" / f"{key.name}.pt"

    def finished(self, key: RunKey) -> Result | None:
        """The result of a run, or none while it is not finished. Raises StorageError when its file is not ours."""
        path = self._file(key)
        if not path.exists():
            return None
        try:
            last = msgspec.json.decode(path.read_text(encoding="utf-8").splitlines()[-1], type=Line)
        except (msgspec.DecodeError, OSError, IndexError, UnicodeDecodeError) as exc:
            raise StorageError(path, f"is no finished run: {exc}; remove it to run it again") from exc
        if not isinstance(last, Result):
            raise StorageError(path, "does not end in a result; remove it to run it again")
        return last

    def write(self, key: RunKey, losses: list[tuple[int, float]], result: Result) -> None:
        """The file of a finished run, whole or not at all; its state is no longer needed."""
        lines: list[Line] = [*(Loss(step, loss) for step, loss in losses), result]
        write_whole(self._file(key), msgspec.json.Encoder().encode_lines(lines))
        self.state(key).unlink(missing_ok=True)

    def _file(self, key: RunKey) -> Path:
        return self.folder / "runs" / f"{key.name}.jsonl"
