"""The daemon with an inspector that cannot start: `broken_line.py STATION`."""

import sys
from dataclasses import replace
from pathlib import Path

from linewatch.core.station import load_station
from linewatch.line.run import run
from linewatch.line.supervisor import standard_children

REFUSAL = "import sys; print('models/x: has no model.yaml', file=sys.stderr); sys.exit(4)"


def main() -> int:
    path = Path(sys.argv[1])
    children = standard_children(path, load_station(path))
    broken = (sys.executable, "-c", REFUSAL)
    return run(path, children=[replace(one, command=broken) if one.name == "inspector" else one for one in children])


if __name__ == "__main__":
    sys.exit(main())
