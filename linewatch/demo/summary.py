"""The summary of a demo run, as JSON for other programs."""

import json
from dataclasses import asdict
from pathlib import Path

from linewatch.core.errors import StorageError
from linewatch.demo.accounting import Account
from linewatch.demo.figures import Speed
from linewatch.demo.memory import Memory
from linewatch.demo.result import Part, Result
from linewatch.demo.station_file import simulated_camera

_PROCESSES = ("controller", "camera", "inspector", "recorder")


def summary(result: Result) -> dict[str, object]:
    """The run in numbers: counts are parts, times are ms, memory is MB."""
    return {**_account(result), **_conditions(result), **_detail(result)}


def write_summary(path: Path, result: Result) -> None:
    """Raises StorageError."""
    try:
        path.write_text(json.dumps(summary(result), indent=2) + "\n", encoding="utf-8")
    except OSError as exc:
        raise StorageError(path, exc.strerror or "cannot be written") from exc


def _account(result: Result) -> dict[str, object]:
    account, judgement = result.account, result.judgement
    return {
        "triggers": account.triggers,
        "pass": account.passed,
        "reject_defect": account.reject_defect,
        "failsafe": {cause.value: count for cause, count in account.failsafe.items()},
        "missing": len(account.missing),
        "duplicates": len(account.duplicates),
        "disputed": len(account.disputed),
        "holds": result.holds,
        "escapes": len(judgement.escapes),
        "false_rejects": len(judgement.false_rejects),
        "latency_ms": {
            "p50": round(result.latency.p50_ms, 3),
            "p99": round(result.latency.p99_ms, 3),
            "max": round(result.latency.max_ms, 3),
        },
    }


def _conditions(result: Result) -> dict[str, object]:
    given = result.conditions
    camera = simulated_camera(given.station)
    return {
        "pace_per_min": given.pace_per_min,
        "seconds": round(given.seconds, 1),
        "deadline_ms": given.station.line.deadline_ms,
        "transport_ms": given.station.rejecter.transport_ms,
        "seed": camera.seed,
        "defect_rate": camera.defect_rate,
        "model": given.station.detector.model.name,
        "device": given.inspector,
        "output": str(given.folder),
        "run": None if result.witnesses.run_folder is None else result.witnesses.run_folder.name,
        "memory_mb": _memory(given.memory),
        "warm_up": _warm_up(given.warm_up, given.speed),
    }


def _detail(result: Result) -> dict[str, object]:
    judgement = result.judgement
    return {
        "defective": judgement.defective,
        "escaped_parts": list(judgement.escapes),
        "false_reject_parts": list(judgement.false_rejects),
        "missing_parts": list(result.account.missing),
        "duplicate_parts": list(result.account.duplicates),
        "disputed_parts": list(result.account.disputed),
        "rejecter_doubts": result.witnesses.doubts,
        "blown_late": result.witnesses.blown_late,
        "per_class": {name: asdict(tally) for name, tally in judgement.per_class.items()},
        "boxes": {name: asdict(tally) for name, tally in result.boxes.items()},
        "parts": [_part(part) for part in result.parts],
    }


def _part(part: Part) -> dict[str, object]:
    fields = asdict(part)
    return {"class" if name == "label" else name: value for name, value in fields.items()}


def _memory(memory: Memory | None) -> dict[str, object]:
    processes = dict.fromkeys(_PROCESSES, 0.0) | (memory.processes if memory else {})
    rounded: dict[str, object] = {name: round(mb, 1) for name, mb in processes.items()}
    counted = "proportional" if memory is not None and memory.proportional else "resident"
    return {**rounded, "total": round(memory.total if memory else 0.0, 1), "total_counts": counted}


def _warm_up(account: Account | None, speed: Speed | None) -> dict[str, object]:
    if account is None or speed is None:
        return {}
    return {
        "triggers": account.triggers,
        "missing": len(account.missing),
        "duplicates": len(account.duplicates),
        "part_ms": round(speed.part_ms, 1),
        "parts_per_s": round(speed.parts_per_s, 2),
    }
