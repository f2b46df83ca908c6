"""`python -m linewatch.cameras STATION.yaml`: the camera process, started by the line controller."""

import sys

from linewatch.cameras.process import serve
from linewatch.core.child import run

if __name__ == "__main__":
    sys.exit(run(serve))
