"""One data set in memory: split as its training configuration says, every picture read and no picture on two sides."""

from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from benchmarks.accuracy.plan import SetPlan
from linewatch.pictures.types import Picture as Pixels
from linewatch.training.annotations import Annotations
from linewatch.training.config import TrainConfig, load_config
from linewatch.training.crops import CropSource, Sample
from linewatch.training.reading import read_all
from linewatch.training.splitting import load_split


@dataclass(frozen=True)
class Part:
    """Annotated pictures with their pixels, (H, W) uint8 each."""

    truth: Annotations
    pixels: Sequence[Pixels]


@dataclass(frozen=True)
class Data:
    """held_out: the groups that the configuration keeps for reporting, else the validation part."""

    config: TrainConfig
    learn: Part
    held_out: Part
    held_out_is: str

    @property
    def prompts(self) -> Path:
        """Folder of prompts.yaml and text.safetensors."""
        return self.config.model


def load_data(plan: SetPlan) -> Data:
    """Raises DatasetError naming every overlap of the split or every corrupt picture."""
    config = load_config(plan.config)
    split = load_split(config)
    reported = split.test if split.test.pictures else split.validation
    learn, held_out = read_all(split.learn, reported)
    name = "test groups" if split.test.pictures else "validation part"
    return Data(config, Part(split.learn, learn), Part(reported, held_out), name)


class Batches:
    """The training stream of one seed: the same crops in the same order for every network, cut ahead by `workers`."""

    def __init__(self, data: Data, plan: SetPlan, seed: int, size: int, workers: int) -> None:
        template = data.config.data.template
        self._source = CropSource(data.learn.truth, list(data.learn.pixels), plan.augmentation, seed, template)
        self._size, self._workers = size, workers
        self._pool = ThreadPoolExecutor(workers) if workers else None
        self._ahead: dict[int, Future[list[Sample]]] = {}

    def at(self, step: int) -> list[Sample]:
        """The crops of step number `step`, from 0."""
        if self._pool is None:
            return self._source.batch(step, self._size)
        for wanted in range(step, step + 2 * self._workers):
            if wanted not in self._ahead:
                self._ahead[wanted] = self._pool.submit(self._source.batch, wanted, self._size)
        return self._ahead.pop(step).result()

    def close(self) -> None:
        if self._pool is not None:
            self._pool.shutdown(cancel_futures=True)
