"""The network with everything up to its strongest candidates, as one ONNX graph.

Non-maximum suppression stays outside: its result has another size for every picture, while fixed shapes can be planned,
captured and compared; the reader (inspection/candidates.py) does it in numpy, for every kind of model alike.

The experts stay sparse: TopK chooses them, their weights are gathered, and one grouped convolution takes the gathered
kernels as its second input. Experts that were not chosen cost no arithmetic.
"""

import json
from pathlib import Path

import torch
from torch import Tensor, nn

from linewatch.core.errors import ConfigError
from linewatch.dsmoe.network import DsMoe
from linewatch.dsmoe.weights import LoadedModel
from linewatch.inspection.onnx_file import CLASSES_KEY

OPSET = 18  # GridSample needs 16; ONNX Runtime 1.14 and newer read 18
CANDIDATES = 1000


class Candidates(nn.Module):
    """From pixels to the strongest candidates: boxes (B, n, 4) px, scores (B, n), labels (B, n), best first."""

    def __init__(self, network: DsMoe) -> None:
        super().__init__()
        self.network = network

    def forward(self, pictures: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """pictures: (B, 3, S, S) uint8. One number that is not finite anywhere makes every score NaN."""
        raw = self.network(pictures).raw
        boxes, logits = raw.boxes(), raw.logits.float()
        sound = logits.isfinite().all() & boxes.isfinite().all()
        # TopK's order of NaN is nobody's promise, so it never sees one.
        scores = torch.where(logits.isfinite(), logits.sigmoid(), 0.0).flatten(1)
        top, index = scores.topk(min(CANDIDATES, scores.shape[1]), dim=1)
        classes = logits.shape[2]
        places = (index // classes)[..., None].expand(-1, -1, 4)
        return boxes.gather(1, places), torch.where(sound, top, torch.nan), index % classes


def write_onnx(model: LoadedModel, path: Path) -> None:
    """Write the model, float32 at batch 1 and the card's input size, with its classes and origin as metadata.

    Raises ConfigError without the extra linewatch[onnx].
    """
    try:
        import onnxscript  # noqa: F401  torch needs it
    except ImportError as exc:
        raise ConfigError("export", "needs the extra: pip install 'linewatch[onnx]'") from exc
    side = model.card.input_size
    names = ["boxes", "scores", "labels"]
    with torch.no_grad():
        program = torch.onnx.export(
            Candidates(model.network).eval(),
            (torch.zeros(1, 3, side, side, dtype=torch.uint8),),
            input_names=["pictures"],
            output_names=names,
            opset_version=OPSET,
            dynamo=True,
            verbose=False,
        )
    assert program is not None
    program.model.metadata_props.update(
        {
            CLASSES_KEY: json.dumps(model.card.classes, ensure_ascii=False),
            "linewatch.model": model.card.name,
            "linewatch.weights_sha256": model.card.sha256,
        }
    )
    program.save(path, external_data=False)
