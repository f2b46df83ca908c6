"""The Poincare ball, in one file: everything that speaks to geoopt, always in float32, always with `curvature` > 0.

The ball of curvature c holds the points with c |x|^2 < 1; its metric at x is the Euclidean one times the square of the
conformal factor 2 / (1 - c |x|^2). geoopt writes the same ball with k = -c.

geoopt's maps ask the curvature for its sign at every call: a wait for the device, and a branch on data that no exporter
can follow. Here c > 0 always, so the maps are written out; a test holds them equal to geoopt's, bit for bit.
"""

import warnings
from typing import cast

import torch
from torch import Tensor

with warnings.catch_warnings():  # geoopt scripts its helpers, which torch has deprecated
    warnings.filterwarnings("ignore", message="`torch.jit.script` is deprecated")
    from geoopt.manifolds.stereographic import math as gyro

_EDGE = 1e-5  # distance kept from the boundary, where float32 loses the metric


def lift(tangent: Tensor, *, curvature: Tensor) -> Tensor:
    """Exponential map at the origin. tangent: (..., d); returns points of the ball, (..., d)."""
    tangent = tangent.float()
    norm = _norm(tangent)
    return _inside(_tan(norm, curvature) * (tangent / norm), curvature)


def lower(point: Tensor, *, curvature: Tensor) -> Tensor:
    """Logarithmic map at the origin, the inverse of `lift`. point: (..., d); returns (..., d)."""
    norm = _norm(point)
    return (point / norm) * _arctan(norm, curvature)


def conformal_factor(point: Tensor, *, curvature: Tensor) -> Tensor:
    """2 / (1 - c |x|^2), at least 2. point: (..., d); returns (..., 1)."""
    return cast(Tensor, gyro.lambda_x(point, k=-curvature, keepdim=True))


def distances(points: Tensor, anchors: Tensor, *, curvature: Tensor) -> Tensor:
    """Geodesic distance of every point to every anchor, by one matrix product.

    points: (..., d), anchors: (C, d); returns (..., C). geoopt's own `dist` broadcasts Moebius additions over points
    and anchors, which takes C times the memory; a test holds both equal.
    """
    squared = (points.square().sum(-1, keepdim=True) - 2 * points @ anchors.T + anchors.square().sum(-1)).clamp_min(0)
    room = (1 - curvature * points.square().sum(-1, keepdim=True)) * (1 - curvature * anchors.square().sum(-1))
    excess = (2 * curvature * squared / room.clamp_min(_EDGE * _EDGE)).clamp_min(1e-7)
    return torch.log1p(excess + (excess * (excess + 2)).sqrt()) / curvature.sqrt()  # arcosh(1 + excess)


def gyromidpoint(points: Tensor, others: Tensor, weight: Tensor, *, curvature: Tensor) -> Tensor:
    """Weighted gyromidpoint of two sets of points, pair by pair (Ungar 2010).

    points, others: (..., d); weight of `others`: (..., 1) in [0, 1], the rest is the weight of `points`.
    """
    first = conformal_factor(points, curvature=curvature)
    second = conformal_factor(others, curvature=curvature)
    above = (1 - weight) * first * points + weight * second * others
    below = (1 - weight) * (first - 1) + weight * (second - 1)
    return _inside(_half(above / below, curvature), curvature)


def weighted_centre(anchors: Tensor, weights: Tensor, *, curvature: Tensor) -> Tensor:
    """Gyromidpoint of all anchors under each row of weights.

    anchors: (C, d), weights: (..., C) >= 0; returns (..., d).
    """
    factor = conformal_factor(anchors, curvature=curvature)  # (C, 1)
    above = weights @ (factor * anchors)
    below = weights @ (factor - 1)
    return _inside(_half(above / below.clamp_min(_EDGE), curvature), curvature)


def _inside(point: Tensor, curvature: Tensor) -> Tensor:
    """The point, or where it lies at the boundary or beyond, the nearest one that float32 can work with."""
    return cast(Tensor, gyro.project(point, k=-curvature, eps=_EDGE))


def _half(point: Tensor, curvature: Tensor) -> Tensor:
    """The middle of the geodesic from the origin to `point`: Moebius multiplication by 1/2."""
    norm = _norm(point)
    return _tan(0.5 * _arctan(norm, curvature), curvature) * (point / norm)


def _norm(x: Tensor) -> Tensor:
    norm: Tensor = x.norm(dim=-1, keepdim=True)
    return norm.clamp_min(1e-15)


def _tan(length: Tensor, curvature: Tensor) -> Tensor:
    """Euclidean length on the ball of a tangent of this length at the origin."""
    root = curvature.sqrt()
    return root.reciprocal() * (length * root).clamp(-15, 15).tanh()


def _arctan(length: Tensor, curvature: Tensor) -> Tensor:
    """The inverse of `_tan`."""
    root = curvature.sqrt()
    inner = (length * root).clamp(-1 + 1e-7, 1 - 1e-7)
    return root.reciprocal() * (torch.log(1 + inner) - torch.log(1 - inner)).mul(0.5)
