"""Clients with a key that is not allowed, without any, and with a wrong key of the line: none gets in."""

import os
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

from linewatch.core.keyfiles import PUBLIC, SECRET
from linewatch.core.keyring import SERVER
from linewatch.demo.processes import Process
from linewatch.faults.fault import Fault, Injected
from linewatch.faults.judging import every, only
from linewatch.faults.line import FaultLine
from linewatch.faults.rejecter_book import RejecterBook
from linewatch.faults.station_file import STRANGER
from linewatch.faults.trial import Trial

_KNOCK_S = 1.5
_START_S = 30.0
_REASONS = ("is not allowed", "without keys", "another public key for this line")  # as `handshake_refused` says them


def _knock(line: FaultLine) -> Injected:
    keys, since = line.station.security.folder, len(line.observer.events)
    secret, stranger, server = (str(keys / name) for name in (STRANGER + SECRET, STRANGER + PUBLIC, SERVER + PUBLIC))
    strangers = {
        "not-allowed": ("--line-key", server, "--key", secret),
        "keyless": (),
        "wrong-line": ("--line-key", stranger, "--key", secret),
    }
    books = [RejecterBook(line.folder / f"{name}.jsonl") for name in strangers]
    processes = [
        _start(line, name, keys, book.path) for (name, keys), book in zip(strangers.items(), books, strict=True)
    ]
    line.until(lambda: all(_told(line, since, reason) for reason in _REASONS), _START_S)
    line.follow(_KNOCK_S)
    broken = [f"{book.path.stem}: was let in" for book in books if not book.rejected_all(time.monotonic_ns())]
    for process in processes:
        process.stop()
    return Injected(
        time.monotonic_ns(), "clients with a key not allowed, with none, and with another line's", tuple(broken)
    )


def _start(line: FaultLine, name: str, keys: Sequence[str], log: Path) -> Process:
    command = [sys.executable, "-m", "linewatch.actuators", "--station", line.station.name, "--name", name, *keys]
    return line.spawn(name, [*command, "--endpoint", line.endpoint("actuators"), "--log", str(log)], os.environ)


def _told(line: FaultLine, since: int, reason: str) -> bool:
    return any(one.kind == "handshake_refused" and reason in one.text for one in line.observer.events[since:])


def _all_told(trial: Trial) -> Iterator[str]:
    for reason in _REASONS:
        if not any(reason in event.text for event in trial.said("handshake_refused")):
            yield f"nobody was told of a client that {reason!r}"


WRONG_KEY = Fault(
    "clients with wrong keys",
    "refused and told, each kind by its reason; they reject everything; the line and its rejecter go on",
    _knock,
    every(only(), _all_told),
    quick=True,
)
