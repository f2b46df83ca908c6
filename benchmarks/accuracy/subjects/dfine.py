"""D-FINE-N as transformers has it (Apache-2.0), from its configuration alone, with its own criterion and matcher.

The shape is that of upstream's dfine_n; batch norms learn, because nothing is pretrained. It computes in float32: its
decoder refines coordinates, which bfloat16 would round to pixels. It needs no suppression: the best 100 of its queries
count.
"""

from collections.abc import Mapping
from typing import Any

from torch import Tensor

from benchmarks.accuracy.data import Data
from benchmarks.accuracy.subjects.boxes import MIN_SCORE, MOST, centred, cornered, in_colour
from benchmarks.accuracy.subjects.subject import Batch, Found, Subject, Unavailable

_BACKBONE = {
    "hidden_sizes": [128, 256, 512, 1024],
    "stem_channels": [3, 16, 16],
    "stage_in_channels": [16, 64, 256, 512],
    "stage_mid_channels": [16, 32, 64, 128],
    "stage_out_channels": [64, 256, 512, 1024],
    "stage_num_blocks": [1, 1, 2, 1],
    "stage_downsample": [False, True, True, True],
    "stage_light_block": [False, False, True, True],
    "stage_kernel_size": [3, 3, 5, 5],
    "stage_numb_of_layers": [3, 3, 3, 3],
    "use_learnable_affine_block": True,
    "out_indices": [3, 4],
}
_NANO = {
    "encoder_in_channels": [512, 1024],
    "feat_strides": [16, 32],
    "encoder_hidden_dim": 128,
    "encoder_ffn_dim": 512,
    "encode_proj_layers": [1],
    "hidden_expansion": 0.34,
    "depth_mult": 0.5,
    "d_model": 128,
    "decoder_in_channels": [128, 128],
    "decoder_ffn_dim": 512,
    "num_feature_levels": 2,
    "decoder_n_points": [6, 6],
    "decoder_layers": 3,
    "freeze_backbone_batch_norms": False,
}


class DFineSubject(Subject):
    """architecture: `queries`, 300 unless said; a picture must have as many places at strides 16 and 32 together."""

    def __init__(self, data: Data, architecture: Mapping[str, Any]) -> None:
        try:
            from transformers import DFineConfig, DFineForObjectDetection
            from transformers.models.hgnet_v2 import HGNetV2Config
        except ImportError as exc:
            raise Unavailable(f"transformers has no D-FINE here: {exc}") from exc
        labels, queries = dict(enumerate(data.config.classes)), architecture.get("queries", 300)
        config = DFineConfig(backbone_config=HGNetV2Config(**_BACKBONE), id2label=labels, num_queries=queries, **_NANO)
        super().__init__(DFineForObjectDetection(config), bf16=False)

    def loss(self, batch: Batch) -> Tensor:
        side = batch.pictures.shape[-1]
        targets = [
            {"class_labels": labels, "boxes": centred(boxes) / side}
            for boxes, labels in zip(batch.boxes, batch.labels, strict=True)
        ]
        total: Tensor = self.network(in_colour(batch.pictures) / 255, labels=targets).loss
        return total

    def detect(self, pictures: Tensor) -> list[Found]:
        output = self.network(in_colour(pictures) / 255)
        height, width = pictures.shape[2:]
        boxes = cornered(output.pred_boxes) * output.pred_boxes.new_tensor([width, height, width, height])
        scores = output.logits.sigmoid()
        found = []
        for box, score in zip(boxes, scores, strict=True):
            top, index = score.flatten().topk(min(MOST, score.numel()))
            index, top = index[top > MIN_SCORE], top[top > MIN_SCORE]
            found.append((box[index // score.shape[1]], top, index % score.shape[1]))
        return found
