"""The command of the recorder process, for whoever starts it."""

import sys
from pathlib import Path

from linewatch.records.recording import check_new_recording


def record_command(station: Path, output: Path) -> list[str]:
    """The recorder that writes a recording into `output` in place of a run folder.

    Raises StorageError when `output` holds a recording already.
    """
    check_new_recording(output)
    return [sys.executable, "-m", "linewatch.records", str(station), "--recording", str(output)]
