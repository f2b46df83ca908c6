"""The rejecter's command: arguments, log file, signals."""

import argparse
import signal
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TextIO

from linewatch.actuators.client import Client
from linewatch.actuators.rejecter import Rejecter
from linewatch.core.curve import ClientKeys
from linewatch.core.errors import LinewatchError, StorageError, UsageError


def main(arguments: Sequence[str] | None = None) -> int:
    """Act on decisions until SIGTERM or Ctrl-C; returns the exit code."""
    options = _parser().parse_args(arguments)
    stop_wanted: list[int] = []
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda number, _frame: stop_wanted.append(number))
    try:
        keys = _keys(options.line_key, options.key)
        with _log(options.log) as log, Client(options.endpoint, options.station, options.name, keys=keys) as client:
            rejecter = Rejecter(client, log, options.tolerance_ms)
            while not stop_wanted:
                rejecter.turn()
    except LinewatchError as exc:
        print(exc, file=sys.stderr)
        return exc.exit_code
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m linewatch.actuators", description="A simulated rejecter.")
    parser.add_argument("--endpoint", required=True, help="the line's ROUTER, such as ipc:///run/x/actuators.sock")
    parser.add_argument("--station", required=True, help="name of the station whose decisions count")
    parser.add_argument("--name", default="rejecter", help="name to register as; one actuator a name")
    parser.add_argument("--line-key", type=Path, help="the line's server.pub, for a line on tcp")
    parser.add_argument("--key", type=Path, help="this client's own NAME.key, whose NAME.pub the line allows")
    parser.add_argument("--log", type=Path, help="JSON lines are appended here (default: standard output)")
    parser.add_argument("--tolerance-ms", type=float, default=50.0, help="a later blow would hit another part")
    return parser


def _keys(line_public: Path | None, secret: Path | None) -> ClientKeys | None:
    if line_public is None and secret is None:
        return None
    if line_public is None or secret is None:
        raise UsageError("--line-key and --key", "belong together")
    return ClientKeys.read(line_public, secret)


def _log(path: Path | None) -> TextIO:
    if path is None:
        return open(1, "w", encoding="utf-8", closefd=False)
    try:
        return path.open("a", encoding="utf-8")
    except OSError as exc:
        raise StorageError(path, exc.strerror or "cannot be written") from exc
