"""The table at the end of a demo run: what came, what was decided, whether it adds up, whether it was right."""

from collections.abc import Iterator

from rich.console import Console
from rich.table import Table
from rich.text import Text

from linewatch.demo.accounting import Account
from linewatch.demo.memory import Memory
from linewatch.demo.result import Result

_SHOWN_PARTS = 8

Row = tuple[str, str, str]


def print_table(console: Console, result: Result) -> None:
    """Figures on the left, what they mean on the right."""
    table = Table(box=None, show_header=False, padding=(0, 2), highlight=False)
    table.add_column(no_wrap=True)
    table.add_column(justify="right", no_wrap=True)
    table.add_column(style="dim", overflow="fold")
    for name, value, remark in rows(result):
        table.add_row(Text(name, style="" if name.startswith(" ") else "bold"), Text(value), Text(remark))
    console.print()
    console.print(table)
    console.print()


def rows(result: Result) -> Iterator[Row]:
    """Name, figure, remark; names of parts of a sum are indented."""
    yield from _sum(result.account)
    yield from _books(result)
    yield from _judgement(result)
    yield from _times(result)
    if result.conditions.memory is not None:
        yield from _memory(result.conditions.memory)


def _sum(account: Account) -> Iterator[Row]:
    yield "triggers", str(account.triggers), "bottles, as the gate counted them"
    yield "  pass", str(account.passed), ""
    yield "  reject, defect seen", str(account.reject_defect), ""
    yield "  reject, in doubt", str(sum(account.failsafe.values())), _causes(account)
    difference = account.triggers - account.decided
    yield "  sum", str(account.decided), "adds up" if difference == 0 else f"DOES NOT ADD UP: {difference} undecided"


def _books(result: Result) -> Iterator[Row]:
    account = result.account
    counts = ", ".join(f"{book.name} {len(book.entries)}" for book in result.witnesses.books)
    yield "missing", str(len(account.missing)), _parts(account.missing) or f"in three books: {counts}"
    yield "double", str(len(account.duplicates)), _parts(account.duplicates)
    yield "disputed", str(len(account.disputed)), _parts(account.disputed) or "the books name the same answers"
    if result.witnesses.blown_late:
        yield "blown too late", str(result.witnesses.blown_late), "the rejected part had passed the rejecter"
    if result.witnesses.doubts:
        yield "rejecter in doubt", str(result.witnesses.doubts), "times without a heartbeat for 250 ms: rejected all"
    warm_up = result.conditions.warm_up
    if warm_up is not None:
        verdict = "all accounted for" if warm_up.holds else "NOT all accounted for"
        yield "warm-up", str(warm_up.triggers), f"in no other figure; {verdict}"


def _judgement(result: Result) -> Iterator[Row]:
    judgement = result.judgement
    good = result.account.decided - judgement.defective
    yield "escapes", str(len(judgement.escapes)), _of(judgement.defective, "bottles with a defect", judgement.escapes)
    for name, tally in judgement.per_class.items():
        if tally.escaped:
            yield f"  {name}", str(tally.escaped), f"of {tally.parts} bottles that have one"
    yield "false rejects", str(len(judgement.false_rejects)), _of(good, "good bottles", judgement.false_rejects)


def _times(result: Result) -> Iterator[Row]:
    times, line = result.latency, result.conditions.station.line
    rest = f"p99 {times.p99_ms:.0f}, max {times.max_ms:.0f}, deadline {line.deadline_ms:g}"
    yield "trigger to decision", f"{times.p50_ms:.0f}", f"ms at p50; {rest}"


def _memory(memory: Memory) -> Iterator[Row]:
    each = ", ".join(f"{name} {mb:.0f}" for name, mb in memory.processes.items())
    counted = "shared pages counted once" if memory.proportional else "shared pages counted in each"
    yield "memory", f"{memory.total:.0f}", f"MB, {counted}"
    yield "  resident", f"{sum(memory.processes.values()):.0f}", f"MB, {each}"


def _causes(account: Account) -> str:
    return ", ".join(f"{cause.value} {count}" for cause, count in account.failsafe.items())


def _of(count: int, what: str, parts: tuple[int, ...]) -> str:
    return f"of {count} {what}" + (f": {_parts(parts)}" if parts else "")


def _parts(parts: tuple[int, ...]) -> str:
    more = f" and {len(parts) - _SHOWN_PARTS} more" if len(parts) > _SHOWN_PARTS else ""
    return " ".join(f"#{seq}" for seq in parts[:_SHOWN_PARTS]) + more
