"""`python -m benchmarks.accuracy`: run a plan to its end, in pieces if need be, and write its table."""

import signal
import sys
import time
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import typer

from benchmarks.accuracy.plan import Plan, load_plan, with_budget
from linewatch.core.errors import LinewatchError

PLANS = Path(__file__).parent / "plans"


def compare(
    plan: Annotated[Path | None, typer.Option(help="plan file; none is plans/full.yaml")] = None,
    quick: Annotated[bool, typer.Option("--quick", help="plans/quick.yaml: one set, short budget, for a CPU")] = False,
    output: Annotated[Path | None, typer.Option(help="folder of runs, states, table; none is runs/PLAN")] = None,
    device: Annotated[str, typer.Option(help="auto, cuda or cpu")] = "auto",
    threads: Annotated[int, typer.Option(min=0, help="CPU threads of torch; 0 leaves it to torch")] = 0,
    workers: Annotated[int, typer.Option(min=0, help="threads that cut crops ahead")] = 0,
    minutes: Annotated[float | None, typer.Option(help="stop after this time, state kept; run again to go on")] = None,
    steps: Annotated[int | None, typer.Option(min=1, help="another budget than the plan's")] = None,
    seeds: Annotated[str | None, typer.Option(help="other seeds than the plan's, as in 0,1,2")] = None,
    only_set: Annotated[list[str] | None, typer.Option(help="this set of the plan (may stand several times)")] = None,
    only: Annotated[list[str] | None, typer.Option(help="this network of the plan (may stand several times)")] = None,
    rounds: Annotated[int, typer.Option(min=0, help="interleaved runs for the latency, 2 or more; 0: none")] = 30,
    table_only: Annotated[
        bool, typer.Option("--table", help="write the table of what is finished, run nothing")
    ] = False,
) -> None:
    """Compare DS-MoE with other detectors. Exit code 0: all planned runs are finished; 1: some are not yet."""
    from benchmarks.accuracy.run import TABLE, Comparison, prepare

    if rounds == 1:
        raise typer.BadParameter("--rounds: one run has no spread; 2 or more, or 0")
    path = plan or PLANS / ("quick.yaml" if quick else "full.yaml")
    chosen = with_budget(load_plan(path), steps, _numbers(seeds))
    chosen = chosen.model_copy(update=_narrowed(chosen, only_set, only))
    machine = prepare(device, threads, workers, _stop_after(minutes))
    folder = output or Path("runs") / f"accuracy-{path.stem}"
    comparison = Comparison(chosen, folder, machine, lambda line: print(line, file=sys.stderr, flush=True))
    done = True
    if table_only:
        comparison.report()
    else:
        done = comparison.run(rounds)
    print((folder / TABLE).read_text(encoding="utf-8"))
    raise typer.Exit(0 if done else 1)


def _numbers(text: str | None) -> tuple[int, ...] | None:
    if text is None:
        return None
    try:
        return tuple(int(word) for word in text.split(","))
    except ValueError as exc:
        raise typer.BadParameter(f"--seeds must be whole numbers with commas between: {text!r}") from exc


def _narrowed(plan: Plan, sets: list[str] | None, variants: list[str] | None) -> dict[str, object]:
    """The parts of the plan that were asked for."""
    found: dict[str, object] = {}
    for key, wanted, have in (("sets", sets, plan.sets), ("variants", variants, plan.variants)):
        names = [item.name for item in have]
        for name in wanted or ():
            if name not in names:
                raise typer.BadParameter(f"the plan's {key} are {', '.join(names)}, not {name!r}")
        if wanted:
            found[key] = tuple(item for item in have if item.name in wanted)
    return found


def _stop_after(minutes: float | None) -> Callable[[], bool]:
    """A question that turns true after that time, or after SIGINT or SIGTERM."""
    asked: list[bool] = []
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: asked.append(True))
    end_ns = None if minutes is None else time.monotonic_ns() + int(minutes * 60e9)
    return lambda: bool(asked) or (end_ns is not None and time.monotonic_ns() > end_ns)


if __name__ == "__main__":
    warnings.filterwarnings("ignore", category=FutureWarning)  # peers call what torch has renamed
    try:
        typer.run(compare)
    except LinewatchError as exc:
        print(exc, file=sys.stderr)
        sys.exit(exc.exit_code)
