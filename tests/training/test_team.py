"""Several processes, one training: what they share, and that `train` under torchrun is the same command."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import torch
import yaml

from linewatch.dsmoe.weights import read_card
from linewatch.sim.dataset import write_dataset
from linewatch.sim.scene import CLASSES
from linewatch.training.run import STATE

PROJECT = Path(__file__).parents[2]
TEAM = """
import torch
from linewatch.training.team import Team
cpu = torch.device("cpu")
team = Team.join(cpu)
mine = [torch.full((2, 2), float(team.rank)), torch.tensor([10.0 * team.rank])]
team.average(mine)
assert [tensor.unique().tolist() for tensor in mine] == [[0.5], [5.0]], mine
assert team.gather(torch.tensor([[float(team.rank)]])).flatten().tolist() == [0.0, 1.0]
assert team.share(list("abcd")) == list("abcd")[team.rank::2]
assert team.any(team.rank == 1, cpu) and not team.any(False, cpu)
"""


def torchrun(*program: str) -> list[str]:
    return [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2", *program]


def config(folder: Path, batch: int, steps: int) -> Path:
    pictures = folder / "bottles"
    list(write_dataset(pictures, seed=5, count=12, size_px=96, defect_rate=0.6))
    document = {
        "model": str(PROJECT / "models/bottle-bottom"),
        "classes": list(CLASSES),
        "product": "rendered bottles",
        "licence": "none needed",
        "input_px": 96,
        "router": "text_ida",
        "mixture": {"steps": 2, "batch": 4, "memory": 8, "components": 2},
        "data": {
            "sources": [{"annotations": str(pictures / "annotations.json"), "images": str(pictures / "images")}],
            "validation_share": 0.4,
        },
        "augmentation": {"crop_px": 64},
        "schedule": {"steps": steps, "batch": batch, "warmup_steps": 1, "validate_every": 1000, "keep_every": 1},
    }
    path = folder / "train.yaml"
    path.write_text(yaml.safe_dump(document))
    return path


@pytest.mark.slow
def test_a_batch_that_cannot_be_shared_is_named(tmp_path: Path) -> None:
    path = config(tmp_path, batch=3, steps=1)
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "PYTHONPATH": str(PROJECT)}
    ended = subprocess.run(
        torchrun("-m", "linewatch", "train", str(path), "--output", str(tmp_path / "out"), "--device", "cpu"),
        env=environment, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert (
        ended.returncode != 0
        and "schedule.batch: 3: must be a multiple of the 2 processes that share it" in ended.stderr
    )


@pytest.mark.slow
def test_what_a_team_shares(tmp_path: Path) -> None:
    script = tmp_path / "team.py"
    script.write_text(TEAM)
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "PYTHONPATH": str(PROJECT)}
    ended = subprocess.run(torchrun(str(script)), env=environment, capture_output=True, text=True, check=False)
    assert ended.returncode == 0, ended.stderr


@pytest.mark.slow
def test_two_processes_train_one_model_and_go_on_after_a_stop(tmp_path: Path) -> None:
    path, output = config(tmp_path, batch=4, steps=400), tmp_path / "out"
    command = torchrun("-m", "linewatch", "train", str(path), "--output", str(output), "--device", "cpu")
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "PYTHONPATH": str(PROJECT)}
    team = subprocess.Popen(command, env=environment, stderr=subprocess.DEVNULL)
    until = time.monotonic() + 100
    while not (output / STATE).exists() and time.monotonic() < until:
        time.sleep(0.05)
    team.send_signal(signal.SIGTERM)
    assert team.wait(60) != 0
    stopped = torch.load(output / STATE, weights_only=True)["step"]
    assert 0 <= stopped < 400
    document = yaml.safe_load(path.read_text())
    document["schedule"]["steps"] = stopped + 2
    path.write_text(yaml.safe_dump(document))
    ended = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert ended.returncode == 0, ended.stderr
    assert ended.stdout.count("model, curve and state") == 1
    assert read_card(output).classes == CLASSES
    assert torch.load(output / STATE, weights_only=True)["step"] == stopped + 2
