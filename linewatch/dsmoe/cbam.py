"""Stage 4: CBAM, channel then spatial attention (Woo et al. 2018, arXiv 1807.06521), one per scale.

Ours: gates start open, and alike for all channels and places. Two that start at a half would pass a quarter, and what
the encoder says of fine places would drown in the coarser scale; drawn at random they would hide places at random.
"""

import torch
from torch import Tensor, nn

OPEN = 2.0  # logit of a gate at the start: 0.88 passes


class Cbam(nn.Module):
    """Reweights channels by their pooled response, then places by theirs."""

    def __init__(self, channels: int, reduction: int = 8) -> None:
        super().__init__()
        gate = nn.Conv2d(channels // reduction, channels, 1)
        self.channel = nn.Sequential(nn.Conv2d(channels, channels // reduction, 1), nn.ReLU(), gate)
        self.spatial = nn.Conv2d(2, 1, 7, padding=3)
        assert gate.bias is not None and self.spatial.bias is not None
        nn.init.zeros_(gate.weight)
        nn.init.zeros_(self.spatial.weight)
        nn.init.constant_(gate.bias, OPEN / 2)  # it counts twice: for the mean and for the maximum
        nn.init.constant_(self.spatial.bias, OPEN)

    def forward(self, x: Tensor) -> Tensor:
        """x: (B, C, H, W); returns the same shape."""
        pooled = self.channel(x.mean((2, 3), keepdim=True)) + self.channel(x.amax((2, 3), keepdim=True))
        x = x * pooled.sigmoid()
        places = torch.cat([x.mean(1, keepdim=True), x.amax(1, keepdim=True)], dim=1)
        gate: Tensor = self.spatial(places).sigmoid()
        return x * gate
