"""Several processes that train one network (torchrun): each learns from its share of every batch.

Gradients are averaged, as torch's DistributedDataParallel does; it is not used itself, because losses, mixture and
running statistics have to be brought together all the same. A process alone is a team of one and pays nothing.
"""

import os
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

import torch
import torch.distributed as dist
from torch import Tensor

from linewatch.training.crops import Sample

_PATIENCE = timedelta(hours=2)  # the others wait while the leader validates


@dataclass(frozen=True)
class Team:
    """rank: which of `size` processes this one is; the first leads: it alone writes and speaks."""

    rank: int = 0
    size: int = 1

    @classmethod
    def join(cls, device: torch.device) -> "Team":
        """The team that torchrun's environment names; a team of one without it."""
        size = int(os.environ.get("WORLD_SIZE", "1"))
        if size == 1:
            return cls()
        dist.init_process_group("nccl" if device.type == "cuda" else "gloo", timeout=_PATIENCE)
        return cls(dist.get_rank(), size)

    @property
    def leads(self) -> bool:
        return self.rank == 0

    def share(self, samples: list[Sample]) -> list[Sample]:
        """Every size-th sample, from this one's rank on."""
        return samples[self.rank :: self.size]

    def average(self, tensors: Sequence[Tensor]) -> None:
        """Replace each tensor (float, the same shapes in every process) by its mean over the team."""
        if self.size == 1:
            return
        flat = torch.cat([tensor.reshape(-1).float() for tensor in tensors])
        dist.all_reduce(flat)
        means = torch.split(flat.div_(self.size), [tensor.numel() for tensor in tensors])
        for tensor, mean in zip(tensors, means, strict=True):
            tensor.copy_(mean.view_as(tensor))

    def gather(self, rows: Tensor) -> Tensor:
        """rows: (n, d), the same n in every process. All rows of the team, (size * n, d), in the order of ranks."""
        if self.size == 1:
            return rows
        found = [torch.empty_like(rows) for _ in range(self.size)]
        dist.all_gather(found, rows.contiguous())
        return torch.cat(found)

    def any(self, said: bool, device: torch.device) -> bool:
        """Whether any process says so."""
        if self.size == 1:
            return said
        flag = torch.tensor(float(said), device=device)
        dist.all_reduce(flag, op=dist.ReduceOp.MAX)
        return bool(flag)


ALONE = Team()


def own_device(device: str) -> torch.device:
    """`auto`, cpu or cuda; in a team each process has a GPU of its own."""
    kind = ("cuda" if torch.cuda.is_available() else "cpu") if device == "auto" else device
    return torch.device(kind, int(os.environ.get("LOCAL_RANK", "0"))) if kind == "cuda" else torch.device(kind)
