"""`make bench-kills`: the real line under load while random children are killed and stopped, and every part is booked.

Real are the pty, the controller, the camera, inspector, recorder and rejecter processes, ZeroMQ, the decision log and
the signals; only the network is replaced by one that finds nothing. Ends with 1 when a part is missing, has two
decisions or somebody else's, or when the line did not recover within 15 s times --patience from a strike that came
alone.
"""

import argparse
import contextlib
import random
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import yaml
from rich.console import Console

from benchmarks.line.booking import Books, compare, faults
from benchmarks.line.kills_report import figures, print_tables, write_json
from benchmarks.line.rig import pictures
from benchmarks.line.strikes import Recovery, recoveries, strike_while
from linewatch.core.errors import LinewatchError
from linewatch.core.station import parse_station, read_yaml
from linewatch.demo.station_file import TEMPLATE
from linewatch.faults.line import FaultLine
from linewatch.faults.run import line_folders
from linewatch.faults.station_file import Layout, lay_out

SIDE_PX = 96
LIMIT_S = 15.0
SPARE = 2000  # pictures for the parts before and after the load
LATE_S = 5.0  # wire, rejecter and log may be behind by so much


def endure(line: FaultLine, given: argparse.Namespace) -> tuple[Books, list[Recovery], int | None]:
    """Drive the line while its children are struck, let it recover and end it, and compare everybody's books."""
    line.settle()
    load = line.gate.start(given.per_min, count=given.triggers, jitter=0.2)
    strikes = strike_while(load, line, random.Random(given.seed), given.every)
    line.until(line.all_decided, LATE_S)
    line.settle()
    line.until(line.newest_answered, LATE_S)
    line.follow(LATE_S)
    line.daemon.terminate()
    code = line.exit_code()
    heard = line.observer
    books = compare(line.gate.fired, heard.decisions, line.rejecter_book.path, line.output)
    return books, recoveries(strikes, heard.decisions, heard.events), code


def lay_out_folder_line(folder: Path, base: Path, triggers: int) -> Layout:
    """The fault suite's station with ready pictures: to render one for every part would take a core."""
    output = folder / "out"
    output.mkdir(exist_ok=True)
    layout = lay_out(TEMPLATE, folder / "station.yaml", base / "gate", output, null=True)
    document = read_yaml(layout.path)
    shown = pictures(folder, SIDE_PX, triggers + SPARE)
    document["camera"] = {"kind": "folder", "path": str(shown), "width": SIDE_PX, "height": SIDE_PX}
    layout.path.write_text(yaml.safe_dump(document, sort_keys=False), encoding="utf-8")
    return replace(layout, station=parse_station(document, layout.path))


def _count(text: str) -> int:
    if not text.isdecimal() or int(text) == 0:
        raise argparse.ArgumentTypeError(f"{text!r} is no whole number above 0")
    return int(text)


def _positive(text: str) -> float:
    with contextlib.suppress(ValueError):
        if 0 < (number := float(text)) < float("inf"):
            return number
    raise argparse.ArgumentTypeError(f"{text!r} is no number above 0")


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="make bench-kills", description=__doc__)
    parser.add_argument("--triggers", type=_count, default=20_000)
    parser.add_argument("--per-min", type=_positive, default=1200, help="pace")
    parser.add_argument("--every", type=_positive, default=8.0, help="seconds between two strikes, on average")
    parser.add_argument("--seed", type=int, default=1, help="of what is struck, how and when")
    parser.add_argument("--patience", type=_positive, default=1.0, help="multiplies the 15 s that a recovery may take")
    parser.add_argument("--output", type=Path, help="keep station file, logs and run folder in this new folder")
    parser.add_argument("--summary", type=Path, default=Path("runs/kills.json"), help="the figures as JSON")
    given = parser.parse_args(arguments)
    console = Console(width=120)
    try:
        with line_folders(given.output) as (folder, base):
            layout = lay_out_folder_line(folder, base, given.triggers)
            with FaultLine(folder, base, layout) as line:
                books, recovered, code = endure(line, given)
    except LinewatchError as exc:
        print(f"bench-kills: {exc}", file=sys.stderr)
        return exc.exit_code
    wrong, found = faults(books, recovered, LIMIT_S * given.patience, code), figures(books, recovered)
    print_tables(console, found, wrong)
    write_json(found, wrong, vars(given), given.summary)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
