"""The assembled network: what goes in, what comes out, what costs nothing, what depends on nothing."""

import pytest
import torch
from torch.utils.flop_counter import FlopCounterMode

from linewatch.dsmoe.cbam import Cbam
from linewatch.dsmoe.criterion import Weights, losses
from linewatch.dsmoe.experts import KINDS, SparseExperts, kernel_mask
from linewatch.dsmoe.fusion import fuse
from linewatch.dsmoe.network import Architecture, BoxesFrom, DsMoe
from linewatch.dsmoe.routing import Routing, TextRouter, active_experts


def test_shapes(network: DsMoe, pictures: torch.Tensor) -> None:
    output = network.eval()(pictures)
    cells = 16 * 12 + 8 * 6 + 4 * 3
    assert output.raw.logits.shape == (2, cells, 4)
    assert output.raw.boxes().shape == (2, cells, 4)
    assert output.similarity.shape == (2, cells, 4)
    assert len(output.routings) == 3


def test_grey_and_its_threefold_copy_are_the_same_picture(network: DsMoe, pictures: torch.Tensor) -> None:
    network.eval()
    with torch.no_grad():
        one, three = network(pictures).raw.logits, network(pictures.repeat(1, 3, 1, 1)).raw.logits
    torch.testing.assert_close(one, three)


def test_every_parameter_learns(network: DsMoe, pictures: torch.Tensor) -> None:
    boxes = [torch.tensor([[10.0, 20, 40, 60]]), torch.tensor([[30.0, 30, 80, 90], [5, 70, 25, 100]])]
    labels = [torch.tensor([1]), torch.tensor([0, 3])]
    network.train()
    optimiser = torch.optim.SGD(network.parameters(), 1e-2)
    taught: set[str] = set()
    for _ in range(2):  # some branches start at zero and pass gradients on from the second step
        output = network(pictures)
        optimiser.zero_grad()
        torch.stack(list(losses(output, network.text, boxes, labels, Weights()).values())).sum().backward()
        optimiser.step()
        taught |= {n for n, v in network.named_parameters() if v.grad is not None and bool(v.grad.abs().sum() > 0)}
    # Experts that were not chosen learn nothing, by design; sides learn only at a scale that owns a box.
    untaught = {name for name, _ in network.named_parameters()} - taught
    assert {n for n in untaught if not n.startswith("experts.") and "localise" not in n and ".sides." not in n} == set()
    assert any("localise" in name for name in taught)


def test_attention_begins_by_letting_pass() -> None:
    torch.manual_seed(0)
    x = torch.rand(2, 32, 8, 8) + 0.5
    with torch.no_grad():
        passed = Cbam(32)(x) / x
    assert float(passed.min()) > 0.7 and float(passed.max()) < 1
    torch.testing.assert_close(passed, passed.mean().expand_as(passed))  # no channel and no place before another


def test_floor_of_log2_experts_work() -> None:
    assert [active_experts(count) for count in (2, 4, 8, 16)] == [1, 2, 3, 4]


def test_experts_not_chosen_cost_nothing() -> None:
    def cost(experts: int) -> int:
        layer = SparseExperts(32, 16, experts).eval()
        chosen, gates = torch.tensor([[0, 1]]), torch.tensor([[0.5, 0.5]])
        routing = Routing(chosen, gates, torch.zeros(1, experts), torch.zeros(1, 16))
        with FlopCounterMode(display=False) as counter, torch.no_grad():
            layer(torch.randn(1, 32, 8, 8), routing)
        return counter.get_total_flops()

    assert cost(4) == cost(16) > 0


def test_sparse_equals_the_dense_sum_of_the_chosen() -> None:
    torch.manual_seed(5)
    layer = SparseExperts(16, 8, 8).eval()
    x, context = torch.randn(1, 16, 9, 9), torch.randn(1, 8)

    def alone(expert: int) -> torch.Tensor:
        return layer(x, Routing(torch.tensor([[expert]]), torch.ones(1, 1), torch.zeros(1, 8), context))

    both = Routing(torch.tensor([[2, 6]]), torch.tensor([[0.3, 0.7]]), torch.zeros(1, 8), context)
    torch.testing.assert_close(layer(x, both), 0.3 * alone(2) + 0.7 * alone(6))


def test_only_cross_modal_experts_see_the_text() -> None:
    torch.manual_seed(6)
    layer = SparseExperts(16, 8, 8).eval()
    x = torch.randn(1, 16, 9, 9)
    for expert, kind in enumerate(KINDS):
        chosen, gates, probabilities = torch.tensor([[expert]]), torch.ones(1, 1), torch.zeros(1, 8)
        one, two = (layer(x, Routing(chosen, gates, probabilities, torch.full((1, 8), v))) for v in (0.0, 1.0))
        assert torch.equal(one, two) == ("text" not in kind), kind


def test_kernel_masks_have_the_dilation_they_say() -> None:
    assert [int(kernel_mask(kind).sum()) for kind in KINDS] == [9, 7, 7, 9, 9, 9, 9, 9]
    assert kernel_mask("dilation3")[0, 0] == 1 and kernel_mask("dilation1")[0, 0] == 0


def test_routing_follows_the_picture() -> None:
    torch.manual_seed(7)
    router, anchors = TextRouter(32, 16, 8).eval(), torch.randn(4, 16)
    one, two = (router(torch.randn(1, 32, 8, 8) * scale, anchors).probabilities for scale in (1.0, 3.0))
    assert not torch.allclose(one, two, atol=1e-3)


def test_geometry_off_is_the_plain_control(teacher: torch.Tensor, pictures: torch.Tensor) -> None:
    torch.manual_seed(0)
    curved = DsMoe(Architecture(4), teacher).eval()
    plain = DsMoe(Architecture(4, geometry=False), teacher).eval()
    plain.load_state_dict(curved.state_dict())
    with torch.no_grad():
        assert not torch.allclose(curved(pictures).similarity, plain(pictures).similarity)


@pytest.mark.parametrize("boxes_from", ["pyramid", "refined"])
def test_experts_move_boxes_only_where_boxes_come_from_them(
    teacher: torch.Tensor, pictures: torch.Tensor, boxes_from: BoxesFrom
) -> None:
    torch.manual_seed(0)
    network = DsMoe(Architecture(4, boxes_from=boxes_from), teacher).eval()
    with torch.no_grad():
        before = network(pictures).raw
        for experts in network.experts:
            assert isinstance(experts, SparseExperts)
            experts.up.mul_(3)
        after = network(pictures).raw
    assert not torch.equal(before.logits, after.logits)
    assert torch.equal(before.sides, after.sides) == (boxes_from == "pyramid")


def test_boxes_from_elsewhere_are_refused_by_name() -> None:
    with pytest.raises(ValueError, match=r"boxes_from 'encoder': must be one of pyramid, refined"):
        Architecture(4, boxes_from="encoder")  # type: ignore[arg-type]


def test_fusing_changes_no_result(network: DsMoe, pictures: torch.Tensor) -> None:
    network.train()
    with torch.no_grad():
        network(pictures)  # moves the running statistics off their start
        network.eval()
        before = network(pictures).raw.logits
        fuse(network)
        after = network(pictures).raw.logits
    torch.testing.assert_close(before, after, rtol=1e-3, atol=1e-3)
    assert not any("BatchNorm" in type(m).__name__ for n, m in network.named_modules() if not n.startswith("experts"))
