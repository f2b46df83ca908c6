"""The comparison as a Markdown table per set, which says itself what it rests on."""

import statistics
from collections.abc import Mapping, Sequence

from benchmarks.accuracy.latency import Latency
from benchmarks.accuracy.plan import Plan, SetPlan
from benchmarks.accuracy.results import Result

ENOUGH_SEEDS = 3

NotRun = Mapping[tuple[str, str], str]
"""Reason per set and variant of which a run could not be made."""

_HEAD = (
    "| network | seeds | mAP50:95 | mAP50 | parameters | GFLOPs | latency | learning rate | computes in |\n"
    "|---|---|---|---|---|---|---|---|---|"
)


def table(plan: Plan, results: Sequence[Result], latency: Mapping[str, Mapping[str, Latency]], not_run: NotRun) -> str:
    """results: the finished runs of `plan`."""
    parts = [f"# {plan.title}", _budget(plan, results)]
    for chosen in plan.sets:
        of_set = [result for result in results if result.set == chosen.name]
        parts.append(_of_set(plan, chosen, of_set, latency.get(chosen.name, {}), not_run))
    return "\n\n".join(parts) + "\n"


def _budget(plan: Plan, results: Sequence[Result]) -> str:
    schedule = plan.schedule
    seen = schedule.steps * schedule.batch
    lines = [
        f"All from random initialisation, on the same crops in the same order per seed: {schedule.steps} steps of "
        f"{schedule.batch} = {seen} crops, AdamW with {schedule.warmup_steps} steps of warm-up and a cosine to 1%, "
        f"weight decay {schedule.weight_decay}, EMA {schedule.ema_decay}; each network with its own published loss.",
        "mAP is COCO's on whole held-out pictures with the averaged weights of the last step (none is chosen by it): "
        "mean of the seeds ± their standard deviation.",
    ]
    if plan.short:
        lines.append("**Short budget: this says who starts faster, not who ends higher.**")
    devices, dates = (sorted({getattr(result, name) for result in results}) for name in ("device", "date"))
    if results:
        lines.append(f"Trained on: {', '.join(devices)}; {', '.join(dates)}.")
    return "\n".join(lines)


def _of_set(
    plan: Plan, chosen: SetPlan, results: Sequence[Result], latency: Mapping[str, Latency], not_run: NotRun
) -> str:
    lines = [f"## {chosen.name}"]
    if results:
        one = results[0]
        lines.append(
            f"{one.learnt_pictures} pictures learnt from; held out: {one.metrics.images} ({one.held_out_is}) with "
            f"{one.metrics.boxes} boxes of {len(one.classes)} classes; crops of {one.crop_px} px, pictures at "
            f"{one.input_px} px."
        )
    rows, missing = [], []
    for variant in plan.variants:
        runs = [result for result in results if result.variant == variant.name]
        if runs:
            rows.append((statistics.fmean(_map(r) for r in runs), _row(plan, runs, latency.get(variant.name))))
        else:
            missing.append(f"| {variant.name} | 0 of {len(plan.seeds)} | not run | | | | | | |")
    rows.sort(key=lambda row: -row[0])
    lines.append("\n".join([_HEAD, *(row for _, row in rows), *missing]))
    lines += [f"{name}: not run: {reason}" for (of, name), reason in not_run.items() if of == chosen.name]
    lines += [_latency_note(latency)] if latency else []
    lines += _part_level_notes(results) + _routing_notes(results)
    return "\n\n".join(lines)


def _map(result: Result) -> float:
    return result.metrics.map50_95 or 0.0


def _row(plan: Plan, runs: Sequence[Result], latency: Latency | None) -> str:
    one = runs[0]
    seeds = str(len(runs)) if len(runs) >= ENOUGH_SEEDS else f"**only {len(runs)}**"
    if len(runs) < len(plan.seeds):
        seeds += f" of {len(plan.seeds)}"
    took = "" if latency is None else f"{latency.median_ms:.1f} ({latency.lower_ms:.1f} to {latency.upper_ms:.1f})"
    cells = [
        one.variant, seeds, _spread([_map(r) for r in runs]), _spread([r.metrics.map50 or 0.0 for r in runs]),
        f"{one.parameters / 1e6:.2f} M", f"{one.gflops:.1f}", took, f"{one.learning_rate:g}",
        "bfloat16" if one.bf16 else "float32",
    ]  # fmt: skip
    return "| " + " | ".join(cells) + " |"


def _spread(values: Sequence[float]) -> str:
    if len(values) == 1:
        return f"{values[0]:.3f} (one seed)"
    return f"{statistics.fmean(values):.3f} ± {statistics.stdev(values):.3f}"


def _latency_note(latency: Mapping[str, Latency]) -> str:
    one = next(iter(latency.values()))
    return (
        f"Latency in ms: median and quartiles of {one.rounds} interleaved runs, batch 1, untrained weights, "
        f"eager, nothing folded; {one.device}, threads: {one.threads}. "
        "GFLOPs leave out bilinear sampling and elementwise work."
    )


def _part_level_notes(results: Sequence[Result]) -> list[str]:
    runs = [r for r in results if r.part_level is not None]
    if not runs:
        return []
    lines = ["Part level, at the threshold without an escape, chosen on these same parts (so a lower bound):", ""]
    lines += ["| network | seed | escapes | false rejects |", "|---|---|---|---|"]
    for run in runs:
        assert run.part_level is not None
        part = run.part_level
        escapes, rejects = f"{part.escapes} of {part.bad}", f"{part.false_rejects} of {part.good}"
        lines.append(f"| {run.variant} | {run.seed} | {escapes} | {rejects} |")
    return ["\n".join(lines)]


def _routing_notes(results: Sequence[Result]) -> list[str]:
    runs = [r for r in results if r.routing is not None]
    if not runs:
        return []
    lines = ["Routing on the held-out pictures (entropy in nats):", ""]
    lines += ["| network | seed | load coefficient of variation | entropy |", "|---|---|---|---|"]
    for run in runs:
        assert run.routing is not None
        lines.append(f"| {run.variant} | {run.seed} | {run.routing.load_cv:.3f} | {run.routing.entropy:.2f} |")
    return ["\n".join(lines)]
