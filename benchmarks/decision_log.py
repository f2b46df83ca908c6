"""What a decision costs the recorder: in JSON lines, and in the chained database, which is on the disk when confirmed.

Each decision goes through a run folder as recorder and replay use it, pictures aside, one minute of 6,000 parts.
CPU time is what this process worked, wall time what passed, waiting for the disk included. Median of the repeats.

    python -m benchmarks.decision_log [--output FOLDER] [--repeats N]
"""

import argparse
import sys
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from statistics import median

from linewatch.core import logs
from linewatch.core.clock import wall_time
from linewatch.core.messages import Cause, Decision, Detection, Record, Verdict
from linewatch.records.audit import verify
from linewatch.records.chained_log import ChainedLog
from linewatch.records.decision_log import DecisionLog, read_decisions
from linewatch.records.json_log import JsonLog
from linewatch.records.run_folder import RunFolder

PARTS = 6000
OpenLog = Callable[[Path], DecisionLog]
KINDS: dict[str, tuple[OpenLog, int]] = {  # and after how many parts it is synced
    "JSON lines, synced once a second": (JsonLog, 100),
    "JSON lines, synced every 100 ms": (JsonLog, 10),
    "chained database, every 100 ms": (partial(ChainedLog, station="benchmark"), 10),
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--output", type=Path, help="on the disk to be measured; the system's temporary folder else")
    parser.add_argument("--repeats", type=int, default=5)
    given = parser.parse_args()
    logs.set_up("benchmark")
    records = [record(seq) for seq in range(1, PARTS + 1)]
    spent: dict[str, list[tuple[float, float]]] = {kind: [] for kind in KINDS}
    with tempfile.TemporaryDirectory(dir=given.output) as base:
        for turn in range(given.repeats):
            for kind, (open_log, every) in KINDS.items():  # in turns: whatever else runs falls on all alike
                folder = Path(base) / f"{turn} {kind}"
                spent[kind].append(log_all(folder, open_log, every, records))
        show(spent)
        began = time.process_time()
        verify(folder)
        print(f"audit verify: {(time.process_time() - began) * 1e6 / PARTS:.0f} us of CPU for each row")


def record(seq: int) -> Record:
    """Every tenth a reject with two detections."""
    found = (Detection("crack", 0.91, 70.5, 60.25, 20, 30, "reject"), Detection("chip", 0.31, 7.5, 6.25, 12, 13))
    bad = seq % 10 == 0
    decision = Decision(
        "benchmark", "run", seq, Verdict.REJECT if bad else Verdict.PASS, Cause.DEFECT if bad else Cause.OK,
        seq * 10**7, seq * 10**7 + 10**6, seq * 10**7 + 10**8, 380.0, 0.91 if bad else 0.0, "crack" if bad else "", seq,
    )  # fmt: skip
    return Record(decision, found if bad else (), source=f"frame-{seq:08d}", wall=wall_time())


def log_all(
    folder: Path, open_log: Callable[[Path], DecisionLog], every: int, records: list[Record]
) -> tuple[float, float]:
    """CPU and wall seconds from the first part to the last, the run's opening and closing aside."""
    run = RunFolder(folder, open_log=open_log)
    cpu, wall = time.process_time(), time.perf_counter()
    for number, one in enumerate(records, start=1):
        run.record(one, None)
        if number % every == 0:
            run.sync()
    spent = time.process_time() - cpu, time.perf_counter() - wall
    run.close()
    if [line.seq for line in read_decisions(folder)] != list(range(1, len(records) + 1)):
        sys.exit(f"{folder}: decisions are missing")
    return spent


def show(spent: dict[str, list[tuple[float, float]]]) -> None:
    base = median(cpu for cpu, _ in next(iter(spent.values())))
    print(f"{'':<34} {'CPU us':>8} {'wall us':>8} {'CPU':>6}  for each decision")
    for kind, times in spent.items():
        cpu, wall = (median(values) for values in zip(*times, strict=True))
        share = f"{cpu / 60:.2%} of a core at {PARTS}/min"
        print(f"{kind:<34} {cpu * 1e6 / PARTS:>8.0f} {wall * 1e6 / PARTS:>8.0f} {cpu / base:>5.1f}x  {share}")


if __name__ == "__main__":
    main()
