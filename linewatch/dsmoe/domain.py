"""The input domain of a picture: an autoencoder's latent of the encoder's pooled features, and the mixture over it.

Input Domain Aware MoE, arXiv 2510.16448: an autoencoder's latent z, a mixture over z that is trained by its likelihood,
the task gradient cut. Ours: one domain per picture, for all scales; the autoencoder learns by reconstruction and the
mixture by likelihood, neither from the other, because a likelihood improves without end when z shrinks to a point; z is
layer-normed, so that its scale is fixed and bounds on variances mean something.
"""

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from linewatch.dsmoe.encoder import WIDTHS
from linewatch.dsmoe.mixture import ExpertMixture
from linewatch.dsmoe.placing import place_components

FEATURES = sum(WIDTHS)
_HIDDEN = 64
_FAR = 5.0  # standard deviations beyond which a feature is no longer told apart


def pooled(taps: Sequence[Tensor]) -> Tensor:
    """taps: the encoder's maps. Returns their means over the picture, (B, FEATURES) float32, without gradient."""
    return torch.cat([tap.detach().float().mean((2, 3)) for tap in taps], dim=-1)


class InputDomain(nn.Module):
    """From pooled features to the experts' posterior mass."""

    mean: Tensor
    deviation: Tensor
    placed: Tensor

    def __init__(self, experts: int, components: int, latent: int) -> None:
        super().__init__()
        self.register_buffer("mean", torch.zeros(FEATURES))
        self.register_buffer("deviation", torch.ones(FEATURES))
        self.register_buffer("placed", torch.tensor(False))  # whether the components have been placed in data
        self.encode = nn.Sequential(nn.Linear(FEATURES, _HIDDEN), nn.GELU(), nn.Linear(_HIDDEN, latent))
        self.decode = nn.Sequential(nn.Linear(latent, _HIDDEN), nn.GELU(), nn.Linear(_HIDDEN, FEATURES))
        self.mixture = ExpertMixture(experts, components, latent)

    @torch.no_grad()
    def forward(self, features: Tensor) -> Tensor:
        """features: (B, FEATURES). Returns log posterior mass of the experts, (B, N) float32, without gradient."""
        with torch.autocast(features.device.type, enabled=False):
            return self.mixture.log_posterior(self.latent(self.standardised(features)))

    def losses(self, features: Tensor) -> dict[str, Tensor]:
        """features: (B, FEATURES). `reconstruction`, and `nll` once the components are placed; nothing else learns."""
        with torch.autocast(features.device.type, enabled=False):
            wanted = self.standardised(features.detach())
            z = self.latent(wanted)
            found = {"reconstruction": F.mse_loss(self.decode(z), wanted)}
            if self.placed:
                found["nll"] = self.mixture.negative_log_likelihood(z.detach())
            return found

    def latent(self, standardised: Tensor) -> Tensor:
        """(B, FEATURES) to (B, L), each row of mean 0 and variance 1."""
        z: Tensor = self.encode(standardised)
        return F.layer_norm(z, z.shape[-1:])

    def standardised(self, features: Tensor) -> Tensor:
        """Features in standard deviations from their mean over the data, float32."""
        return ((features.float() - self.mean) / self.deviation).clamp(-_FAR, _FAR)

    @torch.no_grad()
    def measure(self, features: Tensor) -> None:
        """Take mean and deviation from features (n, FEATURES) of many pictures."""
        self.mean.copy_(features.mean(0))
        self.deviation.copy_(features.std(0, correction=0).clamp_min(1e-4))

    @torch.no_grad()
    def place(self, features: Tensor, seed: int) -> None:
        """Place the components among features (n, FEATURES) of many pictures."""
        experts, components, _ = self.mixture.centres.shape
        self.mixture.place(place_components(self.latent(self.standardised(features)), experts, components, seed))
        self.placed.fill_(True)
