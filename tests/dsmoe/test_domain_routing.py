"""The second router: sound probabilities, gradients that stay apart, experts that are all alive at the start."""

from pathlib import Path

import pytest
import torch
import yaml
from safetensors import safe_open
from torch import Tensor

from linewatch.core.errors import ModelError
from linewatch.dsmoe.criterion import Weights, losses
from linewatch.dsmoe.domain import FEATURES, InputDomain
from linewatch.dsmoe.domain_routing import TextDomainRouter, fewest
from linewatch.dsmoe.mixture import ExpertMixture
from linewatch.dsmoe.network import Architecture, DsMoe, RouterKind
from linewatch.dsmoe.placing import equal_regions, place_components
from linewatch.dsmoe.weights import CARD, WEIGHTS, load_model, read_card, save_model

MODELS = Path(__file__).parents[2] / "models"
BOXES = [torch.tensor([[10.0, 20, 40, 60]]), torch.tensor([[30.0, 30, 80, 90]])]
LABELS = [torch.tensor([1]), torch.tensor([3])]


def build(router: RouterKind, teacher: Tensor) -> DsMoe:
    torch.manual_seed(0)
    return DsMoe(Architecture(4, width=16, router=router, components=4), teacher)


def blobs(count: int, seed: int = 0) -> Tensor:
    """(count, FEATURES): three unequal heaps, in units that differ a thousandfold."""
    generator = torch.Generator().manual_seed(seed)
    heap = torch.randint(0, 8, (count,), generator=generator).clamp_max(2)
    middle = torch.randn(3, FEATURES, generator=torch.Generator().manual_seed(9))
    units = torch.logspace(-2, 1, FEATURES)
    return (middle[heap] + 0.3 * torch.randn(count, FEATURES, generator=generator)) * units


def taught(network: DsMoe) -> set[str]:
    return {name for name, value in network.named_parameters() if value.grad is not None and bool(value.grad.any())}


@pytest.mark.parametrize("name", ["deeppcb", "bottle-bottom"])
def test_shipped_weights_have_the_names_of_the_text_router(name: str) -> None:
    card = read_card(MODELS / name)
    with safe_open(MODELS / name / WEIGHTS, framework="pt") as file:
        shipped = set(file.keys())
    own = {key for key in DsMoe(card.architecture).state_dict() if not key.endswith("num_batches_tracked")}
    former = {key for key in shipped if key.endswith(".favour")}  # zeros, of a router that is no more
    assert card.architecture.router == "text" and shipped - former == own


@pytest.mark.parametrize("router", ["ida", "text_ida"])
def test_task_and_mixture_learn_apart(router: RouterKind, teacher: Tensor, pictures: Tensor) -> None:
    network = build(router, teacher)
    assert network.domain is not None
    network.train()
    output = network(pictures)
    torch.stack(list(losses(output, network.text, BOXES, LABELS, Weights()).values())).sum().backward()
    by_task = taught(network)
    assert any(name.startswith("encoder.") for name in by_task) and any(name.startswith("head.") for name in by_task)
    assert not any(name.startswith("domain.") for name in by_task)
    assert any(".gate." in name for name in by_task) == (router == "text_ida")

    network.zero_grad()
    network.domain.measure(blobs(100))
    network.domain.place(blobs(100), seed=0)
    assert output.features is not None
    torch.stack(list(network.domain.losses(output.features).values())).sum().backward()
    assert taught(network) == {name for name, _ in network.named_parameters() if name.startswith("domain.")}


def test_the_likelihood_leaves_the_autoencoder_alone() -> None:
    domain = InputDomain(4, 2, 3)
    domain.place(blobs(30), seed=0)
    domain.losses(blobs(8))["nll"].backward()
    assert all(value.grad is None for value in domain.encode.parameters())
    assert domain.mixture.centres.grad is not None


def test_routing_probability_is_the_posterior_mass() -> None:
    torch.manual_seed(1)
    mixture = ExpertMixture(3, 2, 2)
    with torch.no_grad():
        mixture.weight.normal_()
    z = torch.randn(5, 2)
    low, high = torch.tensor([0.1, 4.0]).log()
    deviation = (0.5 * (low + (high - low) * mixture.spread.sigmoid())).exp()
    density = torch.distributions.Normal(mixture.centres, deviation).log_prob(z[:, None, None]).sum(-1).exp()
    joint = (density * mixture.weight.softmax(-1) / 3).sum(-1)
    torch.testing.assert_close(mixture.log_posterior(z).exp(), joint / joint.sum(-1, keepdim=True))
    torch.testing.assert_close(mixture.negative_log_likelihood(z), -joint.sum(-1).log().mean())


@pytest.mark.parametrize("scale", [0.0, 1.0, 1e6, 1e30])
def test_the_posterior_stays_finite_far_from_everything(scale: float) -> None:
    domain = InputDomain(8, 16, 8)
    domain.measure(blobs(200))
    domain.place(blobs(200), seed=0)
    with torch.no_grad():  # as far as an optimiser could drive the bounds
        domain.mixture.spread[0].fill_(-1e6)
        domain.mixture.spread[1].fill_(1e6)
        domain.mixture.weight[2, 0] = 1e4
    with torch.autocast("cpu", torch.bfloat16):
        log_posterior = domain(blobs(6) * scale)
    assert log_posterior.dtype == torch.float32 and bool(log_posterior.isfinite().all())
    torch.testing.assert_close(log_posterior.exp().sum(-1), torch.ones(6))


def test_no_expert_is_dead_at_the_start() -> None:
    domain = InputDomain(8, 4, 4)
    domain.measure(blobs(400))
    domain.place(blobs(400), seed=0)
    load = domain(blobs(400, seed=1)).exp().mean(0)
    assert float(load.min()) > 0.4 / 8 and float(load.max()) < 2.5 / 8


@pytest.mark.parametrize(("latents", "experts"), [(1, 4), (7, 3), (50, 8)])
def test_few_latents_place_all_components(latents: int, experts: int) -> None:
    torch.manual_seed(2)
    z = torch.randn(latents, 3)
    placed = place_components(z, experts, 5, seed=0)
    assert placed.centres.shape == placed.variances.shape == (experts, 5, 3)
    assert bool((placed.variances > 0).all()) and bool(placed.centres.isfinite().all())
    torch.testing.assert_close(placed.weights.sum(-1), torch.ones(experts))
    assert torch.equal(placed.centres, place_components(z, experts, 5, seed=0).centres)


def test_regions_are_equal_and_apart() -> None:
    z = torch.stack([torch.arange(30.0), torch.zeros(30)], dim=1)[torch.randperm(30)]
    regions = sorted(sorted(region[:, 0].tolist()) for region in equal_regions(z, 3))
    assert regions == [list(range(10)), list(range(10, 20)), list(range(20, 30))]


def test_the_fewest_experts_that_reach_the_mass() -> None:
    probabilities = torch.tensor([[0.05, 0.9, 0.05, 0], [0.3, 0.1, 0.15, 0.45], [0.25, 0.25, 0.25, 0.25]])
    chosen, gates = fewest(probabilities, 3, mass=0.7)
    assert chosen.shape == gates.shape == (3, 3)  # static, whatever the mass
    assert chosen[0, 0] == 1 and chosen[1, :2].tolist() == [3, 0]
    torch.testing.assert_close(gates, torch.tensor([[1, 0, 0], [0.6, 0.4, 0], [1 / 3, 1 / 3, 1 / 3]]))


def test_an_expert_with_gate_0_adds_nothing(teacher: Tensor, pictures: Tensor) -> None:
    network = build("ida", teacher).eval()
    with torch.no_grad():
        routing = network(pictures).routings[0]
        x = torch.randn(2, 16, 8, 8)
        alone = fewest(routing.probabilities, 1, 0.1)
        several = fewest(routing.probabilities, 3, 1e-6)
        layer = network.experts[0]
        one, other = (
            layer(x, type(routing)(*made, routing.probabilities, routing.context)) for made in (alone, several)
        )
    assert several[1].count_nonzero() == 2
    torch.testing.assert_close(one, other)


def test_text_ida_is_the_product_renormalised(teacher: Tensor) -> None:
    router = build("text_ida", teacher).router[0]
    assert isinstance(router, TextDomainRouter)
    x, anchors = torch.randn(3, 16, 4, 4), torch.randn(4, 32)
    log_posterior = torch.randn(3, 8).mul(3).log_softmax(-1)
    with torch.no_grad():
        routing, logits = router(x, anchors, log_posterior), router.logits(x, anchors)[0]
    product = logits.softmax(-1) * log_posterior.exp()
    product = product / product.sum(-1, keepdim=True)
    torch.testing.assert_close(routing.probabilities, product)
    best = product.topk(3).values
    torch.testing.assert_close(routing.gates, best / best.sum(-1, keepdim=True))


def test_dense_is_text_with_everybody_at_work(teacher: Tensor, pictures: Tensor) -> None:
    text, dense = build("text", teacher).train(), build("dense", teacher).train()
    assert [(n, v.shape) for n, v in text.named_parameters()] == [(n, v.shape) for n, v in dense.named_parameters()]
    sparse_routing, routing = text(pictures).routings[2], dense(pictures).routings[2]
    assert sparse_routing.working().sum(-1).tolist() == [3, 3]
    assert routing.working().sum(-1).tolist() == [8, 8]
    torch.testing.assert_close(routing.gates, routing.probabilities)


@pytest.mark.parametrize(
    "router", ["ida", pytest.param("text_ida", marks=pytest.mark.slow), pytest.param("dense", marks=pytest.mark.slow)]
)
def test_a_model_on_disk_routes_as_it_did(
    router: RouterKind, teacher: Tensor, pictures: Tensor, tmp_path: Path
) -> None:
    network = build(router, teacher).eval()
    if network.domain is not None:
        network.domain.place(blobs(50), seed=0)
    with torch.no_grad():
        network.text()
    save_model(tmp_path, network, network.architecture, {"name": "n", "classes": list("abcd"), "input_px": 96})
    loaded = load_model(tmp_path).network
    assert loaded.architecture == network.architecture
    with torch.no_grad():
        one, other = (some(pictures).routings[0].probabilities for some in (network, loaded))
    torch.testing.assert_close(one, other, atol=0.1, rtol=0.1)  # matrices are kept in bf16


@pytest.mark.parametrize(("key", "value"), [("router", "best"), ("mass", 0), ("mass", 2)])
def test_a_card_with_no_such_router_is_refused(key: str, value: object, tmp_path: Path) -> None:
    card = yaml.safe_load((MODELS / "deeppcb" / CARD).read_text())
    card["architecture"][key] = value
    (tmp_path / CARD).write_text(yaml.safe_dump(card))
    with pytest.raises(ModelError, match=key):
        read_card(tmp_path)
