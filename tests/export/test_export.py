"""The whole network as ONNX; and files that do not agree with torch, which are not kept."""

import json
from pathlib import Path

import numpy as np
import onnx
import pytest
import torch
from onnx import TensorProto, helper, numpy_helper

from linewatch.cli import main
from linewatch.core.detectors import OnnxDetector as Config
from linewatch.core.errors import CheckFailed
from linewatch.dsmoe.head import select
from linewatch.dsmoe.network import Architecture, DsMoe
from linewatch.dsmoe.weights import load_model, save_model
from linewatch.export.agreement import agreement
from linewatch.export.command import keep_proven
from linewatch.export.graph import OPSET
from linewatch.export.pictures import drawn
from linewatch.inspection.onnx_detector import OnnxDetector
from linewatch.inspection.onnx_file import OnnxFile
from linewatch.pictures.write import write_png

SIDE_PX = 64
CLASSES = ("crack", "stone")


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    torch.manual_seed(5)
    architecture = Architecture(classes=len(CLASSES), width=32)
    network = DsMoe(architecture)
    with torch.no_grad():
        for name, parameter in network.named_parameters():
            if name.endswith("logits.bias"):
                parameter.fill_(-1.0)  # so that a network that has learnt nothing still detects something
    folder = tmp_path_factory.mktemp("models") / "tiny"
    save_model(folder, network, architecture, {"name": "tiny", "classes": list(CLASSES), "input_px": SIDE_PX})
    return folder


@pytest.fixture(scope="module")
def network(model: Path) -> DsMoe:
    return load_model(model).network


def write_answer(path: Path, network: DsMoe, *, score: float = 0.0, box_px: float = 0.0, place: int = 0) -> Path:
    """A file that gives torch's answer to the first drawn picture, whatever it is shown; one candidate is moved."""
    with torch.no_grad():
        raw = network(torch.from_numpy(next(drawn(SIDE_PX))[None])).raw
    top, index = raw.logits.sigmoid().flatten(1).topk(100)
    boxes, scores = raw.boxes()[0, index[0] // 2].numpy(), top[0].numpy()
    boxes[place, 2] += box_px
    scores[place] += score
    values = {"boxes": boxes[None], "scores": scores[None], "labels": (index % 2).numpy()}
    constants = [numpy_helper.from_array(value, name) for name, value in values.items()]
    seen = helper.make_tensor_value_info("pictures", TensorProto.UINT8, (1, 3, SIDE_PX, SIDE_PX))
    kinds = {name: helper.np_dtype_to_tensor_dtype(value.dtype) for name, value in values.items()}
    given = [helper.make_tensor_value_info(name, kinds[name], value.shape) for name, value in values.items()]
    graph = helper.make_graph([], "answer", [seen], given, initializer=constants)
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", OPSET)], ir_version=9), path)
    return path


def test_a_file_that_agrees_is_kept(tmp_path: Path, network: DsMoe) -> None:
    unproven = write_answer(tmp_path / "m.onnx.new", network)
    found = keep_proven(unproven, tmp_path / "m.onnx", network, [next(drawn(SIDE_PX))])
    assert found.pictures == 1
    assert (found.score, found.box_px) == pytest.approx((0, 0), abs=1e-6)
    assert [path.name for path in tmp_path.iterdir()] == ["m.onnx"]


@pytest.mark.parametrize(
    "change",
    [{"score": 0.01}, {"box_px": 0.5, "place": 3}, {"score": float("nan")}, {"box_px": float("nan"), "place": 99}],
)
def test_a_file_that_does_not_agree_is_not_kept(tmp_path: Path, network: DsMoe, change: dict[str, float]) -> None:
    unproven = write_answer(tmp_path / "m.onnx.new", network, **change)  # type: ignore[arg-type]
    with pytest.raises(CheckFailed, match=r"m\.onnx: not written: on 1 pictures torch and the file differ by at most"):
        keep_proven(unproven, tmp_path / "m.onnx", network, [next(drawn(SIDE_PX))])
    assert not (tmp_path / "m.onnx").exists()


def test_drawn_pictures_are_the_same_every_time_and_differ() -> None:
    first, again = list(drawn(SIDE_PX, 3)), list(drawn(SIDE_PX, 3))
    assert all(np.array_equal(one, other) for one, other in zip(first, again, strict=True))
    assert not np.array_equal(first[0], first[1])


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (["none"], 3, "none/model.yaml: No such file"),
        (["MODEL", "--format", "tflite"], 2, "--format"),
        (["MODEL", "--output", "none/m.onnx"], 5, "none/m.onnx: cannot be written"),
        (["MODEL", "--output", "m.onnx", "--images", "empty"], 5, "empty: holds no picture"),
    ],
)
def test_what_is_wrong_is_said_before_the_work(
    tmp_path: Path,
    model: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    arguments: list[str],
    code: int,
    said: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "empty").mkdir()
    output = [] if "--output" in arguments else ["--output", "m.onnx"]
    assert main(["export", *(str(model) if word == "MODEL" else word for word in arguments), *output]) == code
    assert said in capsys.readouterr().err
    assert not list(tmp_path.glob("*.onnx*"))


@pytest.mark.slow  # the exporter takes half a minute for a network of any size
@pytest.mark.timeout(900)
def test_the_whole_way(tmp_path: Path, model: Path, network: DsMoe, capsys: pytest.CaptureFixture[str]) -> None:
    images, path = tmp_path / "images", tmp_path / "tiny.onnx"
    images.mkdir()
    pictures = list(drawn(SIDE_PX, 3))
    for number, picture in enumerate(pictures):
        write_png(images / f"{number}.png", picture[0])
    assert main(["export", str(model), "--output", str(path), "--images", str(images)]) == 0
    assert "opset 18; on 3 pictures torch and the file differ by at most" in capsys.readouterr().out
    assert sorted(item.name for item in tmp_path.iterdir()) == ["images", "tiny.onnx"]

    file = OnnxFile(path, threads=1)
    assert file.linewatch_classes() == CLASSES
    assert file.takes.dtype == np.uint8
    assert agreement(file, network, pictures).holds
    bias = network.get_parameter("head.0.logits.bias")
    bias.data += 0.1
    assert not agreement(file, network, pictures).holds
    bias.data -= 0.1

    section = {"kind": "onnx", "model": path, "output": "linewatch", "classes": CLASSES, "threads": 1}
    detector = OnnxDetector.open(Config.model_validate(section), channels=1)
    detector.warm_up()
    for picture in pictures:
        (found,) = detector.detect([picture[0]])
        with torch.no_grad():
            ((boxes, scores, labels),) = select(network(torch.from_numpy(picture[None])).raw)
        assert [d.label for d in found] == [CLASSES[label] for label in labels.tolist()]
        np.testing.assert_allclose([d.score for d in found], scores.numpy(), atol=1e-4)
        corners = [(d.x, d.y, d.x + d.width, d.y + d.height) for d in found]
        np.testing.assert_allclose(corners, boxes.numpy(), atol=1e-2)

    graph = onnx.load(path)
    assert [(opset.domain, opset.version) for opset in graph.opset_import] == [("", OPSET)]
    assert "weights_sha256" in json.dumps({prop.key: prop.value for prop in graph.metadata_props})
    assert experts_are_sparse(graph.graph)


def experts_are_sparse(graph: onnx.GraphProto) -> bool:
    """Whether one grouped convolution for each scale takes 3 of 8 experts' kernels, computed and not constant."""
    constants = {constant.name for constant in graph.initializer}
    shapes = {v.name: [d.dim_value for d in v.type.tensor_type.shape.dim] for v in graph.value_info}
    gathered = [node.input[1] for node in graph.node if node.op_type == "Conv" and node.input[1] not in constants]
    return [shapes.get(name) for name in gathered] == [[3 * 48, 1, 7, 7]] * 3
