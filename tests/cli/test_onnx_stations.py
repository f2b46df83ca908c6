"""A station whose detector is an ONNX file: checked, replayed, and inspected without torch."""

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from linewatch.cli import main
from linewatch.pictures.write import write_png
from linewatch.sim.gate import VirtualGate

SIDE_PX = 64
WriteStation = Callable[..., Path]
Run = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def network(tmp_path: Path) -> Path:
    """End-to-end detector: one `stone` whose score is the brightest pixel / 255; NaN where all is black."""
    make = helper.make_node
    nodes = [
        make("ReduceMax", ["images", "over"], ["brightest"], keepdims=0),
        make("Div", ["brightest", "brightest"], ["one"]),
        make("Mul", ["brightest", "one"], ["score"]),
        make("Unsqueeze", ["score", "axes"], ["column"]),
        make("Mul", ["column", "is_score"], ["scored"]),
        make("Add", ["scored", "box"], ["output0"]),
    ]
    constants = {
        "over": np.array([1, 2, 3], np.int64),
        "axes": np.array([1, 2], np.int64),
        "is_score": np.array([[[0, 0, 0, 0, 1, 0]]], np.float32),
        "box": np.array([[[8, 8, 24, 20, 0, 1]]], np.float32),
    }
    graph = helper.make_graph(
        nodes,
        "brightest",
        [helper.make_tensor_value_info("images", TensorProto.FLOAT, (1, 3, SIDE_PX, SIDE_PX))],
        [helper.make_tensor_value_info("output0", TensorProto.FLOAT, (1, 1, 6))],
        initializer=[numpy_helper.from_array(value, name) for name, value in constants.items()],
    )
    path = tmp_path / "own.onnx"
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=9), path)
    return path


@pytest.fixture
def write_onnx_station(write_station: WriteStation, network: Path) -> WriteStation:
    """`write_station` around the network; keywords `detector` and `rest` replace keys of its sections."""

    def write(detector: dict[str, Any] | None = None, **rest: Any) -> Path:
        section = {"kind": "onnx", "model": str(network), "output": "yolo_end_to_end", "classes": ["crack", "stone"]}
        return write_station(detector={**section, "threads": 1, **(detector or {})}, **rest)

    return write


def test_replay_with_a_network_of_ones_own(write_onnx_station: WriteStation, tmp_path: Path, run: Run) -> None:
    folder = tmp_path / "pictures"
    folder.mkdir()
    for name, grey in {"1-good": 60, "2-bad": 250, "3-black": 0, "4-good": 90}.items():
        write_png(folder / f"{name}.png", np.full((SIDE_PX, SIDE_PX), grey, np.uint8))
    station = write_onnx_station(acceptance=[{"class": "crack"}, {"class": "stone", "min_score": 0.9}])
    done = run("replay", folder, "--station", station, "--output", tmp_path / "out")
    assert done.returncode == 0, done.stderr
    lines = [json.loads(line) for line in (tmp_path / "out" / "decisions.jsonl").read_text().splitlines()]
    assert [line["cause"] for line in lines] == ["ok", "defect", "non_finite", "ok"]
    (found,) = lines[1]["detections"]
    assert (found["class"], found["x"], found["y"], found["width"], found["height"]) == ("stone", 8, 8, 16, 12)
    assert "own.onnx" in json.loads((tmp_path / "out" / "summary.json").read_text())["model"]


def test_such_a_station_is_checked(write_onnx_station: WriteStation, capsys: pytest.CaptureFixture[str]) -> None:
    with VirtualGate() as gate:
        assert main(["check", str(write_onnx_station(gate={"kind": "framed", "port": gate.path}))]) == 0
    said = capsys.readouterr()
    assert "error: " not in said.err
    assert "ok: detector: " in said.out


@pytest.mark.parametrize(
    ("detector", "said"),
    [
        ({"classes": ["stone"]}, "own.onnx: output0: '1': class numbers must be 0 to 0"),
        ({"output": "yolo"}, "own.onnx: output0: '(batch, 1, 6)': `output: yolo` with 2 classes must be (batch, 6, n)"),
        ({"model": "none.onnx"}, "none.onnx: is missing"),
        ({"input_px": 640}, "own.onnx: images: 640: is 64 px, not detector.input_px"),
        ({"output": "ssd"}, "detector.output: 'ssd': Input should be 'yolo'"),
        ({"clases": ["x"]}, "detector.clases: unknown key"),
        ({"kind": "tflite"}, "detector: Input tag 'tflite' found using 'kind' does not match"),
        ({"classes": ["a", "a"]}, "detector.classes: 'a' cannot be a class here"),
        ({"std": [1, 0, 1]}, "detector.std.1: 0: Input should be greater than 0"),
        ({"mean": [0.5]}, "detector.mean.1: Field required"),
        ({"device": "cuda"}, "detector.device: 'cuda': unknown key"),
    ],
)
def test_what_is_wrong_is_said_in_one_line(
    write_onnx_station: WriteStation, capsys: pytest.CaptureFixture[str], detector: dict[str, Any], said: str
) -> None:
    assert main(["check", "--offline", str(write_onnx_station(detector))]) == 3
    errors = [line for line in capsys.readouterr().err.splitlines() if line.startswith("error: ")]
    assert said in errors[0], errors


def test_a_criterion_for_a_class_that_the_network_lacks(
    write_onnx_station: WriteStation, capsys: pytest.CaptureFixture[str]
) -> None:
    station = write_onnx_station(acceptance=[{"class": "chip"}, {"class": "*"}])
    assert main(["check", "--offline", str(station)]) == 3
    assert "acceptance.0.class: 'chip': the model has no such class, only crack, stone" in capsys.readouterr().err


def test_its_inspector_loads_no_torch(write_onnx_station: WriteStation) -> None:
    told = (
        "import sys; from pathlib import Path; from linewatch.core.clock import MonotonicClock; "
        "from linewatch.core.station import load_station; from linewatch.inspection import start, process; "
        "from linewatch.inspection.inspector import assemble; station = load_station(Path(sys.argv[1])); "
        "detector = start.open_detector(station); assemble(station, detector, MonotonicClock(), ''); "
        "detector.warm_up(); print(sorted({'torch', 'torchvision', 'onnxruntime'} & set(sys.modules)))"
    )
    command = [sys.executable, "-c", told, str(write_onnx_station())]
    assert subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip() == "['onnxruntime']"
