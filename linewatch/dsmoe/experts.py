"""Stages 8 and 9: sparse experts of different kinds, and their heterogeneous ensemble.

Paper: local anisotropic, global structure and cross-modal experts, of which floor(log2 N) work; dilated convolutions.
Ours: every expert is 1x1 down, depthwise 7x7, 1x1 up, so that the chosen experts' weights are gathered and applied by
two batched products and one grouped convolution, and those not chosen cost nothing. What makes them different is a
fixed mask on the 7x7 kernel (dilation 1, 2, 3; horizontal; vertical), and whether they see the whole picture or text.
"""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from linewatch.dsmoe.routing import Routing

KERNEL = 7
KINDS = (
    "dilation1",
    "horizontal",
    "vertical",
    "dilation2",
    "dilation3",
    "dilation3+global",
    "dilation1+text",
    "dilation2+text",
)


class SparseExperts(nn.Module):
    """N experts for one scale; expert i is of kind KINDS[i mod 8]."""

    masks: Tensor
    sees_whole: Tensor
    sees_text: Tensor

    def __init__(self, width: int, dimension: int, experts: int, hidden: int = 48) -> None:
        super().__init__()
        self.hidden = hidden
        kinds = [KINDS[index % len(KINDS)] for index in range(experts)]
        self.register_buffer("masks", torch.stack([kernel_mask(kind) for kind in kinds]), persistent=False)
        self.register_buffer("sees_whole", torch.tensor([float("global" in kind) for kind in kinds]), persistent=False)
        self.register_buffer("sees_text", torch.tensor([float("text" in kind) for kind in kinds]), persistent=False)
        self.down = nn.Parameter(torch.randn(experts, hidden, width) * width**-0.5)
        self.depthwise = nn.Parameter(torch.randn(experts, hidden, KERNEL, KERNEL) / 3)
        self.bias = nn.Parameter(torch.zeros(experts, hidden))
        self.up = nn.Parameter(torch.randn(experts, width, hidden) * 0.2 * hidden**-0.5)
        self.whole = nn.Linear(width, hidden)
        self.text = nn.Linear(dimension, hidden)
        self.norm = nn.BatchNorm2d(width)

    def forward(self, x: Tensor, routing: Routing) -> Tensor:
        """x: (B, width, H, W); returns the gated sum of the chosen experts, same shape."""
        batch, width, height, columns = x.shape
        chosen = routing.chosen  # (B, k)
        inner = chosen.shape[1] * self.hidden
        normed = self.norm(x)
        down = self.down[chosen].reshape(batch, inner, width).to(x.dtype)
        hidden = torch.bmm(down, normed.flatten(2))  # (B, k*h, HW)
        kernels = (self.depthwise * self.masks[:, None])[chosen].reshape(batch * inner, 1, KERNEL, KERNEL)
        # Batch and experts share the group axis, so that each picture has its own kernels.
        grouped = hidden.view(1, batch * inner, height, columns)
        hidden = F.conv2d(grouped, kernels.to(x.dtype), padding=KERNEL // 2, groups=batch * inner)
        hidden = hidden.view(batch, inner, -1)
        hidden = F.gelu(hidden * self._scale(x, routing) + self._shift(normed, chosen))
        up = (self.up[chosen] * routing.gates[..., None, None]).transpose(1, 2).reshape(batch, width, inner)
        return torch.bmm(up.to(x.dtype), hidden.to(x.dtype)).view_as(x)

    def _scale(self, x: Tensor, routing: Routing) -> Tensor:
        """1 for most; cross-modal experts are modulated by the text context. Returns (B, k*h, 1)."""
        text: Tensor = self.text(routing.context)[:, None] * self.sees_text[routing.chosen][..., None]  # (B, k, h)
        return (1 + text).flatten(1)[..., None].to(x.dtype)

    def _shift(self, normed: Tensor, chosen: Tensor) -> Tensor:
        """Bias; global experts add what the whole picture says. Returns (B, k*h, 1)."""
        whole: Tensor = self.whole(normed.mean((2, 3)))[:, None] * self.sees_whole[chosen][..., None]
        return (self.bias[chosen] + whole).flatten(1)[..., None].to(normed.dtype)


def kernel_mask(kind: str) -> Tensor:
    """(7, 7) mask of ones where an expert of this kind has weights."""
    mask = torch.zeros(KERNEL, KERNEL)
    centre = KERNEL // 2
    if kind == "horizontal":
        mask[centre] = 1
    elif kind == "vertical":
        mask[:, centre] = 1
    else:
        step = int(kind.removeprefix("dilation")[0])
        taps = [centre - step, centre, centre + step]
        for row in taps:
            mask[row, taps] = 1
    return mask
