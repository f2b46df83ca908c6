"""What parts were rejected for, most frequent first: classes of defects, and causes of doubt."""

from collections.abc import Mapping

from linewatch.core.messages import Cause


def pareto(causes: Mapping[Cause, int], classes: Mapping[str, int]) -> list[tuple[str, int, str]]:
    """Name, count and tone (reject, doubt). causes: parts by cause. classes: rejects for a defect, by its class."""
    rows = [(label, count, "reject") for label, count in classes.items()]
    rows += [(cause.value, count, "doubt") for cause, count in causes.items() if cause.is_failsafe and count]
    return sorted(rows, key=lambda row: (-row[1], row[0]))
