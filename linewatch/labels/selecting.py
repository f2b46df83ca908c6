"""Which parts of a run are worth a person's look, and which of their detections are shown as boxes."""

from dataclasses import dataclass
from typing import Literal

from linewatch.core.errors import UsageError
from linewatch.core.messages import Verdict
from linewatch.records.decision_log import DecisionLine, LoggedDetection

What = Literal["rejects", "all", "near"]


@dataclass(frozen=True)
class Wanted:
    """what: rejected parts, all, or those with a detection whose score is at most `within` from a threshold."""

    what: What = "rejects"
    thresholds: tuple[float, ...] = ()
    within: float = 0.1

    def __post_init__(self) -> None:
        """Raises UsageError when what and thresholds do not go together."""
        if self.what == "near" and not self.thresholds:
            raise UsageError("--what near", "needs --threshold, the score that matters")
        if self.what != "near" and self.thresholds:
            raise UsageError("--threshold", "goes with --what near alone", list(self.thresholds))

    def takes(self, line: DecisionLine) -> bool:
        """Whether the part is exported."""
        if self.what == "rejects":
            return line.verdict is Verdict.REJECT
        return self.what == "all" or any(self._is_near(one) for one in line.detections)

    def shows(self, found: LoggedDetection) -> bool:
        """Whether the detection becomes a box: it counted, or its score is what is asked about."""
        return found.effect != "ignore" or self._is_near(found)

    def _is_near(self, found: LoggedDetection) -> bool:
        return any(abs(found.score - threshold) <= self.within for threshold in self.thresholds)
