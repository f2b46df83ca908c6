"""`replay --compare`: one recording through two stations."""

from collections.abc import Sequence
from pathlib import Path

from linewatch.core.station import load_station
from linewatch.inspection.detector import Detector
from linewatch.replay.changes import Changes, find_changes, stations_compared, write_changes
from linewatch.replay.playback import Pace
from linewatch.replay.progress import Report, silent
from linewatch.replay.run import refuse_used, replay
from linewatch.replay.spread.spread import Wish

BEFORE, AFTER = "before", "after"


def replay_both(
    folder: Path,
    stations: tuple[Path, Path],
    *,
    output: Path,
    pace: Pace = "fast",
    limit: int | None = None,
    truth: Sequence[Path] = (),
    only: Path | None = None,
    progress: Report = silent,
    detectors: tuple[Detector, Detector] | None = None,
    ray: Wish | None = None,
) -> tuple[Changes, int]:
    """Play `folder` through both stations into `output`/before and /after, and write what changed beside them.

    Returns the changes among the parts that both decided, and the exit code: not 0 when interrupted. The other
    arguments and the errors are those of `replay`.
    """
    loaded = load_station(stations[0]), load_station(stations[1])
    refuse_used(output)
    code = 0
    for number, name in enumerate((BEFORE, AFTER)):
        summary = replay(
            folder, stations[number], output=output / name, pace=pace, limit=limit, truth=truth, only=only,
            progress=progress, detector=None if detectors is None else detectors[number], ray=ray,
        )  # fmt: skip
        code = code or summary.exit_code
    changes = find_changes(output / BEFORE, output / AFTER)
    write_changes(changes, stations_compared(folder, loaded), output)
    return changes, code
