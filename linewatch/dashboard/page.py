"""The page as it is at this moment: the board in words and numbers for people."""

from datetime import datetime
from statistics import median

from linewatch.core.wire import Status, WireDecision
from linewatch.dashboard.board import Board
from linewatch.dashboard.health import line_health, parts_health
from linewatch.dashboard.views import Bar, Page, Rate, Slack, Tone, Verdict

_BARS = 8


def page_of(board: Board) -> Page:
    """Everything that the page shows now."""
    now_ns = board.clock.now_ns()
    board.counts.turn(datetime.now().astimezone())
    hearing, counts = board.hearing, board.counts
    age_ns = hearing.age_ns(now_ns)
    reject_rate, failsafe_rate, in_a_row = _rates(board, hearing.status)
    return Page(
        station=board.station.name,
        line=line_health(board, now_ns),
        heard_ms=None if age_ns is None else round(age_ns / 1e6),
        run=hearing.run,
        last=None if hearing.last is None else _verdict(hearing.last, now_ns - hearing.last_ns),
        per_minute=hearing.per_minute(now_ns) if hearing.is_fresh(now_ns) else None,
        shift_since=f"{counts.since.astimezone(board.station.shifts.zone):%H:%M}",
        decided=counts.passed + counts.defects + counts.failsafe,
        passed=counts.passed,
        defects=counts.defects,
        failsafe=counts.failsafe,
        missed=hearing.missed,
        reject_rate=reject_rate,
        failsafe_rate=failsafe_rate,
        in_a_row=in_a_row,
        alarms=hearing.alarms_on() if hearing.is_fresh(now_ns) else (),
        pareto=_pareto(board),
        slack=_slack(board),
        health=parts_health(board, now_ns),
        use=_use(board),
        rejects=board.rejects.view(now_ns),
    )


def _verdict(decision: WireDecision, ago_ns: int) -> Verdict:
    tone: Tone = "doubt" if decision.cause.is_failsafe else "good" if decision.verdict == "PASS" else "reject"
    why = f"{decision.label} {decision.score:.2f}" if tone == "reject" and decision.label else ""
    if tone == "doubt":
        why = f"in doubt: {decision.cause.value}"
    return Verdict(decision.seq, decision.verdict.value, tone, why, round(ago_ns / 1e9, 1))


def _rates(board: Board, status: Status | None) -> tuple[Rate, Rate, Rate]:
    """As the line's own alarms count them."""
    limits = board.station.alarms
    on = () if status is None else status.alarms
    seen = (0.0, 0.0, 0) if status is None else (status.reject_rate, status.failsafe_rate, status.in_a_row)
    return (
        Rate(seen[0], limits.reject_rate, limits.reject_rate_parts, "reject_rate" in on),
        Rate(seen[1], limits.failsafe_rate, limits.failsafe_rate_parts, "failsafe_rate" in on),
        Rate(seen[2], limits.consecutive_rejects, 0, "consecutive_rejects" in on),
    )


def _pareto(board: Board) -> tuple[Bar, ...]:
    rows = [Bar(name, count, "doubt" if tone == "doubt" else "reject") for name, count, tone in board.counts.pareto()]
    if len(rows) <= _BARS:
        return tuple(rows)
    rest = rows[_BARS - 1 :]
    return (*rows[: _BARS - 1], Bar(f"{len(rest)} others", sum(row.count for row in rest), "unknown"))


def _slack(board: Board) -> Slack:
    recent = tuple(round(value, 1) for value in board.hearing.slack_ms)
    return Slack(
        deadline_ms=board.station.line.deadline_ms,
        recent=recent,
        middle=round(median(recent), 1) if recent else None,
        least=min(recent, default=None),
        stages=board.stage_medians(),
    )


def _use(board: Board) -> tuple[tuple[str, str], ...]:
    last, use = board.hearing.last, board.use
    model = use.model if last is None else last.model
    known = model == use.model and use.sha256
    return (
        ("model", f"{model} {use.sha256[:12]}" if known else model),
        ("recipe", board.station.recipe if last is None else last.recipe),
        ("calibration", use.calibration or "none: raw pixels"),
        ("run", board.hearing.run or "none"),
    )
