"""Load, entropy and the map of experts, on routings that can be worked out by hand, and from the command's own path."""

import json
import math
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from linewatch.core.errors import DatasetError
from linewatch.dsmoe.network import Architecture, DsMoe
from linewatch.dsmoe.routing import Routing
from linewatch.dsmoe.weights import save_model
from linewatch.training.annotations import Annotations, Box, Picture
from linewatch.training.evaluating import evaluate_model
from linewatch.training.routing_figures import RoutingLog, routing_figures
from linewatch.training.routing_map import draw_routing_map


def truth(*labels: tuple[int, ...]) -> Annotations:
    pictures = (
        Picture(Path(f"{n}.png"), 64, 64, str(n), tuple(Box(label, 1, 1, 5, 5) for label in some))
        for n, some in enumerate(labels)
    )
    return Annotations(("dent", "stain"), tuple(pictures))


def log(chosen: list[list[int]], gates: list[list[float]], probabilities: list[list[float]]) -> RoutingLog:
    made = RoutingLog()
    for scale in made.scales:  # one picture at a time, as the evaluation runs
        scale.extend(
            Routing(torch.tensor([c]), torch.tensor([g]).float(), torch.tensor([p]).float(), torch.zeros(1, 2))
            for c, g, p in zip(chosen, gates, probabilities, strict=True)
        )
    return made


def test_figures_by_hand() -> None:
    taken = log([[0, 1], [1, 0], [2, 3]], [[0.75, 0.25], [1, 0], [0.5, 0.5]], [[0.25] * 4, [0, 1.0, 0, 0], [0.25] * 4])
    figures = routing_figures(truth((0, 0, 1), (1,), ()), taken, "ida")
    scale = figures.scales[0]
    assert figures.pictures == 3 and figures.rows == ["dent", "stain", "no defect"]
    assert scale.load == pytest.approx([1 / 5, 2 / 5, 1 / 5, 1 / 5])  # gate 0 is no work
    assert scale.load_cv == pytest.approx(math.sqrt(3) / 5)
    assert scale.entropy == pytest.approx(math.log(4) * 2 / 3)
    assert scale.experts_working == pytest.approx(5 / 3)
    assert scale.serves[0] == pytest.approx([0.75, 0.25, 0, 0])
    assert scale.serves[1] == pytest.approx([0.375, 0.625, 0, 0])
    assert scale.serves[2] == pytest.approx([0, 0, 0.5, 0.5])


def test_a_row_without_pictures_is_none_and_drawn_empty(tmp_path: Path) -> None:
    figures = routing_figures(truth((0,)), log([[0]], [[1.0]], [[0.5, 0.5]]), "text")
    assert figures.scales[0].serves[1:] == [None, None]
    draw_routing_map(figures, tmp_path / "map.png")
    assert (tmp_path / "map.png").stat().st_size > 5000


def test_routings_that_do_not_fit_the_pictures_are_refused() -> None:
    with pytest.raises(DatasetError, match="1 routings"):
        routing_figures(truth((0,), (1,)), log([[0]], [[1.0]], [[0.5, 0.5]]), "text")
    with pytest.raises(DatasetError, match="0 routings"):
        routing_figures(truth(), RoutingLog(), "text")


@pytest.mark.slow
def test_evaluation_writes_figures_and_map(tmp_path: Path) -> None:
    torch.manual_seed(0)
    architecture = Architecture(2, width=16, router="ida", components=2)
    save_model(tmp_path / "m", DsMoe(architecture), architecture, {"name": "m", "classes": ["a", "b"], "input_px": 64})
    images = []
    for number in range(2):
        pixels = np.random.default_rng(number).integers(0, 256, (64, 64), dtype=np.uint8)
        Image.fromarray(pixels).save(tmp_path / f"{number}.png")
        images.append({"id": number + 1, "file_name": f"{number}.png", "width": 64, "height": 64})
    box = {"id": 1, "image_id": 1, "category_id": 1, "bbox": [5, 5, 20, 20], "area": 400, "iscrowd": 0}
    categories = [{"id": 1, "name": "a"}, {"id": 2, "name": "b"}]
    coco = tmp_path / "coco.json"
    coco.write_text(json.dumps({"images": images, "annotations": [box], "categories": categories}))
    evaluate_model(tmp_path / "m", coco, tmp_path, tmp_path / "result.json", device="cpu", routing=tmp_path / "r")
    written = json.loads((tmp_path / "r/routing.json").read_text())
    assert written["router"] == "ida" and written["pictures"] == 2
    assert [scale["stride"] for scale in written["scales"]] == [8, 16, 32]
    assert all(sum(scale["load"]) == pytest.approx(1) for scale in written["scales"])
    assert (tmp_path / "r/routing.png").stat().st_size > 5000
