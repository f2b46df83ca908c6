"""The real daemon with the test children: `daemon.py STATION RUNTIME RECORDS [--work-ms N] [--camera-exit CODE]`."""

import sys
from pathlib import Path

from linewatch.core.errors import LinewatchError
from linewatch.line.run import run
from linewatch.line.supervised import ChildSpec

HERE = Path(__file__).parent


def child(name: str, *arguments: str) -> tuple[str, ...]:
    return (sys.executable, str(HERE / f"quick_{name}.py"), *arguments)


def option(name: str) -> str:
    return sys.argv[sys.argv.index(name) + 1] if name in sys.argv else "0"


def main() -> int:
    station, runtime, records = (Path(argument) for argument in sys.argv[1:4])
    refusing = ("--exit", option("--camera-exit")) if "--camera-exit" in sys.argv else ()
    children = (
        ChildSpec("camera", child("camera", *refusing), silent_ms=1500),
        ChildSpec("inspector", child("inspector", "--work-ms", option("--work-ms")), silent_ms=1500),
        ChildSpec("recorder", child("recorder", str(records)), silent_ms=5000),
    )
    try:
        return run(station, runtime=runtime, children=children)
    except LinewatchError as exc:
        print(exc, file=sys.stderr)
        return exc.exit_code


if __name__ == "__main__":
    sys.exit(main())
