"""Every part in every book: the gate's, the wire's, the rejecter's and the decision log's."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks.line.strikes import Recovery, longest_without_s
from linewatch.core.messages import Cause
from linewatch.core.wire import WireDecision
from linewatch.demo.accounting import Account, balance
from linewatch.demo.books import read_witnesses
from linewatch.sim.gate import Fired


@dataclass(frozen=True)
class Books:
    """All books of one run, compared. account: wire and rejecter, each of which must have every part.

    log: the decision log, which may lack what was on its way to a recorder when it was killed. confused: decisions of
    another run, or dated before the trigger of their part. late_ms: how long after their deadlines timeouts were
    decided. seconds: first trigger to last. longest_without_s: the longest time between two inspected parts.
    """

    account: Account
    log: Account
    confused: int
    late_ms: tuple[float, ...]
    seconds: float
    longest_without_s: float


def compare(fired: Sequence[Fired], wire: Sequence[WireDecision], acts: Path, output: Path) -> Books:
    """fired: every trigger, in order. wire: as heard. acts: the rejecter's log. output: folder of the run folder.

    Raises StorageError for a damaged log.
    """
    run, counters = wire[-1].run, [part.counter for part in fired]
    heard, rejecter, log = read_witnesses(counters, wire, acts, output / run).books
    return Books(
        account=balance(counters, (heard, rejecter)),
        log=balance(counters, (log,)),
        confused=sum(
            one.run != run or one.seq > len(fired) or one.t_trigger_ns < fired[one.seq - 1].t_ns for one in wire
        ),
        late_ms=tuple((one.t_decision_ns - one.deadline_ns) / 1e6 for one in wire if one.cause is Cause.TIMEOUT),
        seconds=(fired[-1].t_ns - fired[0].t_ns) / 1e9,
        longest_without_s=longest_without_s(wire),
    )


def faults(books: Books, recoveries: Sequence[Recovery], limit_s: float, exit_code: int | None) -> list[str]:
    """What was promised and did not hold. limit_s: how long a recovery may take."""
    return [*_booked(books), *_recovered(recoveries, limit_s), *_ended(exit_code)]


def _booked(books: Books) -> Iterator[str]:
    account, log = books.account, books.log
    if not account.holds:
        yield (
            f"{len(account.missing)} parts missing, {len(account.duplicates)} double, {len(account.disputed)} disputed "
            "between wire and rejecter"
        )
    if log.duplicates or log.disputed:
        yield f"decision log: {len(log.duplicates)} parts double, {len(log.disputed)} with another gate counter"
    if books.confused:
        yield f"{books.confused} decisions of another run or from before their trigger"


def _recovered(recoveries: Sequence[Recovery], limit_s: float) -> Iterator[str]:
    for one in recoveries:
        if not one.alone and one.longest_s is not None:
            continue
        text = f"{one.strike.child} after {one.strike.act}"
        if one.longest_s is None:
            yield f"{text}: not recovered"
        elif one.longest_s > limit_s:
            yield f"{text}: recovered after {one.longest_s:.1f} s, {limit_s:g} s were promised"


def _ended(exit_code: int | None) -> Iterator[str]:
    if exit_code != 0:
        yield f"the daemon ended with {exit_code}"
