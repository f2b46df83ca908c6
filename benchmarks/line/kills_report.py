"""What random kills did, as tables for people and as JSON for programs."""

import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from benchmarks.line.booking import Books
from benchmarks.line.strikes import ACTS, CHILDREN, Recovery

_COLUMNS = ("child", "signal", "strikes", "alone", "ready again, longest", "inspects again, longest")


def figures(books: Books, recoveries: Sequence[Recovery]) -> dict[str, Any]:
    """All figures; times in seconds where the name says nothing else."""
    account = books.account
    return {
        "triggers": account.triggers,
        "seconds": round(books.seconds, 1),
        "pass": account.passed,
        "reject": account.reject_defect + sum(account.failsafe.values()),
        "causes": {"ok": account.passed, "defect": account.reject_defect}
        | {cause.value: count for cause, count in account.failsafe.items()},
        "missing": len(account.missing),
        "double": len(account.duplicates),
        "disputed": len(account.disputed),
        "not_in_the_log": len(books.log.missing),
        "double_in_the_log": len(books.log.duplicates),
        "wrong_part": len(books.log.disputed) + books.confused,
        "longest_without_inspection_s": round(books.longest_without_s, 3),
        "timeouts_late_ms": {"count": len(books.late_ms), "most": max(books.late_ms, default=0.0)},
        "recovery": [_recovery(child, act, recoveries) for child in CHILDREN for act in ACTS],
    }


def _recovery(child: str, act: str, recoveries: Sequence[Recovery]) -> dict[str, Any]:
    """The times are those of strikes that came alone: no other strike came into their recovery, nor they into one."""
    of = [one for one in recoveries if (one.strike.child, one.strike.act) == (child, act)]
    alone = [one for one in of if one.alone]
    return {
        "child": child,
        "signal": act,
        "strikes": len(of),
        "alone": len(alone),
        "ready_again_s": _longest(one.ready_s for one in alone),
        "inspects_again_s": _longest(one.inspected_s for one in alone),
    }


def _longest(seconds: Iterable[float | None]) -> float | None:
    """None when one of them never came."""
    known = list(seconds)
    return None if None in known else round(max((one for one in known if one is not None), default=0.0), 3)


def print_tables(console: Console, found: Mapping[str, Any], wrong: Sequence[str]) -> None:
    """The account first, then what each child took to recover."""
    account = Table(box=None, show_header=False, highlight=False)
    for name in ("triggers", "pass", "reject", "missing", "double", "disputed", "wrong_part", "not_in_the_log"):
        account.add_row(name.replace("_", " "), str(found[name]))
    causes = ", ".join(f"{cause} {count}" for cause, count in found["causes"].items() if count)
    account.add_row("by cause", causes)
    late = found["timeouts_late_ms"]
    account.add_row("timeouts", f"{late['count']}, at most {late['most']:.1f} ms after their deadline")
    account.add_row("nothing inspected", f"{found['longest_without_inspection_s']:.1f} s at the longest")
    console.print(account)
    table = Table(*_COLUMNS, box=None, highlight=False)
    for row in found["recovery"]:
        table.add_row(
            *(str(row[name]) for name in ("child", "signal", "strikes", "alone")),
            *(_shown(row[name], row["alone"]) for name in ("ready_again_s", "inspects_again_s")),
        )
    console.print(table)
    for text in wrong:
        console.print(f"BROKEN  {text}", style="bold red", markup=False, highlight=False)


def _shown(seconds: float | None, alone: int) -> str:
    return "-" if not alone else "never" if seconds is None else f"{seconds:.1f} s"


def write_json(found: Mapping[str, Any], wrong: Sequence[str], given: Mapping[str, object], path: Path) -> None:
    """given: the command's arguments."""
    path.parent.mkdir(parents=True, exist_ok=True)
    arguments = {name: value if isinstance(value, int | float) else str(value) for name, value in given.items()}
    path.write_text(json.dumps({"arguments": arguments, **found, "broken": list(wrong)}, indent=1) + "\n")
