"""`replay`: recorded frames through a station's inspection."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Literal

import typer

from linewatch.core.errors import UsageError

Pace = Annotated[
    Literal["fast", "recorded"], typer.Option(help="As fast as this machine can, or not faster than recorded.")
]
Output = Annotated[Path | None, typer.Option(help="New folder for the results; runs/replay-TIME by default.")]
Limit = Annotated[int | None, typer.Option(min=1, help="Only the first so many parts.")]
Truth = Annotated[
    list[Path] | None, typer.Option(help="COCO file that knows which parts are bad; may be given more than once.")
]
Only = Annotated[Path | None, typer.Option(help="Text file with the names of the pictures to play, one a line.")]
Compare = Annotated[
    Path | None, typer.Option(help="Another station file: play both, show every changed verdict; exit code 1 if any.")
]
Ray = Annotated[
    str | None,
    typer.Option(metavar="ADDRESS", help="Spread it over a Ray cluster: HOST:PORT of its head, or `local`."),
]
Workers = Annotated[int | None, typer.Option(min=1, help="With --ray: so many; by default all that fit.")]
Threads = Annotated[
    int | None, typer.Option(min=1, help="With --ray: CPU threads of each worker; else the station's, or one.")
]
Patience = Annotated[
    float, typer.Option(min=1, help="With --ray: seconds after which a worker that answers nothing is lost.")
]


def replay(
    folder: Annotated[Path, typer.Argument(help="Recording, or a folder of pictures (sorted by name).")],
    station: Annotated[Path, typer.Option(help="Station file that inspects them.")],
    pace: Pace = "fast",
    output: Output = None,
    limit: Limit = None,
    truth: Truth = None,
    only: Only = None,
    compare: Compare = None,
    ray: Ray = None,
    workers: Workers = None,
    threads: Threads = None,
    patience: Patience = 300.0,
) -> int:
    """Inspect a folder of recorded frames: decision log, crops, summary and report."""
    from rich.console import Console

    from linewatch.records.report import REPORT
    from linewatch.replay.progress import progress_on
    from linewatch.replay.run import replay as play
    from linewatch.replay.show import show, show_changes
    from linewatch.replay.spread.spread import Wish

    if ray is None and (workers or threads):
        raise UsageError("--workers" if workers else "--threads", "is for --ray", workers or threads)
    wish = None if ray is None else Wish(ray, workers, threads, patience)
    target = output or Path("runs") / f"replay-{datetime.now(UTC):%Y%m%dT%H%M%S}"
    if compare is not None:
        from linewatch.replay.comparing import replay_both

        with progress_on() as progress:
            changes, code = replay_both(
                folder, (station, compare), output=target, pace=pace, limit=limit, truth=truth or (), only=only,
                progress=progress, ray=wish,
            )  # fmt: skip
        show_changes(changes, target, Console(soft_wrap=True))
        return code or (1 if changes.changed else 0)
    with progress_on() as progress:
        summary = play(
            folder, station, output=target, pace=pace, limit=limit, truth=truth or (), only=only, progress=progress,
            ray=wish,
        )  # fmt: skip
    console = Console(soft_wrap=True)
    show(summary, console)
    console.print(f"decisions, crops and summary in {target}, report: {target / REPORT}", markup=False, highlight=False)
    return summary.exit_code
