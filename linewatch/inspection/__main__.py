"""`python -m linewatch.inspection STATION.yaml`: the inspector process, started by the line controller."""

import sys

from linewatch.core.child import run
from linewatch.inspection.start import serve

if __name__ == "__main__":
    sys.exit(run(serve))
