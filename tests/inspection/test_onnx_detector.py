"""Detectors of the user's own, as real ONNX files in real sessions: one for each word of `detector.output`."""

import json
import math
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest
from onnx import TensorProto

from linewatch.core.detectors import OnnxDetector as Config
from linewatch.core.errors import ModelError
from linewatch.inspection.onnx_detector import OnnxDetector
from linewatch.pictures.types import Picture

KINDS = ("yolo", "yolo_objectness", "yolo_end_to_end", "detr", "detr_softmax", "linewatch")
CLASSES = ("crack", "stone")
SIDE_PX = 32


def grey(value: int, height: int = SIDE_PX, width: int = SIDE_PX) -> Picture:
    return np.full((height, width), value, np.uint8)


def config(path: Path, kind: str, **changes: Any) -> Config:
    output = kind.removesuffix("_softmax")
    return Config.model_validate(
        {"kind": "onnx", "model": path, "output": output, "classes": CLASSES, "threads": 1, **changes}
    )


def opened(path: Path, kind: str, channels: int = 1, **changes: Any) -> OnnxDetector:
    detector = OnnxDetector.open(config(path, kind, **changes), channels)
    detector.warm_up()
    return detector


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_finds_the_one_box(onnx_files: ModuleType, tmp_path: Path, kind: str) -> None:
    detector = opened(onnx_files.write(tmp_path / "m.onnx", kind), kind, min_score=0.1)
    ((found,),) = detector.detect([grey(204)])
    assert found.label == "stone"
    assert (found.x, found.y, found.width, found.height) == pytest.approx((12, 8, 16, 8), abs=1e-4)
    logit = 8 * 0.8 - 4
    sure = {"detr": 1 / (1 + math.exp(-logit)), "detr_softmax": math.exp(6.4) / (1 + math.exp(6.4) + math.exp(4))}
    assert found.score == pytest.approx(sure.get(kind, 0.8), abs=1e-5)
    assert detector.classes == CLASSES
    assert detector.name.startswith("m.onnx ")


@pytest.mark.parametrize("kind", ["yolo", "yolo_objectness", "linewatch"])
def test_of_two_boxes_on_one_defect_the_stronger_is_kept(onnx_files: ModuleType, tmp_path: Path, kind: str) -> None:
    path = onnx_files.write(tmp_path / "m.onnx", kind)
    assert len(opened(path, kind).detect([grey(204)])[0]) == 1
    apart = opened(path, kind, iou=1.0).detect([grey(204)])[0]
    assert [round(d.score, 3) for d in apart] == [0.8, 0.02]


@pytest.mark.parametrize("kind", KINDS)
def test_a_number_that_is_not_finite_puts_the_part_in_doubt(onnx_files: ModuleType, tmp_path: Path, kind: str) -> None:
    ((found,),) = opened(onnx_files.write(tmp_path / "m.onnx", kind), kind).detect([grey(0)])
    assert math.isnan(found.score)


@pytest.mark.parametrize(
    ("fit", "box"), [("corner", (24, 16, 32, 16)), ("centre", (24, 0, 32, 16)), ("stretch", (24, 8, 32, 8))]
)
def test_boxes_come_back_to_the_picture(
    onnx_files: ModuleType, tmp_path: Path, fit: str, box: tuple[float, ...]
) -> None:
    path = onnx_files.write(tmp_path / "m.onnx", "yolo")
    detector = opened(path, "yolo", fit=fit, min_score=0.1, fill=200)
    ((found,),) = detector.detect([grey(200, height=32, width=64)])
    assert (found.x, found.y, found.width, found.height) == pytest.approx(box, abs=1e-4)
    assert found.score == pytest.approx(200 / 255, abs=1e-5)  # the fill is as bright as the picture


def test_pixels_are_scaled_as_the_station_says(onnx_files: ModuleType, tmp_path: Path) -> None:
    path = onnx_files.write(tmp_path / "m.onnx", "yolo")
    scaling = {"scale": 0.01, "mean": (0.5, 0.25, 0.0), "std": (2.0, 1.0, 1.0)}
    colour = np.zeros((SIDE_PX, SIDE_PX, 3), np.uint8) + np.array([100, 50, 30], np.uint8)
    ((found,),) = opened(path, "yolo", channels=3, min_score=0.1, **scaling).detect([colour])
    assert found.score == pytest.approx((0.25 + 0.25 + 0.3) / 3, abs=1e-5)
    ((found,),) = opened(path, "yolo", channels=3, min_score=0.1, colour="bgr", **scaling).detect([colour])
    assert found.score == pytest.approx((-0.1 + 0.25 + 1.0) / 3, abs=1e-5)


@pytest.mark.parametrize("dtype", [TensorProto.UINT8, TensorProto.FLOAT16])
def test_other_inputs(onnx_files: ModuleType, tmp_path: Path, dtype: int) -> None:
    path = onnx_files.write(tmp_path / "m.onnx", "yolo", dtype=dtype, shape=(1, 1, SIDE_PX, SIDE_PX))
    detector = OnnxDetector.open(config(path, "yolo"), 1)
    if dtype == TensorProto.FLOAT16:
        ((found,),) = detector.detect([grey(102)])
        assert found.score == pytest.approx(0.4, abs=1e-3)
    else:  # pixels as they are: any is more than white, and this file gives up
        with pytest.raises(Exception, match="indices element out of data bounds"):
            detector.detect([grey(102)])


def test_a_file_that_leaves_its_sizes_open_takes_the_stations(onnx_files: ModuleType, tmp_path: Path) -> None:
    path = onnx_files.write(tmp_path / "m.onnx", "yolo", shape=("batch", 3, "height", "width"))
    assert opened(path, "yolo", input_px=SIDE_PX, min_score=0.1).detect([grey(204)])[0][0].x == pytest.approx(12)
    with pytest.raises(ModelError, match=r"m\.onnx: images: leaves its size open: name detector\.input_px"):
        opened(path, "yolo")


def test_a_batch_is_filled_up(onnx_files: ModuleType, tmp_path: Path) -> None:
    path = onnx_files.write(tmp_path / "m.onnx", "yolo", shape=(2, 3, SIDE_PX, SIDE_PX))
    detector = opened(path, "yolo", min_score=0.1)
    assert detector.batch_sizes == (2,)
    alone, pair = detector.detect([grey(102)]), detector.detect([grey(102), grey(204)])
    assert pair[0] == alone[0]
    assert [round(found[0].score, 3) for found in pair] == [0.4, 0.8]


@pytest.mark.parametrize(
    ("kind", "said", "changes", "reason"),
    [
        ("yolo", "yolo", {"classes": ("a", "b", "c")}, "output0: '(batch, 6, 3)': `output: yolo` with 3 classes"),
        (
            "yolo",
            "yolo_end_to_end",
            {},
            "output0: '(batch, 6, 3)': `output: yolo_end_to_end` with 2 classes must be (batch, n, 6)",
        ),
        ("yolo_objectness", "yolo", {}, "output: '(batch, 2, 7)'"),
        ("yolo_end_to_end", "detr", {}, "outputs: 'output0': `output: detr` needs one with 'logit' in its name"),
        (
            "detr",
            "detr",
            {"classes": ("a", "b", "c")},
            "logits: '(batch, 2, 2)': `output: detr` with 3 classes must be",
        ),
        ("detr", "linewatch", {}, "outputs: 'logits, pred_boxes': `output: linewatch` has no boxes"),
        ("yolo_end_to_end", "yolo_end_to_end", {"classes": ("a",)}, "output0: '1': class numbers must be 0 to 0"),
        ("linewatch", "linewatch", {"classes": ("a",)}, "labels: '1': class numbers must be 0 to 0"),
        ("yolo", "yolo", {"mean": (2.0, 2.0, 2.0)}, "output0: '-1.498': scores must be probabilities, 0 to 1"),
        ("yolo", "yolo", {"input_px": 64}, "images: 64: is 32 px, not detector.input_px"),
        ("yolo", "yolo", {"scale": 1.0}, "m.onnx: the network does not run: "),
    ],
)
def test_a_file_that_is_not_what_the_station_says_is_refused_before_the_first_part(
    onnx_files: ModuleType, tmp_path: Path, kind: str, said: str, changes: dict[str, Any], reason: str
) -> None:
    path = onnx_files.write(tmp_path / "m.onnx", kind)
    with pytest.raises(ModelError) as error:
        opened(path, said, **changes)
    assert str(error.value).startswith(f"{path}: ")
    assert reason in str(error.value)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    ("shape", "reason"),
    [
        ((1, SIDE_PX, SIDE_PX, 3), "images: '(1, 32, 32, 3)': must be (batch, 1 or 3 channels, side, side)"),
        ((1, 3, SIDE_PX, 64), "images: '(1, 3, 32, 64)': must be square"),
    ],
)
def test_inputs_that_are_no_square_pictures(
    onnx_files: ModuleType, tmp_path: Path, shape: tuple[int, ...], reason: str
) -> None:
    path = onnx_files.write(tmp_path / "m.onnx", "yolo", shape=shape)
    with pytest.raises(ModelError) as error:
        opened(path, "yolo")
    assert reason in str(error.value)


def test_a_file_that_knows_its_classes_is_asked(onnx_files: ModuleType, tmp_path: Path) -> None:
    names = onnx_files.write(tmp_path / "names.onnx", "yolo_end_to_end", metadata={"names": "{0: 'a', 1: 'b', 2: 'c'}"})
    with pytest.raises(ModelError, match=r"names\.onnx: 2: has 3 classes, not as many as detector\.classes"):
        opened(names, "yolo_end_to_end")
    ours = {"linewatch.classes": json.dumps(["stone", "crack"])}
    exported = onnx_files.write(tmp_path / "exported.onnx", "linewatch", metadata=ours)
    with pytest.raises(ModelError, match=r"exported\.onnx: 'crack, stone': its classes are stone, crack"):
        opened(exported, "linewatch")


def test_a_colour_camera_needs_three_channels(onnx_files: ModuleType, tmp_path: Path) -> None:
    path = onnx_files.write(tmp_path / "m.onnx", "yolo", shape=(1, 1, SIDE_PX, SIDE_PX))
    with pytest.raises(ModelError, match=r"takes grey pictures: set camera\.grey: true"):
        opened(path, "yolo", channels=3)


def test_a_uint8_file_is_not_scaled(onnx_files: ModuleType, tmp_path: Path) -> None:
    path = onnx_files.write(tmp_path / "m.onnx", "yolo", dtype=TensorProto.UINT8)
    with pytest.raises(ModelError, match=r"takes uint8 pixels as they are: remove detector\.mean"):
        opened(path, "yolo", mean=(1.0, 1.0, 1.0))


@pytest.mark.parametrize("content", [None, b"", b"this is no protobuf", b"\x08\x09"])
def test_no_onnx_file_at_all(tmp_path: Path, content: bytes | None) -> None:
    path = tmp_path / "m.onnx"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(ModelError) as error:
        opened(path, "yolo")
    assert str(error.value).startswith(f"{path}: {'is missing' if content is None else 'is no ONNX file'}")
    assert "\n" not in str(error.value)
