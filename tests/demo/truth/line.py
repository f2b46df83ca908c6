"""`linewatch run STATION`, its inspector replaced by one that knows the truth: `line.py STATION`."""

import sys
from dataclasses import replace
from pathlib import Path

from linewatch.core.errors import LinewatchError
from linewatch.core.station import load_station
from linewatch.line.run import run
from linewatch.line.supervisor import standard_children

INSPECTOR = Path(__file__).with_name("inspector.py")


def main() -> int:
    path = Path(sys.argv[1])
    children = [
        replace(spec, command=(sys.executable, str(INSPECTOR), str(path))) if spec.name == "inspector" else spec
        for spec in standard_children(path, load_station(path))
    ]
    try:
        return run(path, children=children)
    except LinewatchError as exc:
        print(exc, file=sys.stderr)
        return exc.exit_code


if __name__ == "__main__":
    sys.exit(main())
