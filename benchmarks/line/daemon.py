"""The real daemon with the null inspector: `daemon.py STATION RUNTIME WORK_MS`; WORK_MS `model` keeps the real one."""

import dataclasses
import sys
from pathlib import Path

from linewatch.core.station import load_station
from linewatch.line.run import run
from linewatch.line.supervisor import standard_children

NULL = Path(__file__).with_name("null_inspector.py")


def main() -> int:
    station, runtime, work_ms = Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3]
    null = (sys.executable, str(NULL), str(station), work_ms)
    children = [
        dataclasses.replace(spec, command=null) if spec.name == "inspector" and work_ms != "model" else spec
        for spec in standard_children(station, load_station(station))
    ]
    return run(station, runtime=runtime, children=children)


if __name__ == "__main__":
    sys.exit(main())
