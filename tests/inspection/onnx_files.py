"""Tiny ONNX files with the outputs of well-known detectors: how bright the picture is decides how sure they are.

Each finds one box of the class `stone` in 32 x 32 px, centre (20, 12), 16 wide, 8 high, whose score is the mean
of the input after scaling. A black picture makes all its numbers NaN, a white one makes the run fail.
"""

from pathlib import Path
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

SIDE_PX = 32
CLASSES = ("crack", "stone")
BOX = (20.0, 12.0, 16.0, 8.0)  # centre x, centre y, width, height
NEAR, FAR = (21.0, 12.0, 16.0, 8.0), (4.0, 4.0, 2.0, 2.0)

Rows = list[tuple[float, ...]]
# Output name, rows, and by how much the brightness is added to each number.
_TABLES: dict[str, tuple[str, Rows, Rows]] = {
    "yolo": ("output0", [(*BOX, 0, 0), (*NEAR, 0, 0.02), (*FAR, 0, 0)], [(0, 0, 0, 0, 0, 1), (0,) * 6, (0,) * 6]),
    "yolo_objectness": ("output", [(*BOX, 0, 0, 1), (*NEAR, 0.02, 0, 1)], [(0, 0, 0, 0, 1, 0, 0), (0,) * 7]),
    "yolo_end_to_end": ("output0", [(12, 8, 28, 16, 0, 1), (0, 0, 0, 0, 0, -1)], [(0, 0, 0, 0, 1, 0), (0,) * 6]),
    "detr": ("logits", [(-9, -4), (-9, -9)], [(0, 8), (0, 0)]),
    "detr_softmax": ("pred_logits", [(0, 0, 4), (0, 0, 9)], [(0, 8, 0), (0, 0, 0)]),
    "linewatch": ("scores", [(0,), (0.02,)], [(1,), (0,)]),
}
_BESIDE: dict[str, tuple[tuple[str, Rows], ...]] = {
    "detr": (("pred_boxes", [tuple(v / SIDE_PX for v in BOX), (0.5, 0.5, 1, 1)]),),
    "detr_softmax": (("pred_boxes", [tuple(v / SIDE_PX for v in BOX), (0.5, 0.5, 1, 1)]),),
    "linewatch": (("boxes", [(12, 8, 28, 16), (12, 8, 29, 16)]), ("labels", [(1,), (1,)])),
}
KINDS = tuple(_TABLES)


def write(
    path: Path,
    kind: str,
    *,
    shape: tuple[int | str, ...] = (1, 3, SIDE_PX, SIDE_PX),
    dtype: int = TensorProto.FLOAT,
    metadata: dict[str, str] | None = None,
) -> Path:
    """Write a detector of this kind. shape: of its input; words leave a number open. dtype: of its input."""
    name, rows, lights = _TABLES[kind]
    nodes, constants = _brightness()
    tables = [(name, _table(kind, rows), _table(kind, lights))]
    for beside, more in _BESIDE.get(kind, ()):
        tables.append((beside, _table(kind, more), np.zeros_like(_table(kind, more))))
    outputs = []
    for output, fixed, light in tables:
        dims = ("batch", *fixed.shape[1:]) if shape[0] == "batch" else (shape[0], *fixed.shape[1:])
        outputs.append(helper.make_tensor_value_info(output, TensorProto.FLOAT, dims))
        constants.append(numpy_helper.from_array(fixed, f"{output}_fixed"))
        constants.append(numpy_helper.from_array(light, f"{output}_light"))
        lit = "bright2" if fixed.ndim == 2 else "bright3"
        nodes.append(helper.make_node("Mul", [f"{output}_light", lit], [f"{output}_added"]))
        nodes.append(helper.make_node("Add", [f"{output}_fixed", f"{output}_added"], [output]))
    graph = helper.make_graph(
        nodes, kind, [helper.make_tensor_value_info("images", dtype, shape)], outputs, initializer=constants
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=9)
    helper.set_model_props(model, metadata or {})
    onnx.save(model, path)
    return path


def _table(kind: str, rows: Rows) -> np.ndarray[Any, Any]:
    table = np.array([rows], np.float32)
    if kind == "yolo":
        return table.transpose(0, 2, 1)
    return table[..., 0] if table.shape[2] == 1 else table


def _brightness() -> tuple[list[onnx.NodeProto], list[onnx.TensorProto]]:
    """bright3 (batch, 1, 1) and bright2 (batch, 1): the mean; NaN where black, no answer at all where white."""
    make = helper.make_node
    nodes = [
        make("Cast", ["images"], ["floats"], to=TensorProto.FLOAT),
        make("ReduceMean", ["floats", "over"], ["mean"], keepdims=0),
        make("Div", ["mean", "mean"], ["one_or_nan"]),
        make("Mul", ["mean", "one_or_nan"], ["bright"]),
        make("ReduceMax", ["mean"], ["brightest"], keepdims=0),
        make("Greater", ["brightest", "white"], ["is_white"]),
        make("Cast", ["is_white"], ["place"], to=TensorProto.INT64),
        make("Gather", ["single", "place"], ["zero"]),
        make("Add", ["bright", "zero"], ["safe"]),
        make("Unsqueeze", ["safe", "axis1"], ["bright2"]),
        make("Unsqueeze", ["safe", "axis12"], ["bright3"]),
    ]
    constants = {
        "over": np.array([1, 2, 3], np.int64),
        "white": np.array(0.99, np.float32),
        "single": np.zeros(1, np.float32),
        "axis1": np.array([1], np.int64),
        "axis12": np.array([1, 2], np.int64),
    }
    return nodes, [numpy_helper.from_array(value, name) for name, value in constants.items()]
