"""How good a box is, told from the shape of its sides' distributions (Li et al. 2021, GFLv2, arXiv 2011.12885).

Ours: added to the class logits, where GFLv2 multiplies probabilities. It ties the score of a place to its box: the
branches for what and where would otherwise know nothing of each other.
"""

import torch
from torch import Tensor, nn

_PEAKS = 4  # largest probabilities of each side; a sure side has one near 1
_HIDDEN = 64


class BoxQuality(nn.Module):
    """Starts by saying nothing: 0 for every place."""

    def __init__(self) -> None:
        super().__init__()
        last = nn.Linear(_HIDDEN, 1)
        self.judge = nn.Sequential(nn.Linear(4 * (_PEAKS + 1), _HIDDEN), nn.SiLU(), last)
        nn.init.zeros_(last.weight)
        nn.init.zeros_(last.bias)

    def forward(self, sides: Tensor) -> Tensor:
        """sides: (B, N, 4, BINS) logits. Returns what the logits of all classes gain, (B, N, 1), float32."""
        peaks = sides.float().softmax(-1).topk(_PEAKS, dim=-1).values
        shape = torch.cat([peaks, peaks.mean(-1, keepdim=True)], dim=-1).flatten(2)
        gain: Tensor = self.judge(shape)
        return gain.float()
