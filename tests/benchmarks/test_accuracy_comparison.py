"""Accuracy compared on generated pictures: finished runs stay finished, stopped ones go on, the table is honest."""

from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path

import pytest
import torch
import yaml

from benchmarks.accuracy.data import Batches, load_data
from benchmarks.accuracy.measuring import gflops
from benchmarks.accuracy.plan import Plan, Variant, load_plan, with_budget
from benchmarks.accuracy.results import key_of
from benchmarks.accuracy.run import TABLE, Comparison, Machine
from benchmarks.accuracy.subjects import build
from benchmarks.accuracy.subjects.boxes import cornered
from benchmarks.accuracy.subjects.subject import Batch
from benchmarks.accuracy.training import parameter_groups
from linewatch.core.errors import DatasetError
from linewatch.sim.dataset import write_dataset
from linewatch.sim.scene import CLASSES
from linewatch.training.config import load_config
from linewatch.training.trainer import to_tensors

PROJECT = Path(__file__).parents[2]
CPU = torch.device("cpu")
MIXTURE = {"steps": 3, "batch": 2, "memory": 8, "components": 2}


@pytest.fixture(scope="module")
def bottles(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("compared")
    list(write_dataset(folder, seed=5, count=10, size_px=96, defect_rate=0.6))
    config = {
        "model": str(PROJECT / "models/bottle-bottom"),
        "classes": list(CLASSES),
        "product": "rendered bottles",
        "licence": "none needed",
        "input_px": 64,
        "mixture": MIXTURE,
        "data": {
            "sources": [{"annotations": str(folder / "annotations.json"), "images": str(folder / "images")}],
            "validation_share": 0.4,
        },
    }
    (folder / "train.yaml").write_text(yaml.safe_dump(config))
    return folder


@pytest.fixture
def plan(bottles: Path, tmp_path: Path) -> Plan:
    document = {
        "title": "Two small networks",
        "short": True,
        "seeds": [0],
        "schedule": {"steps": 2, "batch": 2, "warmup_steps": 1, "keep_every": 1},
        "variants": [
            {"name": "ours", "family": "dsmoe", "architecture": {"width": 32, "experts": 4, "geometry": False}},
            {"name": "probe", "family": "probe", "architecture": {"width": 32}},
        ],
        "sets": [
            {
                "name": "bottles",
                "config": str(bottles / "train.yaml"),
                "input_px": 64,
                "augmentation": {"crop_px": 64},
            }
        ],
    }
    path = tmp_path / "plan.yaml"
    path.write_text(yaml.safe_dump(document))
    return load_plan(path)


def comparison(plan: Plan, folder: Path, stop: Callable[[], bool] = lambda: False) -> tuple[Comparison, list[str]]:
    said: list[str] = []
    return Comparison(plan, folder, Machine(CPU, 0, stop), said.append), said


@pytest.mark.slow
def test_stopped_and_taken_up_again_gives_one_table(plan: Plan, tmp_path: Path) -> None:
    folder = tmp_path / "out"
    asked = iter([False, False, True, True])  # before the first run, before its first step, before its second
    first, said = comparison(plan, folder, lambda: next(asked))
    assert not first.run(rounds=0)
    assert "stopped after step 1" in said[-1]
    assert "| ours | 0 of 1 | not run |" in (folder / TABLE).read_text()
    assert len(list((folder / "states").iterdir())) == 1

    second, said = comparison(plan, folder)
    assert second.run(rounds=2)
    assert any("ours" in line and "from step 1 of 2" in line for line in said)
    assert not list((folder / "states").iterdir())
    text = (folder / TABLE).read_text()
    assert "2 steps of 2 = 4 crops" in text and "Short budget" in text
    assert text.count("**only 1**") == 2 and text.count("(one seed)") == 4
    assert "held out: 4 (validation part)" in text and "2 interleaved runs" in text
    assert "load coefficient of variation" in text and "Part level" in text
    assert (folder / "accuracy.png").stat().st_size > 1000 and (folder / "routing.png").stat().st_size > 1000

    finished = {path: path.stat().st_mtime_ns for path in (folder / "runs").iterdir()}
    third, said = comparison(plan, folder)
    assert third.run(rounds=2) and not said
    assert {path: path.stat().st_mtime_ns for path in (folder / "runs").iterdir()} == finished


@pytest.mark.slow
def test_a_router_that_learns_apart_is_taken_up_where_it_stopped(plan: Plan, tmp_path: Path) -> None:
    architecture = {"width": 32, "router": "ida", "experts": 4, "components": 2}
    ida = Variant.model_validate({"name": "ida", "family": "dsmoe", "architecture": architecture})
    only = plan.model_copy(update={"variants": (ida,)})
    folder = tmp_path / "out"
    asked = iter([False, False, True])
    assert not comparison(only, folder, lambda: next(asked))[0].run(rounds=0)
    state = torch.load(next((folder / "states").iterdir()), weights_only=True)
    assert state["step"] == 1 and state["beside"]["step"] == MIXTURE["steps"] + 1
    assert comparison(only, folder)[0].run(rounds=0)
    assert "| ida | 0 |" in (folder / TABLE).read_text()  # its routing


@pytest.mark.slow
def test_a_network_that_diverges_is_named_in_the_table_and_the_others_go_on(plan: Plan, tmp_path: Path) -> None:
    wild = plan.variants[1].model_copy(update={"name": "wild", "learning_rate": 1e30})
    schedule = plan.schedule.model_copy(update={"steps": 4, "clip_norm": 1e30, "warmup_steps": 0})
    both = plan.model_copy(update={"variants": (wild, plan.variants[1]), "schedule": schedule})
    compared, _ = comparison(both, tmp_path / "out")
    assert compared.run(rounds=0)
    text = (tmp_path / "out" / TABLE).read_text()
    assert "wild: not run: step" in text and "loss is not finite" in text and "| probe | **only 1** |" in text


def test_another_budget_is_another_run_and_fewer_steps_are_short(plan: Plan) -> None:
    chosen, variant = plan.sets[0], plan.variants[0]
    long = plan.model_copy(update={"short": False})
    less = with_budget(long, steps=1, seeds=(0, 1))
    assert less.short and less.seeds == (0, 1) and not long.short
    assert key_of(long, chosen, variant, 0).digest != key_of(less, chosen, variant, 0).digest
    kept_oftener = long.model_copy(update={"schedule": long.schedule.model_copy(update={"keep_every": 7})})
    assert key_of(long, chosen, variant, 0) == key_of(kept_oftener, chosen, variant, 0)


def test_an_option_left_off_is_no_part_of_a_run_and_one_in_use_is(plan: Plan) -> None:
    variant = plan.variants[0]

    def digest(**rules: object) -> str:
        said = plan.sets[0].model_dump() | {"augmentation": {"crop_px": 64, **rules}}
        return key_of(plan, type(plan.sets[0]).model_validate(said), variant, 0).digest

    assert digest() == digest(thin_out=0.0, paste=0.0)
    assert digest() != digest(thin_out=0.5, two_level=True)


def test_threads_that_cut_ahead_change_nothing(plan: Plan) -> None:
    data = load_data(plan.sets[0])
    alone, ahead = (Batches(data, plan.sets[0], 3, 2, workers) for workers in (0, 2))
    for step in range(4):
        for one, other in zip(alone.at(step), ahead.at(step), strict=True):
            assert (one.pixels == other.pixels).all() and (one.boxes == other.boxes).all()
    ahead.close()


def test_an_unknown_field_of_the_architecture_is_named(plan: Plan) -> None:
    variant = Variant(name="x", family="dsmoe", architecture={"routr": "ida"})
    with pytest.raises(DatasetError, match="routr"):
        build(variant, load_data(plan.sets[0]), 0, "fp32", CPU)


def test_the_projects_plans_are_sound() -> None:
    for path in sorted((PROJECT / "benchmarks/accuracy/plans").glob("*.yaml")):
        for chosen in load_plan(path).sets:
            assert load_config(PROJECT / chosen.config).classes
    for path in (PROJECT / "models").glob("*/train.yaml"):
        assert load_config(path).schedule.steps > 0


def test_an_encoder_of_several_rates_is_refused(tmp_path: Path) -> None:
    text = (PROJECT / "benchmarks/accuracy/plans/quick.yaml").read_text()
    path = tmp_path / "plan.yaml"
    path.write_text(text.replace("learning_rate: 1.2e-3", "learning_rate: 1.2e-3, layer_decay: 0.8", 1))
    with pytest.raises(DatasetError, match="one learning rate"):
        load_plan(path)


@pytest.mark.parametrize("variant", [0, 1])
def test_the_encoder_alone_learns_at_its_rate(plan: Plan, variant: int) -> None:
    schedule = plan.schedule.model_copy(update={"encoder_rate": 0.25})
    subject = build(plan.variants[variant], load_data(plan.sets[0]), 0, "fp32", CPU)
    assert subject.encoder is not None
    groups = parameter_groups(subject, schedule)
    slow = {id(value) for group in groups if group["scale"] == 0.25 for value in group["params"]}
    assert slow == {id(value) for value in subject.encoder.parameters() if value.requires_grad}
    learns = [value for value in subject.network.parameters() if value.requires_grad]
    assert sum(len(group["params"]) for group in groups) == len(learns)


def test_corners_and_centres() -> None:
    assert cornered(torch.tensor([[5.0, 6.0, 2.0, 4.0]])).tolist() == [[4.0, 4.0, 6.0, 8.0]]


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::FutureWarning", "ignore::DeprecationWarning", "ignore::UserWarning")
@pytest.mark.parametrize(
    ("family", "module", "architecture"),
    [
        ("yolov8", "ultralytics", {"size": "n"}),
        ("yolox", "yolox", {"size": "s"}),
        ("dfine", "transformers", {"queries": 10}),
    ],
)
def test_a_peer_learns_from_the_same_crops(
    plan: Plan, family: str, module: str, architecture: dict[str, object]
) -> None:
    if find_spec(module) is None:
        pytest.skip(f"{module} is not installed (pip install -r benchmarks/accuracy/requirements.txt)")
    data = load_data(plan.sets[0])
    variant = Variant.model_validate({"name": family, "family": family, "architecture": architecture})
    subject = build(variant, data, 0, "fp32", CPU)
    optimiser = torch.optim.AdamW(subject.network.parameters(), lr=1e-3)
    batch = Batch(*to_tensors(Batches(data, plan.sets[0], 0, 4, 0).at(0), CPU))
    subject.network.train()
    losses = []
    for _ in range(8):
        loss = subject.loss(batch)
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        losses.append(float(loss.detach()))
    assert min(losses[-3:]) < losses[0]
    subject.network.eval()
    with torch.inference_mode():
        boxes, scores, labels = subject.detect(batch.pictures[:1])[0]
    assert boxes.shape == (len(scores), 4) and len(labels) == len(scores) <= 100
    assert gflops(subject, 64, CPU) > 0 and subject.parameters() > 1e6
