"""Where the components of a mixture start: in the data, with an equal share of it for every expert (ours).

The latents are cut in halves along their widest direction, and the halves again, until each expert has one connected
region with the same number of pictures; within a region k-means places the expert's components. So no expert is dead
at the start, and neighbouring pictures meet the same expert.
"""

from dataclasses import dataclass

import torch
from torch import Tensor

_ROUNDS = 10  # of k-means
_LEAST_VARIANCE = 1e-3  # all latents of a region may be the same
_JITTER = 0.1  # standard deviation, where there are fewer latents than components


@dataclass(frozen=True)
class Placement:
    """centres, variances: (N, M, L); weights: (N, M), each expert's sum to 1."""

    centres: Tensor
    variances: Tensor
    weights: Tensor


def place_components(z: Tensor, experts: int, components: int, seed: int) -> Placement:
    """z: (n, L) latents, n > 0. The same latents and seed give the same placement."""
    generator = torch.Generator().manual_seed(seed)
    device, z = z.device, z.detach().float().cpu()
    missing = experts * components - len(z)
    if missing > 0:
        copies = z[torch.randint(len(z), (missing,), generator=generator)]
        z = torch.cat([z, copies + _JITTER * torch.randn(copies.shape, generator=generator)])
    placed = [_k_means(region, components, generator) for region in equal_regions(z, experts)]
    centres, variances, weights = (torch.stack(parts).to(device) for parts in zip(*placed, strict=True))
    return Placement(centres, variances, weights)


def equal_regions(z: Tensor, count: int) -> list[Tensor]:
    """z: (n, L). Cut into `count` regions of equal size (within one), each cut across the widest direction."""
    if count == 1:
        return [z]
    left = count // 2
    along = torch.linalg.svd(z - z.mean(0), full_matrices=False).Vh[0]
    order = (z @ along).argsort()
    cut = round(len(z) * left / count)
    return [*equal_regions(z[order[:cut]], left), *equal_regions(z[order[cut:]], count - left)]


def _k_means(z: Tensor, count: int, generator: torch.Generator) -> tuple[Tensor, Tensor, Tensor]:
    """Centres (count, L), variances (count, L) and weights (count,) of the clusters of z (n, L)."""
    centres = z[torch.randperm(len(z), generator=generator)[:count]]
    for _ in range(_ROUNDS):
        owner = torch.cdist(z, centres).argmin(1)
        size = torch.bincount(owner, minlength=count).float()
        mean = torch.zeros_like(centres).index_add_(0, owner, z) / size.clamp_min(1)[:, None]
        centres = torch.where(size[:, None] > 0, mean, centres)
    # As wide as the whole region: a cluster's own few latents make it too narrow, for all but themselves.
    variances = z.var(0, correction=0).clamp_min(_LEAST_VARIANCE).expand_as(centres)
    return centres, variances, (size + 1) / (size + 1).sum()
