"""Our formulas on the ball agree with geoopt's."""

import torch
from geoopt.manifolds.stereographic import math as gyro
from hypothesis import given, settings
from hypothesis import strategies as st

from linewatch.dsmoe import hyperbolic

curvatures = st.floats(0.1, 4.0)


def points(count: int, seed: int, curvature: float) -> torch.Tensor:
    tangent = torch.randn(count, 8, generator=torch.Generator().manual_seed(seed))
    return hyperbolic.lift(tangent, curvature=torch.tensor(curvature))


@settings(max_examples=25, deadline=None)
@given(curvatures, st.integers(0, 1000))
def test_lowering_undoes_lifting(curvature: float, seed: int) -> None:
    tangent = torch.randn(5, 8, generator=torch.Generator().manual_seed(seed)) * 0.5
    c = torch.tensor(curvature)
    torch.testing.assert_close(
        hyperbolic.lower(hyperbolic.lift(tangent, curvature=c), curvature=c), tangent, rtol=2e-3, atol=2e-3
    )


@settings(max_examples=25, deadline=None)
@given(st.floats(0.1, 1.0), st.integers(0, 1000))
def test_distances_are_geoopts(curvature: float, seed: int) -> None:
    c = torch.tensor(curvature)
    some, others = points(6, seed, curvature) * 0.9, points(3, seed + 1, curvature) * 0.9
    expected = gyro.dist(some[:, None], others[None], k=-c)
    torch.testing.assert_close(hyperbolic.distances(some, others, curvature=c), expected, rtol=1e-2, atol=5e-3)


@settings(max_examples=25, deadline=None)
@given(st.floats(0.1, 1.0), st.integers(0, 1000), st.floats(0, 1))
def test_gyromidpoint_is_geoopts(curvature: float, seed: int, weight: float) -> None:
    c = torch.tensor(curvature)
    one, two = points(4, seed, curvature) * 0.9, points(4, seed + 1, curvature) * 0.9
    weights = torch.full((4, 1), weight)
    ours = hyperbolic.gyromidpoint(one, two, weights, curvature=c)
    pairs = torch.stack([one, two], dim=1)
    expected = gyro.weighted_midpoint(
        pairs, torch.cat([1 - weights, weights], 1), k=-c, reducedim=[1], dim=-1, lincomb=False
    )
    torch.testing.assert_close(ours, expected, rtol=1e-2, atol=1e-3)


def test_midpoint_of_equal_weights_is_equally_far() -> None:
    c = torch.tensor(1.0)
    one, two = points(4, 7, 1.0) * 0.9, points(4, 8, 1.0) * 0.9
    middle = hyperbolic.gyromidpoint(one, two, torch.full((4, 1), 0.5), curvature=c)
    torch.testing.assert_close(gyro.dist(one, middle, k=-c), gyro.dist(two, middle, k=-c), rtol=1e-2, atol=1e-3)


def test_centre_under_a_single_weight_is_that_anchor() -> None:
    anchors = points(3, 11, 1.0) * 0.9
    centre = hyperbolic.weighted_centre(anchors, torch.eye(3), curvature=torch.tensor(1.0))
    torch.testing.assert_close(centre, anchors, rtol=1e-3, atol=1e-4)


def test_gradients_are_finite_where_points_meet() -> None:
    c = torch.tensor(1.0)
    tangent = torch.zeros(2, 8, requires_grad=True)
    lifted = hyperbolic.lift(tangent + 0.1, curvature=c)
    hyperbolic.distances(lifted, lifted.detach(), curvature=c).sum().backward()
    assert tangent.grad is not None and bool(torch.isfinite(tangent.grad).all())


@settings(max_examples=25, deadline=None)
@given(curvatures, st.integers(0, 1000), st.sampled_from([0.0, 1e-3, 1.0, 30.0]))
def test_our_maps_are_geoopts_bit_for_bit(curvature: float, seed: int, size: float) -> None:
    c = torch.tensor(curvature)
    tangent = torch.randn(5, 8, generator=torch.Generator().manual_seed(seed)) * size
    lifted = gyro.project(gyro.expmap0(tangent, k=-c), k=-c, eps=1e-5)
    assert torch.equal(hyperbolic.lift(tangent, curvature=c), lifted)
    assert torch.equal(hyperbolic.lower(lifted, curvature=c), gyro.logmap0(lifted, k=-c))
    assert torch.equal(hyperbolic._half(lifted, c), gyro.mobius_scalar_mul(torch.tensor(0.5), lifted, k=-c))
