"""How long one picture takes: all networks in turn, round after round, so that a busy machine is busy for all."""

import statistics
import time
from collections.abc import Mapping
from pathlib import Path

import msgspec
import torch

from benchmarks.accuracy.subjects.subject import Subject
from linewatch.training.whole_file import write_whole


class Latency(msgspec.Struct, frozen=True):
    """ms from uint8 picture on the device to detections: median and quartiles of `rounds` runs."""

    median_ms: float
    lower_ms: float
    upper_ms: float
    rounds: int
    threads: int
    device: str


@torch.inference_mode()
def measure(
    subjects: Mapping[str, Subject], input_px: int, device: torch.device, device_name: str, rounds: int
) -> dict[str, Latency]:
    """Batch 1, eager, nothing folded or compiled. rounds: at least 2, after two that do not count."""
    picture = torch.randint(0, 256, (1, 1, input_px, input_px), dtype=torch.uint8, device=device)
    times_ms: dict[str, list[float]] = {name: [] for name in subjects}
    for subject in subjects.values():
        subject.network.eval()
    for number in range(rounds + 2):
        for name, subject in subjects.items():
            passed_ms = _once_ms(subject, picture, device)
            if number >= 2:
                times_ms[name].append(passed_ms)
    return {name: _summary(found, device_name) for name, found in times_ms.items()}


def _once_ms(subject: Subject, picture: torch.Tensor, device: torch.device) -> float:
    _wait(device)
    start_ns = time.monotonic_ns()
    subject.detect(picture)
    _wait(device)
    return (time.monotonic_ns() - start_ns) / 1e6


def _wait(device: torch.device) -> None:
    if device.type == "cuda":
        torch.cuda.synchronize(device)


def _summary(found: list[float], device_name: str) -> Latency:
    lower, median, upper = statistics.quantiles(found, n=4, method="inclusive")
    return Latency(median, lower, upper, len(found), torch.get_num_threads(), device_name)


def write(path: Path, found: Mapping[str, Mapping[str, Latency]]) -> None:
    """found: per set and variant."""
    write_whole(path, msgspec.json.format(msgspec.json.encode(found), indent=2) + b"\n")


def read(path: Path) -> dict[str, dict[str, Latency]]:
    """What `write` wrote; nothing where it did not."""
    return msgspec.json.decode(path.read_bytes(), type=dict[str, dict[str, Latency]]) if path.exists() else {}
