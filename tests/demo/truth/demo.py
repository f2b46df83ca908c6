"""`linewatch demo` around the inspector that knows the truth: `demo.py OUTPUT SUMMARY SECONDS PACE [DAEMON ...]`.

DAEMON: the command to run in place of the daemon with that inspector.
"""

import sys
from pathlib import Path

from linewatch.core.errors import LinewatchError
from linewatch.demo.run import demo

DAEMON = [sys.executable, str(Path(__file__).with_name("line.py"))]


def main() -> int:
    output, summary, seconds, pace, *daemon = sys.argv[1:]
    try:
        return demo(
            seconds=float(seconds),
            summary=Path(summary),
            output=Path(output),
            pace=pace,
            defect_rate=0.4,
            seed=2,
            run_command=daemon or DAEMON,
            warm_up_s=1.0,
        )
    except LinewatchError as exc:
        print(exc, file=sys.stderr)
        return exc.exit_code


if __name__ == "__main__":
    sys.exit(main())
