"""`python -m linewatch.faults.failing_recorder STATION.yaml`: the product's recorder; its disk fails on SIGUSR1."""

import signal
import sys

from linewatch.core.child import run
from linewatch.faults.failing_disk import fail_from_now_on
from linewatch.records.process import serve

if __name__ == "__main__":
    signal.signal(signal.SIGUSR1, lambda *_: fail_from_now_on())
    sys.exit(run(serve))
