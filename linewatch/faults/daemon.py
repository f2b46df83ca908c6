"""`python -m linewatch.faults.daemon STATION.yaml [--trained]`: the real daemon, with a recorder whose disk can fail.

Without --trained, the null detector is in its inspector's place.
"""

import dataclasses
import sys
from pathlib import Path

from linewatch.core.errors import LinewatchError
from linewatch.core.station import load_station
from linewatch.line.controller import RECORDER
from linewatch.line.run import run
from linewatch.line.sequencer import INSPECTOR
from linewatch.line.supervisor import standard_children

_RECORDER = {RECORDER: "linewatch.faults.failing_recorder"}
_NULL_INSPECTOR = {INSPECTOR: "linewatch.faults.null_inspector"}


def main() -> int:
    """Run the line until SIGTERM; returns the exit code."""
    path = Path(sys.argv[1]).resolve()
    try:
        modules = _RECORDER if "--trained" in sys.argv else _RECORDER | _NULL_INSPECTOR
        children = tuple(
            dataclasses.replace(child, command=(sys.executable, "-m", modules[child.name], str(path)))
            if child.name in modules
            else child
            for child in standard_children(path, load_station(path))
        )
        return run(path, children=children)
    except LinewatchError as exc:
        print(exc, file=sys.stderr)
        return exc.exit_code


if __name__ == "__main__":
    sys.exit(main())
