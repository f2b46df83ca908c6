"""The `detector` section of a station file: DS-MoE, or an ONNX file of the user's own."""

from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BeforeValidator, Field, PositiveFloat

from linewatch.core.section import Section


class DsmoeDetector(Section):
    """DS-MoE finds the defects."""

    kind: Literal["dsmoe"] = "dsmoe"
    model: Path = Field(description="folder with model.yaml and weights.safetensors")
    device: Literal["auto", "cpu", "cuda"] = Field("auto", description="auto takes the GPU when there is one")
    threads: int = Field(0, ge=0, description="CPU threads; 0 leaves one core to the controller")
    max_batch: int = Field(4, ge=1, le=64, description="largest batch; shapes are fixed per batch size")


def _told_apart(names: tuple[str, ...]) -> tuple[str, ...]:
    for index, name in enumerate(names):
        if name in ("", "*") or name in names[:index]:
            raise ValueError(f"{name!r} cannot be a class here: names must differ, and none is empty or `*`")
    return names


Output = Literal["yolo", "yolo_objectness", "yolo_end_to_end", "detr", "linewatch"]


class OnnxDetector(Section):
    """A network of the user's own finds the defects: an ONNX file, run by ONNX Runtime on the CPU, without torch.

    The file has one input, (batch, 1 or 3, side, side), uint8, float32 or float16. Its outputs, for C classes:
    yolo             first output (batch, 4 + C, n): centre x, y, width, height in px of the input, C probabilities
    yolo_objectness  first output (batch, n, 5 + C): the same after the transpose, with objectness before the classes
    yolo_end_to_end  first output (batch, n, 6): x1, y1, x2, y2 in px of the input, score, class number
    detr             `...logit...` (batch, n, C), taken through a sigmoid, or (batch, n, C + 1), through a softmax whose
                     last column is: nothing; `...box...` (batch, n, 4): centre x, y, width, height, shares of the side
    linewatch        what `linewatch export` writes: boxes (batch, n, 4) corners in px, scores (batch, n), labels
    """

    kind: Literal["onnx"]
    model: Path = Field(description="ONNX file")
    classes: Annotated[tuple[str, ...], AfterValidator(_told_apart)] = Field(
        min_length=1, description="the names of the network's classes, in its order"
    )
    output: Output = Field(description="what the file's outputs mean, see above")
    input_px: int | None = Field(
        None, gt=0, description="side of the square input; needed where the file leaves it open"
    )
    fit: Literal["corner", "centre", "stretch"] = Field(
        "corner", description="pictures of another shape: in the upper left corner, centred, or stretched to the square"
    )
    fill: int = Field(0, ge=0, le=255, description="grey value around a picture that does not fill the square")
    colour: Literal["rgb", "bgr"] = Field("rgb", description="order of three channels; grey pictures are repeated")
    scale: PositiveFloat = Field(1 / 255, description="the input is (pixel * scale - mean) / std; not for uint8 inputs")
    mean: tuple[float, float, float] = Field((0.0, 0.0, 0.0), description="per channel, in the order of `colour`")
    std: tuple[PositiveFloat, PositiveFloat, PositiveFloat] = Field((1.0, 1.0, 1.0), description="as mean")
    min_score: float = Field(0.01, ge=0, le=1, description="weaker candidates are dropped unseen")
    iou: float = Field(
        0.6, ge=0, le=1, description="of two boxes of a class that overlap by more, the stronger is kept; not for detr "
        "and yolo_end_to_end"
    )  # fmt: skip
    threads: int = Field(0, ge=0, description="CPU threads; 0 leaves one core to the controller")


def dsmoe_unless_told(section: Any) -> Any:
    """`section` with the usual kind where it names none."""
    return {"kind": "dsmoe", **section} if isinstance(section, dict) else section


Detector = Annotated[DsmoeDetector | OnnxDetector, Field(discriminator="kind"), BeforeValidator(dsmoe_unless_told)]
