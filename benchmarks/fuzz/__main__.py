"""`python -m benchmarks.fuzz {wire,gate,station} --seconds 120`: atheris looks for bytes that break a reader.

Wire: a decoder gives a message or a WireError. Gate: the parser never raises, keeps at most one frame, and gives no
trigger whose checksum does not match. Station: a StationError of one line, or a station. Needs the extra `fuzz`; what
it finds is written to crash-* in the working folder, and ends it.
"""

import argparse
import sys
import tempfile
from pathlib import Path

import atheris

with atheris.instrument_imports(include=["linewatch"]):
    from benchmarks.fuzz.targets import TARGETS, seeds


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.fuzz", description=__doc__)
    parser.add_argument("target", choices=sorted(TARGETS))
    parser.add_argument("--seconds", type=int, default=120)
    given = parser.parse_args()
    corpus = Path(tempfile.mkdtemp(prefix="fuzz-"))
    for number, seed in enumerate(seeds(given.target)):
        (corpus / str(number)).write_bytes(seed)
    options = [f"-max_total_time={given.seconds}", "-max_len=2048", "-timeout=60", "-print_final_stats=1"]
    atheris.Setup([sys.argv[0], *options, str(corpus)], TARGETS[given.target])
    atheris.Fuzz()


if __name__ == "__main__":
    main()
