"""Promises that several faults share, as judges."""

from collections.abc import Iterator

from linewatch.core.messages import Cause
from linewatch.faults.fault import Judge
from linewatch.faults.trial import Trial


def every(*judges: Judge) -> Judge:
    """All of these promises."""

    def judge(trial: Trial) -> Iterator[str]:
        for one in judges:
            yield from one(trial)

    return judge


def only(*causes: Cause) -> Judge:
    """Parts are rejected in doubt for these causes alone; without any, none is."""

    def judge(trial: Trial) -> Iterator[str]:
        for cause, count in trial.in_doubt.items():
            if cause not in causes:
                yield f"{count} parts were rejected as {cause.value}"

    return judge


def said(kind: str, text: str = "") -> Judge:
    """Observers hear an event of `kind` that begins with `text`."""

    def judge(trial: Trial) -> Iterator[str]:
        if not any(event.text.startswith(text) for event in trial.said(kind)):
            yield f"nobody was told: no event {kind}" + (f" '{text}'" if text else "")

    return judge


def logged(trial: Trial) -> Iterator[str]:
    """Every decision lies in the decision log."""
    if trial.unlogged:
        yield f"{trial.unlogged} decisions are in no log"
