"""The rejecter's process: keys, log file, signals; and the command of the one that drives no device."""

import argparse
import signal
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TextIO

from linewatch.actuators.client import Client
from linewatch.actuators.confirmation import Confirmation
from linewatch.actuators.output import NoOutput, Output
from linewatch.actuators.rejecter import Rejecter
from linewatch.core.curve import ClientKeys
from linewatch.core.errors import LinewatchError, StorageError, UsageError

TOLERANCE_MS = 50.0
PULSE_MS = 50.0


def main(arguments: Sequence[str] | None = None) -> int:
    """Act on decisions until SIGTERM or Ctrl-C; returns the exit code."""
    options = _parser().parse_args(arguments)
    try:
        keys = read_keys(options.line_key, options.key)
        with Client(options.endpoint, options.station, options.name, keys=keys) as client:
            serve(client, NoOutput(), options.log, tolerance_ms=options.tolerance_ms)
    except LinewatchError as exc:
        print(exc, file=sys.stderr)
        return exc.exit_code
    return 0


def serve(
    client: Client,
    output: Output,
    log: Path | None,
    *,
    tolerance_ms: float,
    pulse_ms: float = PULSE_MS,
    confirm_ms: float | None = None,
) -> None:
    """Drive `output` by what `client` hears until SIGTERM or Ctrl-C; it is left rejecting, whatever ends this.

    log: JSON lines are appended here, none is standard output. Raises StorageError when it cannot be written.
    """
    stop_wanted: list[int] = []
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda number, _frame: stop_wanted.append(number))
    try:
        with _opened(log) as lines:
            confirmation = Confirmation(confirm_ms)
            rejecter = Rejecter(client, output, confirmation, lines, tolerance_ms=tolerance_ms, pulse_ms=pulse_ms)
            while not stop_wanted:
                rejecter.turn()
    finally:
        output.close()


def read_keys(line_public: Path | None, secret: Path | None) -> ClientKeys | None:
    """The keys in these files, none without any. Raises UsageError for one alone, KeysError."""
    if line_public is None and secret is None:
        return None
    if line_public is None or secret is None:
        raise UsageError("--line-key and --key", "belong together")
    return ClientKeys.read(line_public, secret)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m linewatch.actuators", description="A simulated rejecter.")
    parser.add_argument("--endpoint", required=True, help="the line's ROUTER, such as ipc:///run/x/actuators.sock")
    parser.add_argument("--station", required=True, help="name of the station whose decisions count")
    parser.add_argument("--name", default="rejecter", help="name to register as; one actuator a name")
    parser.add_argument("--line-key", type=Path, help="the line's server.pub, for a line on tcp")
    parser.add_argument("--key", type=Path, help="this client's own NAME.key, whose NAME.pub the line allows")
    parser.add_argument("--log", type=Path, help="JSON lines are appended here (default: standard output)")
    parser.add_argument("--tolerance-ms", type=float, default=TOLERANCE_MS, help="a later blow would hit another part")
    return parser


def _opened(path: Path | None) -> TextIO:
    if path is None:
        return open(1, "w", encoding="utf-8", closefd=False)
    try:
        return path.open("a", encoding="utf-8")
    except OSError as exc:
        raise StorageError(path, exc.strerror or "cannot be written") from exc
