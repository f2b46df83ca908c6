"""Stages 5 and 6: hyperbolic alignment of vision and text, curvature-aware sampling, space broadcasting.

Paper: vision is lifted by the exponential map, text anchored in the same Poincare ball, log maps are fused with a
learnable weight, then "curvature-aware convolutional sampling"; text is replicated over H x W. Ours, because
log(exp(x)) alone is the identity: geodesic distances to the class anchors give a similarity map; vision and the
similarity-weighted centre of the anchors meet at their gyromidpoint on the ball; sampling offsets shrink with the
conformal factor, so that places far from the origin (certain of their class) look closer around themselves.
"""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from linewatch.dsmoe import hyperbolic

POINTS = 4  # places that each place samples


class Alignment(nn.Module):
    """One scale. `geometry=False` is the control: a plain weighted sum in place of the ball."""

    def __init__(self, width: int, dimension: int, *, geometry: bool = True) -> None:
        super().__init__()
        self.geometry = geometry
        self.to_ball = nn.Conv2d(width, dimension, 1)
        self.from_ball = nn.Conv2d(dimension, width, 1)
        self.broadcast = nn.Conv2d(dimension, width, 1)
        self.offsets = nn.Conv2d(width, POINTS * 3, 1)  # x, y and weight of each point
        self.log_curvature = nn.Parameter(torch.zeros(()))
        self.log_temperature = nn.Parameter(torch.tensor(-1.5))
        self.mix = nn.Parameter(torch.zeros(()))
        self._start_sampling_around()

    def _start_sampling_around(self) -> None:
        nn.init.zeros_(self.offsets.weight)
        assert self.offsets.bias is not None
        nn.init.zeros_(self.offsets.bias)
        with torch.no_grad():
            around = torch.tensor([[-1.0, 0.0], [1.0, 0.0], [0.0, -1.0], [0.0, 1.0]])
            self.offsets.bias[: POINTS * 2] = around.flatten()

    def forward(self, x: Tensor, anchors: Tensor) -> tuple[Tensor, Tensor]:
        """x: (B, width, H, W); anchors: (C, d) tangent vectors.

        Returns the aligned map, same shape as x, and the similarity logits (B, C, H, W), float32.
        """
        tangent = self.to_ball(x).permute(0, 2, 3, 1)  # BdHW -> BHWd
        with torch.autocast(x.device.type, enabled=False):
            fused, text, similarity, spread = self._on_ball(tangent.float(), anchors.float())
        sampled = self._sample(fused.permute(0, 3, 1, 2), self.offsets(x).float(), spread)
        out = x + self.from_ball(sampled.to(x.dtype)) + self.broadcast(text.permute(0, 3, 1, 2).to(x.dtype))
        return out, similarity.permute(0, 3, 1, 2)

    def _on_ball(self, tangent: Tensor, anchors: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """tangent: (B, H, W, d). Returns fused and text (B, H, W, d), similarity (B, H, W, C), spread (B, H, W, 1)."""
        temperature = self.log_temperature.exp()
        weight = self.mix.sigmoid()
        if not self.geometry:
            similarity = tangent @ anchors.T / temperature
            text = similarity.softmax(-1) @ anchors
            return (1 - weight) * tangent + weight * text, text, similarity, torch.ones_like(tangent[..., :1])
        curvature = self.log_curvature.exp()
        tangent = tangent * (2.0 / (1.0 + tangent.norm(dim=-1, keepdim=True)))  # at most 2: clear of the boundary
        points = hyperbolic.lift(tangent, curvature=curvature)
        classes = hyperbolic.lift(anchors, curvature=curvature)
        similarity = -hyperbolic.distances(points, classes, curvature=curvature) / temperature
        text = hyperbolic.weighted_centre(classes, similarity.softmax(-1), curvature=curvature)
        fused = hyperbolic.gyromidpoint(points, text, weight, curvature=curvature)
        spread = 2 / hyperbolic.conformal_factor(points, curvature=curvature)  # 1 at the origin, 0 at the boundary
        lowered = hyperbolic.lower(fused, curvature=curvature)
        return lowered, hyperbolic.lower(text, curvature=curvature), similarity, spread

    def _sample(self, x: Tensor, offsets: Tensor, spread: Tensor) -> Tensor:
        """Weighted sum of POINTS bilinear samples around each place. x: (B, d, H, W) float32; spread: (B, H, W, 1)."""
        batch, dimension, height, width = x.shape
        weights = offsets[:, POINTS * 2 :].softmax(1)  # (B, P, H, W)
        steps = offsets[:, : POINTS * 2].view(batch, POINTS, 2, height, width).permute(0, 3, 4, 1, 2)  # BHWP2
        steps = torch.stack([steps[..., 0] * (2.0 / width), steps[..., 1] * (2.0 / height)], -1)
        grid = _base_grid(height, width, x.device)[None, :, :, None] + steps * spread[..., None]
        samples = F.grid_sample(
            x, grid.reshape(batch, height, width * POINTS, 2), align_corners=False, padding_mode="border"
        )
        samples = samples.view(batch, dimension, height, width, POINTS)
        return (samples * weights.permute(0, 2, 3, 1)[:, None]).sum(-1) + x


def _base_grid(height: int, width: int, device: torch.device) -> Tensor:
    """(H, W, 2) centres of the places in grid_sample's coordinates, x first."""
    ys = (torch.arange(height, device=device) + 0.5) * (2.0 / height) - 1
    xs = (torch.arange(width, device=device) + 0.5) * (2.0 / width) - 1
    return torch.stack(torch.meshgrid(ys, xs, indexing="ij")[::-1], dim=-1)
