"""The challenge without hands: pictures of the known-bad parts through the station's own inspection, as in a replay."""

from pathlib import Path

from linewatch.challenge.judging import Result, Seen, result_of
from linewatch.challenge.parts import ChallengeSet, KnownBad, slots_of
from linewatch.core.clock import wall_time
from linewatch.core.errors import ChallengeError
from linewatch.core.messages import Cause
from linewatch.inspection.detector import Detector
from linewatch.pictures.recording import open_recording
from linewatch.records.decision_log import DecisionLine, read_decisions
from linewatch.replay.progress import Report, silent
from linewatch.replay.run import replay


def feed(
    challenge: ChallengeSet,
    folder: Path,
    station_path: Path,
    output: Path,
    *,
    progress: Report = silent,
    detector: Detector | None = None,
) -> tuple[list[Result], str]:
    """Play the set's pictures in `folder` through the station; returns a result for each, and what interrupted it.

    output: new folder for the replay's log, crops and report. detector: in place of the station's own.
    Raises ChallengeError when a part has not as many pictures as it has passages, and what `replay` raises.
    """
    pictures = pictures_of(challenge, folder)
    wanted = {name for names in pictures.values() for name in names}
    summary = replay(folder, station_path, output=output, only=wanted, progress=progress, detector=detector)
    lines = {Path(line.source).name: line for line in read_decisions(output)}
    results = []
    for slot in slots_of(challenge):
        name = pictures[slot.part.name][slot.number - 1]
        results.append(result_of(slot, _seen(lines[name]) if name in lines else None, challenge))
    return results, summary.stopped_by


def pictures_of(challenge: ChallengeSet, folder: Path) -> dict[str, list[str]]:
    """File names in `folder` by part, as many as it has passages. Raises ChallengeError, StorageError."""
    names = sorted(entry.path.name for entry in open_recording(folder).entries if entry.path is not None)
    found = {part.name: [name for name in names if part.owns(name)] for part in challenge.parts}
    owners: dict[str, str] = {}
    for part in challenge.parts:
        _check_count(part, found[part.name], folder)
        for name in found[part.name]:
            if owners.setdefault(name, part.name) != part.name:
                raise ChallengeError(folder, f"is a picture of two parts, {owners[name]} and {part.name}", name)
    return found


def _check_count(part: KnownBad, names: list[str], folder: Path) -> None:
    if len(names) != part.times:
        patterns = ", ".join(part.pictures) or f"{part.name}.*, {part.name}_*.*"
        raise ChallengeError(
            folder, f"part {part.name} wants {part.times} pictures ({patterns}), and {len(names)} are there"
        )


def _seen(line: DecisionLine) -> Seen:
    return Seen(
        run="replay",
        seq=line.seq,
        verdict=line.verdict,
        cause=Cause(line.cause),
        score=round(line.score, 4),
        label=line.label,
        decided_ms=0.0,  # no time passes in a replay
        at=wall_time(),
        picture=line.source,
    )
