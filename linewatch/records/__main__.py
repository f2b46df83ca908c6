"""`python -m linewatch.records STATION.yaml [--recording DIR]`: the recorder process, the controller's child."""

import sys

from linewatch.core.child import run
from linewatch.records.process import serve

if __name__ == "__main__":
    sys.exit(run(serve))
