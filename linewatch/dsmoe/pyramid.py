"""The neck between encoder and alignment (ours; the paper names none): strides 4 to 16 in, strides 8, 16 and 32 out.

Stride 32 is added by one strided convolution; details of stride 4 are folded into stride 8, because that is where a
pin-hole still shows.
"""

import torch.nn.functional as F
from torch import Tensor, nn

from linewatch.dsmoe.cbam import Cbam
from linewatch.dsmoe.encoder import WIDTHS
from linewatch.dsmoe.layers import ConvBlock

STRIDES = (8, 16, 32)


class Pyramid(nn.Module):
    """Top-down feature pyramid with equal widths."""

    def __init__(self, width: int, *, attention: bool) -> None:
        """attention: CBAM (stage 4) on each scale before the coarser one is added."""
        super().__init__()
        fine, middle, coarse = WIDTHS
        self.detail = ConvBlock(fine, width, 3, stride=2)
        self.lateral8 = ConvBlock(middle, width)
        self.lateral16 = ConvBlock(coarse, width)
        self.lateral32 = ConvBlock(coarse, width, 3, stride=2)
        self.cbam = nn.ModuleList(Cbam(width) if attention else nn.Identity() for _ in STRIDES)
        self.smooth8 = ConvBlock(width, width, 3)
        self.smooth16 = ConvBlock(width, width, 3)

    def forward(self, taps: list[Tensor]) -> list[Tensor]:
        """taps: encoder maps at strides 4, 8, 16. Returns three maps (B, width, H/s, W/s), s = 8, 16, 32."""
        fine, middle, coarse = taps
        at32 = self.cbam[2](self.lateral32(coarse))
        at16 = self.cbam[1](self.lateral16(coarse)) + F.interpolate(at32, scale_factor=2.0)
        at16 = self.smooth16(at16)
        at8 = self.cbam[0](self.lateral8(middle) + self.detail(fine)) + F.interpolate(at16, scale_factor=2.0)
        return [self.smooth8(at8), at16, at32]
