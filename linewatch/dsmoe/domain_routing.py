"""Stage 7 by input domain: the second router (arXiv 2510.16448), and its product with the text gate (in neither paper).

The dynamic sparsity is known from a summary only; ours is the fewest experts whose mass reaches tau, at most k. Shapes
are static: experts beyond the fewest get gate 0. The price: they are gathered and computed like the others, so a sure
mixture makes the sum simpler but saves no time.
"""

import torch
from torch import Tensor

from linewatch.dsmoe.routing import Routing, TextContext, TextGate, active_experts


class DomainRouter(TextContext):
    """`router: ida`: the mixture's posterior alone; the text still speaks to the cross-modal experts."""

    def __init__(self, width: int, dimension: int, experts: int, mass: float) -> None:
        """mass: tau, in (0, 1]."""
        super().__init__(width, dimension)
        self.active, self.mass = active_experts(experts), mass

    def forward(self, x: Tensor, anchors: Tensor, log_posterior: Tensor) -> Routing:
        """x: (B, width, H, W); anchors: (C, d); log_posterior: (B, N)."""
        _, context = self.attend(x, anchors)
        probabilities = log_posterior.exp()
        chosen, gates = fewest(probabilities, self.active, self.mass)
        return Routing(chosen, gates, probabilities, context)


class TextDomainRouter(TextGate):
    """`router: text_ida`: text gate times posterior, renormalised; the k most probable work.

    All k, whatever their mass: an expert that works alone has gate 1, and the text gate would learn nothing from it.
    """

    def forward(self, x: Tensor, anchors: Tensor, log_posterior: Tensor) -> Routing:
        """x: (B, width, H, W); anchors: (C, d); log_posterior: (B, N)."""
        logits, context = self.logits(x, anchors)
        together = logits.log_softmax(-1) + log_posterior
        # Gates from logarithms: the product of a sure mixture and a sure text may be 0 in all places.
        best, chosen = together.topk(self.active, dim=-1)
        return Routing(chosen, best.softmax(-1), together.softmax(-1), context)


def fewest(probabilities: Tensor, most: int, mass: float) -> tuple[Tensor, Tensor]:
    """The fewest experts whose probability reaches `mass`, at most `most`.

    probabilities: (B, N). Returns chosen and gates, (B, most), best first; gates sum to 1, those not needed are 0.
    """
    gates, chosen = probabilities.topk(most, dim=-1)
    before = gates.cumsum(-1) - gates
    gates = torch.where(before < mass, gates, 0.0)
    return chosen, gates / gates.sum(-1, keepdim=True)
