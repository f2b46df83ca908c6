"""`shadow report`: how far the shadow agreed with the line, and every part on which it did not, with its picture."""

from collections import Counter
from pathlib import Path

import msgspec

from linewatch.core.errors import PictureError, StorageError
from linewatch.core.messages import Cause, Detection, Verdict
from linewatch.line.judging import strongest
from linewatch.pictures.read import read_picture
from linewatch.pictures.types import Picture
from linewatch.pictures.write import write_whole
from linewatch.records.decision_log import DecisionLine, read_decisions
from linewatch.records.model_of_run import model_of
from linewatch.replay.changes import Changes, Compared, changes_between, write_changes
from linewatch.shadow.log import ShadowLine, ShadowLog, read_shadow_log
from linewatch.training.part_level import Rate, wilson

AGREEMENT = "agreement.json"
IN_DOUBT = "in doubt"
SIDES = (Verdict.PASS.value, Verdict.REJECT.value, IN_DOUBT)


class Agreement(msgspec.Struct, frozen=True, kw_only=True):
    """How one run's shadow did.

    decided: parts of the run. seen: that the shadow inspected. gone: shown to it, but overwritten before it read them.
    busy, absent: not shown, as far as its log tells. cells: seen parts by the line's and then the shadow's judgement,
    each PASS, REJECT or `in doubt`. alike: of the parts that both judged; none without any.
    """

    run: str
    line_model: str
    shadow_models: tuple[str, ...]
    decided: int
    seen: int
    gone: int
    busy: int
    absent: int
    cells: dict[str, dict[str, int]]
    alike: Rate | None


def write_shadow_report(run: Path, output: Path) -> tuple[Agreement, Changes]:
    """agreement.json, and changes.jsonl and changes.html with every part on which the two judgements differ.

    output: made where it is not there; what it holds from before is replaced. Raises StorageError.
    """
    log = read_shadow_log(run)
    decided, compared = 0, dict[int, DecisionLine]()
    for line in read_decisions(run):
        decided += 1
        if line.seq in log.lines and log.lines[line.seq].both_judged:
            compared[line.seq] = line
    shadow = {seq: _as_decision(run, line, log.lines[seq]) for seq, line in compared.items()}
    changes = changes_between(compared, shadow)
    agreement = _agreement(run, log, decided, changes)
    models = agreement.line_model or "its model", ", ".join(log.models)
    sides = Compared(run, ("the line", "its shadow"), models, lambda _side, line: _picture(run, shadow[line.seq]))
    try:
        output.mkdir(parents=True, exist_ok=True)
    except OSError as exc:
        raise StorageError(output, exc.strerror or "cannot be made") from exc
    write_whole(output / AGREEMENT, msgspec.json.format(msgspec.json.encode(agreement), indent=2) + b"\n")
    write_changes(changes, sides, output)
    return agreement, changes


def _agreement(run: Path, log: ShadowLog, decided: int, changes: Changes) -> Agreement:
    lines = list(log.lines.values())
    counts = Counter((_side(one.line_cause), _side(one.cause)) for one in lines if one.cause is not None)
    alike = changes.compared - len(changes.changed)
    return Agreement(
        run=run.resolve().name,
        line_model=model_of(run),
        shadow_models=log.models,
        decided=decided,
        seen=counts.total(),
        gone=len(lines) - counts.total(),
        busy=max((one.busy for one in lines), default=0),
        absent=max((one.absent for one in lines), default=0),
        cells={side: {other: counts[side, other] for other in SIDES} for side in SIDES},
        alike=wilson(alike, changes.compared) if changes.compared else None,
    )


def _side(cause: Cause) -> str:
    return IN_DOUBT if cause.is_failsafe else (Verdict.PASS if cause is Cause.OK else Verdict.REJECT).value


def _as_decision(run: Path, decision: DecisionLine, line: ShadowLine) -> DecisionLine:
    """What the log would say, had the shadow decided; with its own picture where it kept one."""
    assert line.verdict is not None and line.cause is not None
    named = (
        strongest([Detection(*msgspec.structs.astuple(one)) for one in line.detections])
        if line.cause is Cause.DEFECT
        else None
    )
    kept = line.picture is not None and (run / line.picture).is_file()
    return msgspec.structs.replace(
        decision,
        verdict=line.verdict,
        cause=line.cause,
        reason=line.reason,
        score=0.0 if named is None else named.score,
        label="" if named is None else named.label,
        detections=line.detections,
        frame=line.picture if kept else decision.frame,
    )


def _picture(run: Path, line: DecisionLine) -> Picture | None:
    if line.frame is None:
        return None
    try:
        return read_picture(run / line.frame, grey=False)
    except PictureError:
        return None
