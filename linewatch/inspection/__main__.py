"""`python -m linewatch.inspection STATION.yaml`: the inspector process, started by the line controller."""

import os
import sys

from linewatch.core.child import run
from linewatch.inspection.start import serve

if __name__ == "__main__":
    code = run(serve)
    sys.stderr.flush()
    os._exit(code)  # nothing is left to do, and taking torch apart would take another second or two
