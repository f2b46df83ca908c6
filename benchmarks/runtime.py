"""One picture, one thread, three runtimes on the CPU: what inspects it soonest, and what the experts cost.

Compares, for each model folder, at batch 1 and the card's input size, from uint8 pixels to the raw outputs:
    torch bf16   the network as the inspector runs it on a CPU: convolution and batch norm fused, bf16 autocast
    torch fp32   the same without autocast
    onnx fp32    the file that `linewatch export` writes (with its TopK), in ONNX Runtime
and, alone, the router and the sparse experts of the finest scale for k = 1, 2, 3, 4 and 8 of 8 experts, and for
N_e = 4, 8, 16 and 32 experts (random weights), with 2 at work and with floor(log2 N_e).

The three take turns, so that whatever else the machine does falls on all alike. CPU time is what one thread worked,
wall time what passed; on a shared core only the first says anything of the runtime. Median, and the middle half.

    python -m benchmarks.runtime [MODEL ...] [--repeats N] [--exports FOLDER]
"""

import argparse
import os
import statistics
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import cast

os.environ["OMP_NUM_THREADS"] = "1"  # before torch reads it

import torch

from linewatch.dsmoe.experts import SparseExperts
from linewatch.dsmoe.pyramid import STRIDES
from linewatch.dsmoe.routing import Routing, TextRouter
from linewatch.dsmoe.weights import LoadedModel, load_model
from linewatch.export.command import export
from linewatch.export.graph import OPSET
from linewatch.export.pictures import drawn
from linewatch.inspection.onnx_file import OnnxFile

Run = Callable[[], object]
ACTIVE = (1, 2, 3, 4, 8)
NUMBERS = (4, 8, 16, 32)


class Experts(torch.nn.Module):
    """What routing and experts do at one scale, given the aligned map."""

    def __init__(self, router: TextRouter, experts: SparseExperts, anchors: torch.Tensor) -> None:
        super().__init__()
        self.router, self.experts = router, experts
        self.register_buffer("anchors", anchors)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        routing: Routing = self.router(x, self.anchors)
        refined: torch.Tensor = x + self.experts(x, routing)
        return refined


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("models", nargs="*", type=Path, default=[Path("models/bottle-bottom"), Path("models/deeppcb")])
    parser.add_argument("--repeats", type=int, default=30)
    parser.add_argument("--exports", type=Path, default=Path("scratch/exports"), help="where ONNX files are kept")
    given = parser.parse_args()
    torch.set_num_threads(1)
    given.exports.mkdir(parents=True, exist_ok=True)
    print(f"torch {torch.__version__}, opset {OPSET}, one thread, {given.repeats} turns; ms")
    for folder in given.models:
        model = load_model(folder)
        print(f"\n{model.card.name}, {model.card.input_size} px")
        show(timed(networks(model, exported(folder, given.exports, model.card.sha256)), given.repeats))
    print(f"\nrouter and experts of stride {STRIDES[0]} alone, {model.card.name}, fp32")
    show(timed(experts(model, given.exports), given.repeats))
    print("\nthe same for other numbers of experts, random weights, torch fp32")
    show(timed(numbers(model), given.repeats))


def exported(folder: Path, exports: Path, sha256: str) -> Path:
    """The model as ONNX; written anew only when the weights are others."""
    path = exports / f"{folder.name}-{sha256[:12]}.onnx"
    if not path.exists():
        export(folder, path)
    return path


def networks(model: LoadedModel, path: Path) -> dict[str, Run]:
    """The three runtimes on one picture."""
    picture = next(drawn(model.card.input_size))[None]
    pixels, file = torch.from_numpy(picture), OnnxFile(path, threads=1)

    def plain() -> object:
        with torch.inference_mode():
            return model.network(pixels)

    def autocast() -> object:
        with torch.inference_mode(), torch.autocast("cpu", torch.bfloat16):
            return model.network(pixels)

    return {"torch bf16": autocast, "torch fp32": plain, "onnx fp32": lambda: file.run(picture)}


def experts(model: LoadedModel, exports: Path) -> dict[str, Run]:
    """Routing and experts of the finest scale for each k, in torch and in ONNX Runtime, on the same random map."""
    router, sparse = cast(TextRouter, model.network.router[0]), cast(SparseExperts, model.network.experts[0])
    scale = Experts(router, sparse, model.network.text()).eval()
    side = model.card.input_size // STRIDES[0]
    x = torch.randn(1, model.card.architecture.width, side, side)
    runs: dict[str, Run] = {}
    for active in ACTIVE:
        scale.router.active = active
        path = exports / f"experts-{active}.onnx"
        with torch.no_grad():
            torch.onnx.export(scale, (x,), path, input_names=["x"], opset_version=OPSET, dynamo=True, verbose=False)
        runs[f"torch k={active}"] = partial(routed, scale, active, x)
        runs[f"onnx k={active}"] = partial(OnnxFile(path, threads=1).run, x.numpy())
    return runs


def numbers(model: LoadedModel) -> dict[str, Run]:
    """Routing and experts of the finest scale for each N_e: with two experts at work, and with floor(log2 N_e)."""
    shape = model.card.architecture
    side = model.card.input_size // STRIDES[0]
    x, anchors = torch.randn(1, shape.width, side, side), model.network.text()
    runs: dict[str, Run] = {}
    for count in NUMBERS:
        router = TextRouter(shape.width, shape.dimension, count)
        scale = Experts(router, SparseExperts(shape.width, shape.dimension, count), anchors).eval()
        for active in sorted({2, router.active}):
            runs[f"N_e={count} k={active}"] = partial(routed, scale, active, x)
    return runs


def routed(scale: Experts, active: int, x: torch.Tensor) -> torch.Tensor:
    scale.router.active = active
    with torch.inference_mode():
        refined: torch.Tensor = scale(x)
    return refined


def timed(runs: dict[str, Run], repeats: int) -> dict[str, list[tuple[float, float]]]:
    """CPU and wall time of each turn, ms; two turns before the first that counts."""
    times: dict[str, list[tuple[float, float]]] = {name: [] for name in runs}
    for turn in range(-2, repeats):
        for name, run in runs.items():
            cpu_ns, wall_ns = time.process_time_ns(), time.monotonic_ns()
            run()
            took = (time.process_time_ns() - cpu_ns) / 1e6, (time.monotonic_ns() - wall_ns) / 1e6
            if turn >= 0:
                times[name].append(took)
    return times


def show(times: dict[str, list[tuple[float, float]]]) -> None:
    first = statistics.median(cpu for cpu, _ in next(iter(times.values())))
    print(f"  {'':14}{'CPU':>8}{'middle half':>18}{'of the first':>14}{'wall':>9}{'middle half':>18}")
    for name, took in times.items():
        cpu, wall = ([turn[column] for turn in took] for column in (0, 1))
        ratio = f"{statistics.median(cpu) / first:.2f}"
        print(f"  {name:14}{spread(cpu)}{ratio:>14} {spread(wall)}")


def spread(values: list[float]) -> str:
    low, middle, high = statistics.quantiles(values, n=4)
    return f"{middle:8.1f}{f'{low:.1f} to {high:.1f}':>18}"


if __name__ == "__main__":
    main()
