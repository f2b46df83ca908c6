"""Stage 3: the MobileSAM image encoder (TinyViT-5M), tapped at strides 4, 8 and 16, for pictures of any size.

The parameters and their names are those of `mobile_sam`, so the official checkpoint loads key for key. Ours: a forward
pass that takes any size (upstream fixes 64 x 64 tokens), scaled-dot-product attention, taps per stride.
"""

import warnings
from collections.abc import Mapping
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

with warnings.catch_warnings():  # mobile_sam imports timm by names that timm has deprecated
    warnings.filterwarnings("ignore", category=FutureWarning, message="Importing from timm.models")
    warnings.filterwarnings("ignore", category=UserWarning, message="Overwriting tiny_vit")
    from mobile_sam.modeling.tiny_vit_sam import TinyViT

WIDTHS = (64, 128, 320)  # channels at strides 4, 8 and 16
CHECKPOINT_PREFIX = "image_encoder."


class Encoder(nn.Module):
    """TinyViT-5M as MobileSAM builds it, without its classifier and mask neck."""

    def __init__(self, drop_path: float = 0.0) -> None:
        """drop_path: stochastic depth rate of the last block, in [0, 1]; blocks before it get proportionally less."""
        super().__init__()
        vit = TinyViT(
            img_size=1024,
            num_classes=1,
            embed_dims=[64, 128, 160, 320],
            depths=[2, 2, 6, 2],
            num_heads=[2, 4, 5, 10],
            window_sizes=[7, 7, 14, 7],
            drop_path_rate=drop_path,
            layer_lr_decay=0.8,
        )
        self.patch_embed = vit.patch_embed
        self.layers = vit.layers
        for attn in self._attentions():
            attn.register_buffer("reach", torch.zeros(attn.num_heads), persistent=False)

    def forward(self, x: Tensor) -> list[Tensor]:
        """x: (B, 3, H, W) normalised, H and W multiples of 32.

        Returns three maps: (B, 64, H/4, W/4), (B, 128, H/8, W/8), (B, 320, H/16, W/16).
        """
        x = self.patch_embed(x)
        for block in self.layers[0].blocks:
            x = block(x)
        taps = [x]
        x = _downsample(self.layers[0].downsample, x)
        for stage in self.layers[1:]:
            for block in stage.blocks:
                x = _block(block, x)
            if stage is self.layers[1]:
                taps.append(x)
            if stage.downsample is not None:
                x = _downsample(stage.downsample, x)
        return [*taps, x]

    def load_mobile_sam(self, state: Mapping[str, Tensor]) -> None:
        """Load the encoder part of an official MobileSAM state dict. Raises KeyError naming the first missing key."""
        wanted = self.state_dict()
        given = {name.removeprefix(CHECKPOINT_PREFIX): value for name, value in state.items()}
        for name in wanted:
            if name not in given:
                raise KeyError(f"{CHECKPOINT_PREFIX}{name}")
        self.load_state_dict({name: given[name] for name in wanted})

    @torch.no_grad()
    def calm_attention(self, limit: float) -> None:
        """Shrink queries and keys of every head whose logits could have gone beyond `limit` in the last learning pass.

        Attention that is sure of one token passes steep and noisy gradients on, and training comes apart. This is
        QK-clip (Kimi K2, arXiv 2507.20534), with a bound on the logits in place of their maximum.
        """
        for attn in self._attentions():
            shrink = (limit / attn.reach.clamp_min(limit)).sqrt()  # (heads,), 1 where nothing is to be done
            rows = torch.ones(attn.num_heads, 2 * attn.key_dim + attn.d, device=shrink.device)
            rows[:, : 2 * attn.key_dim] = shrink[:, None]
            attn.qkv.weight.mul_(rows.view(-1, 1))
            attn.qkv.bias.mul_(rows.flatten())

    def _attentions(self) -> list[Any]:
        return [block.attn for stage in self.layers[1:] for block in stage.blocks]

    def depth_of(self, name: str) -> int:
        """How many blocks from the input the parameter `name` lies (for layer-wise learning rates): 0 to `depth`."""
        if name.startswith("patch_embed"):
            return 0
        parts = name.split(".")  # layers.<stage>.blocks.<block>... or layers.<stage>.downsample...
        stage = int(parts[1])
        before = sum(len(layer.blocks) for layer in list(self.layers)[:stage])
        return before + (int(parts[3]) + 1 if parts[2] == "blocks" else len(self.layers[stage].blocks))

    @property
    def depth(self) -> int:
        return sum(len(layer.blocks) for layer in self.layers)


def _downsample(merge: Any, x: Tensor) -> Tensor:
    """PatchMerging on a map: the same convolutions, without flattening to tokens."""
    out: Tensor = merge.conv3(merge.act(merge.conv2(merge.act(merge.conv1(x)))))
    return out


def _block(block: Any, x: Tensor) -> Tensor:
    """One TinyViT block on a map (B, C, H, W): window attention, depthwise convolution, MLP."""
    x = x + block.drop_path(_window_attention(block.attn, x, block.window_size))
    x = block.local_conv(x)
    tokens = x.permute(0, 2, 3, 1)  # BCHW -> BHWC
    tokens = tokens + block.drop_path(block.mlp(tokens))
    out: Tensor = tokens.permute(0, 3, 1, 2)
    return out


def _window_attention(attn: Any, x: Tensor, window: int) -> Tensor:
    batch, channels, height, width = x.shape
    tokens = x.permute(0, 2, 3, 1)  # BCHW -> BHWC
    bottom, right = -height % window, -width % window
    if bottom or right:
        tokens = F.pad(tokens, (0, 0, 0, right, 0, bottom))
    rows, columns = (height + bottom) // window, (width + right) // window
    tokens = tokens.view(batch, rows, window, columns, window, channels).transpose(2, 3)
    tokens = _attend(attn, tokens.reshape(-1, window * window, channels))
    tokens = tokens.view(batch, rows, columns, window, window, channels).transpose(2, 3)
    tokens = tokens.reshape(batch, height + bottom, width + right, channels)[:, :height, :width]
    return tokens.permute(0, 3, 1, 2)


def _attend(attn: Any, tokens: Tensor) -> Tensor:
    """Attention in windows, tokens (windows, n, C), with the learnt bias per offset."""
    windows, count, _ = tokens.shape
    qkv = attn.qkv(attn.norm(tokens)).view(windows, count, attn.num_heads, -1).transpose(1, 2)
    query, key, value = qkv.split([attn.key_dim, attn.key_dim, attn.d], dim=-1)
    if torch.is_grad_enabled():
        attn.reach.copy_(_reach(query.detach(), key.detach(), attn.scale))
    bias = attn.attention_biases[:, attn.attention_bias_idxs].to(query.dtype)
    if bias.requires_grad and bias.device.type == "cpu":  # a learning bias leaves torch's fused kernels aside there
        logits = (query * attn.scale) @ key.transpose(-2, -1) + bias
        out = logits.softmax(-1, dtype=torch.float32).to(value.dtype) @ value
    else:
        out = F.scaled_dot_product_attention(query, key, value, attn_mask=bias[None], scale=attn.scale)
    projected: Tensor = attn.proj(out.transpose(1, 2).reshape(windows, count, attn.dh))
    return projected


def _reach(query: Tensor, key: Tensor, scale: float) -> Tensor:
    """A bound on each head's logits: longest query times longest key. (windows, heads, n, d) each; returns (heads,)."""
    longest = [torch.linalg.vector_norm(x, dim=-1, dtype=torch.float32).amax((0, 2)) for x in (query, key)]
    bound: Tensor = longest[0] * longest[1] * scale
    return bound
