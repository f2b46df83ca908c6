"""A recorder's log under SIGKILL: appends batches for ever, and says on standard output which seqs are acknowledged."""

import sys
from pathlib import Path

from linewatch.core import logs
from linewatch.core.messages import Cause, Decision, Record, Verdict
from linewatch.records.chained_log import ChainedLog
from linewatch.records.decision_log import line_of


def main() -> None:
    folder, first, batch = Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])
    logs.set_up("writer")
    log = ChainedLog(folder, "s")
    while True:
        decisions = [Decision("s", "run", first + n, Verdict.PASS, Cause.OK, 1, 2, 3, 4.0) for n in range(batch)]
        log.append([line_of(Record(one, source="x" * 300), (), None, "absent") for one in decisions])
        first += batch
        print(first - 1, flush=True)


if __name__ == "__main__":
    main()
