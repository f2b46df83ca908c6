"""`python -m linewatch.faults.daemon STATION.yaml`: the real daemon with the null detector in its inspector's place."""

import dataclasses
import sys
from pathlib import Path

from linewatch.core.errors import LinewatchError
from linewatch.core.station import load_station
from linewatch.line.run import run
from linewatch.line.sequencer import INSPECTOR
from linewatch.line.supervisor import standard_children

_NULL_INSPECTOR = "linewatch.faults.null_inspector"


def main() -> int:
    """Run the line until SIGTERM; returns the exit code."""
    path = Path(sys.argv[1]).resolve()
    try:
        inspector = (sys.executable, "-m", _NULL_INSPECTOR, str(path))
        children = tuple(
            dataclasses.replace(child, command=inspector) if child.name == INSPECTOR else child
            for child in standard_children(path, load_station(path))
        )
        return run(path, children=children)
    except LinewatchError as exc:
        print(exc, file=sys.stderr)
        return exc.exit_code


if __name__ == "__main__":
    sys.exit(main())
