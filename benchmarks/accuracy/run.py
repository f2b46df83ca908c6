"""The comparison: every planned run that is not finished, then latency, table and plots."""

import time
from collections.abc import Callable, Iterator
from contextlib import nullcontext
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import cv2
import torch

from benchmarks.accuracy import latency as latency_file
from benchmarks.accuracy.data import Batches, Data, load_data
from benchmarks.accuracy.measuring import gflops, part_level, predictions, routing_use
from benchmarks.accuracy.plan import Plan, SetPlan, Variant
from benchmarks.accuracy.plot import draw_accuracy, draw_routing
from benchmarks.accuracy.results import Result, Results, RunKey, key_of
from benchmarks.accuracy.subjects import build
from benchmarks.accuracy.subjects.subject import Unavailable
from benchmarks.accuracy.table import table
from benchmarks.accuracy.training import Training
from linewatch.core.errors import CheckFailed
from linewatch.dsmoe.network import DsMoe
from linewatch.training.evaluation import evaluate
from linewatch.training.routing_figures import RoutingLog
from linewatch.training.whole_file import write_whole

TABLE = "table.md"
LATENCY = "latency.json"

Say = Callable[[str], None]


@dataclass(frozen=True)
class Machine:
    """workers: threads that cut crops ahead; stop: asked before every step and run."""

    device: torch.device
    workers: int
    stop: Callable[[], bool]

    @property
    def name(self) -> str:
        return torch.cuda.get_device_name(self.device) if self.device.type == "cuda" else "CPU"


def prepare(device: str, threads: int, workers: int, stop: Callable[[], bool]) -> Machine:
    """The device `auto`, cuda or cpu, with the numbers of threads set."""
    target = torch.device(("cuda" if torch.cuda.is_available() else "cpu") if device == "auto" else device)
    if threads:
        torch.set_num_threads(threads)
    torch.set_flush_denormal(True)  # gradients near zero would otherwise take a slow path of the CPU
    torch.set_float32_matmul_precision("high")  # TF32 where a network computes in float32 on a GPU
    cv2.setNumThreads(1)
    return Machine(target, workers, stop)


class Comparison:
    """One plan in one folder."""

    def __init__(self, plan: Plan, folder: Path, machine: Machine, say: Say) -> None:
        self.plan, self.results, self.machine, self.say = plan, Results(folder), machine, say
        self.not_run: dict[tuple[str, str], str] = {}
        self._data: tuple[str, Data] | None = None

    def run(self, rounds: int) -> bool:
        """All runs, then latency (`rounds` of it; 0 leaves it out), table and plots. False when stopped before."""
        finished = all(self._one(*which) for which in self._planned())
        if finished and rounds:
            self._latency(rounds)
        self.report()
        return finished

    def report(self) -> None:
        """Table and plots of what is finished."""
        folder = self.results.folder
        found = [
            result for chosen in self.plan.sets for v in self.plan.variants for result in self._finished(chosen, v)
        ]
        text = table(self.plan, found, latency_file.read(folder / LATENCY), self.not_run)
        write_whole(folder / TABLE, text.encode())
        if found:
            draw_accuracy(self.plan, found, folder / "accuracy.png")
            draw_routing(found, folder / "routing.png")

    def _planned(self) -> Iterator[tuple[SetPlan, Variant, int]]:
        """Set by set; all variants of one seed before the next seed, so that a cut-off comparison is still even."""
        for chosen in self.plan.sets:
            for seed in self.plan.seeds:
                for variant in self.plan.variants:
                    yield chosen, variant, seed

    def _finished(self, chosen: SetPlan, variant: Variant) -> list[Result]:
        keys = (self._key(chosen, variant, seed) for seed in self.plan.seeds)
        return [result for key in keys if (result := self.results.finished(key))]

    def _key(self, chosen: SetPlan, variant: Variant, seed: int) -> RunKey:
        return key_of(self.plan, chosen, variant, seed)

    def _one(self, chosen: SetPlan, variant: Variant, seed: int) -> bool:
        """True when the run is finished, now or before, or cannot be: its peer is missing, or its loss diverged."""
        key = self._key(chosen, variant, seed)
        if self.results.finished(key) or (chosen.name, variant.name) in self.not_run:
            return True
        if self.machine.stop():
            return False
        try:
            return self._train(chosen, variant, seed, key)
        except (Unavailable, CheckFailed) as exc:
            self.not_run[chosen.name, variant.name] = str(exc)
            self.say(f"{key.name}: not run: {exc}")
            return True

    def _train(self, chosen: SetPlan, variant: Variant, seed: int, key: RunKey) -> bool:
        data, device = self._load(chosen), self.machine.device
        subject = build(variant, data, seed, self.plan.precision, device)
        rate = variant.learning_rate or self.plan.schedule.learning_rate
        schedule = self.plan.schedule.model_copy(update={"learning_rate": rate})
        batches = Batches(data, chosen, seed, schedule.batch, self.machine.workers)
        try:
            training = Training(subject, batches, schedule, seed, device, self.results.state(key))
            self.say(f"{key.name}: from step {training.step} of {schedule.steps}")
            if not training.run(self.machine.stop, _Reporter(self.say, schedule.steps)):
                self.say(f"{key.name}: stopped after step {training.step}, state kept")
                return False
        finally:
            batches.close()
        result = self._result(chosen, variant, key, data, training)
        self.results.write(key, training.losses, result)
        self.say(f"{key.name}: mAP50 {result.metrics.map50:.3f}, mAP50:95 {result.metrics.map50_95:.3f}")
        return True

    def _result(self, chosen: SetPlan, variant: Variant, key: RunKey, data: Data, training: Training) -> Result:
        subject, device = training.averaged(), self.machine.device
        log, network = RoutingLog(), subject.network
        with log.listening(network) if isinstance(network, DsMoe) else nullcontext():
            found = predictions(subject, data.held_out, chosen.input_px, device)
        return Result(
            set=chosen.name, variant=variant.name, family=variant.family, seed=key.seed, digest=key.digest,
            short=self.plan.short, steps=training.step, batch=training.schedule.batch, input_px=chosen.input_px,
            crop_px=chosen.augmentation.crop_px, learning_rate=training.schedule.learning_rate, bf16=subject.bf16,
            learnt_pictures=len(data.learn.truth.pictures), held_out_is=data.held_out_is,
            classes=list(data.config.classes), parameters=subject.parameters(),
            gflops=gflops(subject, chosen.input_px, device),
            metrics=evaluate(data.held_out.truth, found, threshold=0.5),
            part_level=part_level(data.held_out, found),
            routing=routing_use(data.held_out, log) if isinstance(network, DsMoe) else None,
            device=self.machine.name, torch=str(torch.__version__), date=datetime.now(UTC).date().isoformat(),
        )  # fmt: skip

    def _load(self, chosen: SetPlan) -> Data:
        if self._data is None or self._data[0] != chosen.name:
            self._data = chosen.name, load_data(chosen)
        return self._data[1]

    def _latency(self, rounds: int) -> None:
        path = self.results.folder / LATENCY
        found = latency_file.read(path)
        machine = self.machine
        for chosen in self.plan.sets:
            variants = [v for v in self.plan.variants if any(self._finished(chosen, v))]
            if set(found.get(chosen.name, {})) >= {variant.name for variant in variants}:
                continue
            data = self._load(chosen)
            subjects = {v.name: build(v, data, 0, self.plan.precision, machine.device) for v in variants}
            self.say(f"{chosen.name}: latency of {len(subjects)} networks, {rounds} rounds")
            found[chosen.name] = latency_file.measure(subjects, chosen.input_px, machine.device, machine.name, rounds)
            latency_file.write(path, found)


class _Reporter:
    """A line every half minute; the first step only starts the clock, as it also warms up."""

    def __init__(self, say: Say, steps: int) -> None:
        self._say, self._steps = say, steps
        self._last: tuple[int, int] | None = None  # time in ns, step

    def __call__(self, step: int, loss: float) -> None:
        now_ns = time.monotonic_ns()
        if self._last is None:
            self._last = now_ns, step
            return
        passed_s = (now_ns - self._last[0]) / 1e9
        if passed_s < 30:
            return
        self._say(f"  step {step} of {self._steps}, loss {loss:.3f}, {passed_s / (step - self._last[1]):.2f} s a step")
        self._last = now_ns, step
