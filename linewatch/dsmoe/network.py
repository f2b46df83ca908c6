"""DS-MoE, assembled: the constructor reads as the ten stages, in the order in which a picture passes them.

After Chen et al., "Distilled Large Language Model-Driven Dynamic Sparse Expert Activation Mechanism", arXiv 2603.26735.
"""

from dataclasses import dataclass, field
from typing import Literal, get_args

import torch
from torch import Tensor, nn

from linewatch.dsmoe.alignment import Alignment
from linewatch.dsmoe.cbam import Cbam
from linewatch.dsmoe.domain import InputDomain, pooled
from linewatch.dsmoe.domain_routing import DomainRouter, TextDomainRouter
from linewatch.dsmoe.encoder import Encoder
from linewatch.dsmoe.experts import SparseExperts
from linewatch.dsmoe.head import Raw, ScaleHead, anchor_points
from linewatch.dsmoe.pyramid import STRIDES, Pyramid
from linewatch.dsmoe.routing import DenseRouter, Routing, TextRouter
from linewatch.dsmoe.text import ClassAnchors

RouterKind = Literal["text", "ida", "text_ida", "dense"]
BoxesFrom = Literal["pyramid", "refined"]


@dataclass(frozen=True)
class Architecture:
    """Every number that decides a shape or a route, as it stands in a model card.

    components (of each expert), latent (dimensions) and mass (tau, in (0, 1]) are those of the routers `ida` and
    `text_ida`. boxes_from: `pyramid` regresses boxes from the pyramid's maps, and what attention, text and experts make
    of them serves the classes alone; `refined` attends inside the pyramid and takes both from the experts' map (the
    paper's order). Raises ValueError for a router or source of boxes that there is not, or such a mass.
    """

    classes: int
    width: int = 96
    dimension: int = 32
    experts: int = 8
    geometry: bool = True
    router: RouterKind = "text"
    components: int = 16
    latent: int = 8
    mass: float = 0.9
    boxes_from: BoxesFrom = "pyramid"

    def __post_init__(self) -> None:
        if self.router not in get_args(RouterKind):
            raise ValueError(f"router {self.router!r}: must be one of {', '.join(get_args(RouterKind))}")
        if self.boxes_from not in get_args(BoxesFrom):
            raise ValueError(f"boxes_from {self.boxes_from!r}: must be one of {', '.join(get_args(BoxesFrom))}")
        if not 0 < self.mass <= 1:
            raise ValueError(f"mass {self.mass!r}: must lie above 0, at most 1")


@dataclass
class Output:
    """One forward pass. `similarity`: (B, N, C) logits of the alignment; `routings`: one per scale.

    features: (B, FEATURES) pooled encoder features without gradient, for the mixture; none without one.
    """

    raw: Raw
    similarity: Tensor
    anchors: Tensor
    routings: list[Routing] = field(default_factory=list)
    features: Tensor | None = None


class DsMoe(nn.Module):
    """The whole network, from pixels to raw boxes."""

    mean: Tensor
    deviation: Tensor

    def __init__(self, architecture: Architecture, teacher: Tensor | None = None) -> None:
        """teacher: (classes, prompts, e) text embeddings for training; None for the shipped form."""
        super().__init__()
        self.architecture = architecture
        classes, width, dimension = architecture.classes, architecture.width, architecture.dimension
        self.register_buffer("mean", torch.tensor([123.675, 116.28, 103.53]).view(1, 3, 1, 1))  # MobileSAM's own
        self.register_buffer("deviation", torch.tensor([58.395, 57.12, 57.375]).view(1, 3, 1, 1))
        self.text = ClassAnchors(classes, dimension, teacher)  # stages 1 and 2
        self.encoder = Encoder()  # stage 3
        self.boxes_apart = architecture.boxes_from == "pyramid"
        self.pyramid = Pyramid(width, attention=not self.boxes_apart)
        self.attention = nn.ModuleList(Cbam(width) if self.boxes_apart else nn.Identity() for _ in STRIDES)  # stage 4
        self.alignment = nn.ModuleList(Alignment(width, dimension, geometry=architecture.geometry) for _ in STRIDES)
        self.router = nn.ModuleList(_router(architecture) for _ in STRIDES)  # 7
        self.experts = nn.ModuleList(SparseExperts(width, dimension, architecture.experts) for _ in STRIDES)  # 8, 9
        self.head = nn.ModuleList(ScaleHead(width, classes, stride) for stride in STRIDES)  # 10
        self.domain: InputDomain | None = None  # 7, second router
        if architecture.router in ("ida", "text_ida"):
            self.domain = InputDomain(architecture.experts, architecture.components, architecture.latent)

    def forward(self, pictures: Tensor) -> Output:
        """pictures: (B, 1 or 3, H, W) in [0, 255], any dtype; H and W multiples of 32."""
        taps = self.taps(pictures)
        anchors = self.text()
        pooled_taps = None if self.domain is None else pooled(taps)
        domain = () if self.domain is None else (self.domain(pooled_taps),)
        logits, sides, similarities, routings = [], [], [], []
        for scale, features in enumerate(self.pyramid(taps)):
            attended = self.attention[scale](features)
            aligned, similarity = self.alignment[scale](attended, anchors)  # stages 5 and 6
            routing = self.router[scale](aligned, anchors, *domain)
            refined = aligned + self.experts[scale](aligned, routing)
            scale_logits, scale_sides = self.head[scale](refined, similarity, features if self.boxes_apart else None)
            logits.append(scale_logits)
            sides.append(scale_sides)
            similarities.append(similarity.flatten(2).transpose(1, 2))
            routings.append(routing)
        points, strides = anchor_points(pictures.shape[2], pictures.shape[3], pictures.device)
        raw = Raw(torch.cat(logits, 1), torch.cat(sides, 1), points, strides)
        return Output(raw, torch.cat(similarities, 1), anchors, routings, pooled_taps)

    def taps(self, pictures: Tensor) -> list[Tensor]:
        """pictures as for `forward`. The encoder's maps at strides 4, 8 and 16."""
        x = (pictures.float().expand(-1, 3, -1, -1) - self.mean) / self.deviation
        taps: list[Tensor] = self.encoder(x.contiguous(memory_format=torch.channels_last))
        return taps


def _router(architecture: Architecture) -> nn.Module:
    width, dimension, experts = architecture.width, architecture.dimension, architecture.experts
    match architecture.router:
        case "text":
            return TextRouter(width, dimension, experts)
        case "dense":
            return DenseRouter(width, dimension, experts)
        case "text_ida":
            return TextDomainRouter(width, dimension, experts)
        case "ida":
            return DomainRouter(width, dimension, experts, architecture.mass)
