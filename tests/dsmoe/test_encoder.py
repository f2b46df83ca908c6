"""The encoder is MobileSAM's: same keys, same numbers, any size."""

import pytest
import torch
from mobile_sam.modeling.tiny_vit_sam import TinyViT

from linewatch.dsmoe.encoder import Encoder


def mobile_sam_encoder(side: int) -> TinyViT:
    """As mobile_sam's own builder makes it, for pictures of `side` px."""
    torch.manual_seed(3)
    vit = TinyViT(
        img_size=side, in_chans=3, num_classes=1000, embed_dims=[64, 128, 160, 320], depths=[2, 2, 6, 2],
        num_heads=[2, 4, 5, 10], window_sizes=[7, 7, 14, 7], mlp_ratio=4.0, drop_rate=0.0, drop_path_rate=0.0,
        use_checkpoint=False, mbconv_expand_ratio=4.0, local_conv_size=3, layer_lr_decay=0.8,
    )  # fmt: skip
    for name, value in vit.named_parameters():
        if "attention_biases" in name or name.endswith("bn.weight"):
            torch.nn.init.normal_(value, 0.5, 0.2)  # else branches that start at zero would hide a mistake
    return vit.eval()


@pytest.mark.parametrize("side", [224, 320])
def test_same_numbers_as_upstream(side: int) -> None:
    upstream = mobile_sam_encoder(side)
    encoder = Encoder().eval()
    encoder.load_mobile_sam({f"image_encoder.{name}": value for name, value in upstream.state_dict().items()})
    x = torch.randn(1, 3, side, side)
    with torch.no_grad():
        tokens = upstream.patch_embed(x)
        for layer in upstream.layers:
            tokens = layer(tokens)
        ours = encoder(x)[-1]
    torch.testing.assert_close(ours.flatten(2).transpose(1, 2), tokens, rtol=1e-3, atol=1e-3)


def test_a_learning_encoder_sees_what_one_at_rest_sees() -> None:
    """While the attention's biases learn, the CPU computes it another way."""
    encoder = Encoder().eval()
    encoder.load_mobile_sam({f"image_encoder.{k}": value for k, value in mobile_sam_encoder(224).state_dict().items()})
    x = torch.randn(2, 3, 160, 224)
    learning = encoder(x)[-1]
    assert learning.requires_grad
    with torch.no_grad():
        torch.testing.assert_close(learning, encoder(x)[-1], rtol=1e-3, atol=1e-3)


def test_attention_that_is_too_sure_is_calmed_head_by_head() -> None:
    torch.manual_seed(0)
    encoder = Encoder()
    first = encoder.layers[1].blocks[0].attn
    with torch.no_grad():
        first.qkv.weight.view(4, 96, -1)[2, :64].mul_(40)  # queries and keys of the third of four heads
    x = torch.randn(2, 3, 112, 112)
    encoder(x)
    reach, before = first.reach.clone(), first.qkv.weight.detach().clone().view(4, 96, -1)
    assert reach[2] > 20 and (reach[[0, 1, 3]] < 20).all()
    encoder.calm_attention(20.0)
    encoder(x)
    torch.testing.assert_close(first.reach[2], torch.tensor(20.0), rtol=1e-3, atol=0)
    after = first.qkv.weight.detach().view(4, 96, -1)
    torch.testing.assert_close(after[[0, 1, 3]], before[[0, 1, 3]], rtol=0, atol=0)
    torch.testing.assert_close(after[2, 64:], before[2, 64:], rtol=0, atol=0)  # its values


def test_strides_and_widths_for_any_size() -> None:
    with torch.no_grad():
        maps = Encoder().eval()(torch.randn(1, 3, 96, 160))
    assert [tuple(m.shape[1:]) for m in maps] == [(64, 24, 40), (128, 12, 20), (320, 6, 10)]


def test_a_missing_key_is_named() -> None:
    state = {f"image_encoder.{name}": value for name, value in mobile_sam_encoder(224).state_dict().items()}
    del state["image_encoder.layers.2.blocks.0.mlp.fc1.weight"]
    with pytest.raises(KeyError, match=r"image_encoder\.layers\.2\.blocks\.0\.mlp\.fc1\.weight"):
        Encoder().load_mobile_sam(state)


def test_depth_grows_from_input_to_output() -> None:
    encoder = Encoder()
    depths = [encoder.depth_of(name) for name, _ in encoder.named_parameters()]
    assert depths == sorted(depths)
    assert (depths[0], depths[-1]) == (0, encoder.depth)
