"""The mixture that routes by input domain: every expert owns M diagonal Gaussian components of a latent space.

Input Domain Aware MoE, arXiv 2510.16448: trained by negative log likelihood, apart from the task; the routing
probability of an expert is the posterior mass of its components. Ours: the prior of every expert is fixed at 1/N and
only the weights within an expert are learnt, so that the likelihood itself draws experts to where data are, and none
can be starved by a vanishing weight; variances move within bounds, by a sigmoid that never stops passing gradients.
"""

import math

import torch
from torch import Tensor, nn

from linewatch.dsmoe.placing import Placement

_LOG_2PI = math.log(2 * math.pi)
# The latent has unit variance: a component is neither a needle nor wider than everything.
_LEAST_LOG, _MOST_LOG = math.log(0.1), math.log(4.0)


class ExpertMixture(nn.Module):
    """N experts with M components each, over a latent space of L dimensions. All float32."""

    def __init__(self, experts: int, components: int, latent: int) -> None:
        super().__init__()
        self.centres = nn.Parameter(torch.randn(experts, components, latent))
        self.spread = nn.Parameter(torch.zeros(experts, components, latent))  # variances, before bounding
        self.weight = nn.Parameter(torch.zeros(experts, components))  # logits within an expert

    def log_joint(self, z: Tensor) -> Tensor:
        """z: (B, L). Returns log p(z, expert), (B, N)."""
        log_variance = _LEAST_LOG + (_MOST_LOG - _LEAST_LOG) * self.spread.sigmoid()
        squared = (z[:, None, None] - self.centres).square() * (-log_variance).exp()  # (B, N, M, L)
        log_density = -0.5 * (squared + log_variance + _LOG_2PI).sum(-1)
        within = torch.logsumexp(log_density + self.weight.log_softmax(-1), dim=-1)
        return within - math.log(len(self.centres))

    def log_posterior(self, z: Tensor) -> Tensor:
        """z: (B, L). Returns the log of each expert's posterior mass, (B, N); the masses sum to 1."""
        return self.log_joint(z).log_softmax(-1)

    def negative_log_likelihood(self, z: Tensor) -> Tensor:
        """z: (B, L). Mean of -log p(z) in nats."""
        return -torch.logsumexp(self.log_joint(z), dim=-1).mean()

    @torch.no_grad()
    def place(self, placement: Placement) -> None:
        """Start from components that were found in data."""
        self.centres.copy_(placement.centres)
        share = (placement.variances.log() - _LEAST_LOG) / (_MOST_LOG - _LEAST_LOG)
        self.spread.copy_(share.clamp(0.02, 0.98).logit())
        self.weight.copy_(placement.weights.log())
