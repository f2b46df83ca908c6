"""The processes of the demo: started so that none outlives it, stopped in order."""

import ctypes
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

from linewatch.core.errors import StorageError

_PR_SET_PDEATHSIG = 1
_PATIENCE_S = 3.0


class Process:
    """A child process with its own log file; terminated at the latest when the block ends.

    name, log: as given. It runs in a session of its own, so that Ctrl-C reaches the demo alone, and gets SIGTERM should
    the demo be killed.
    """

    def __init__(
        self, name: str, command: Sequence[str], log: Path, environment: Mapping[str, str], *, piped: bool = False
    ) -> None:
        """Starts `command`. log: takes stderr, and stdout unless `piped`, which also opens stdin.

        Raises StorageError when the log cannot be written.
        """
        self.name = name
        self.log = log
        try:
            log_file = log.open("wb")
        except OSError as exc:
            raise StorageError(log, exc.strerror or "cannot be written") from exc
        with log_file:
            self.popen = subprocess.Popen(
                command,
                stdin=subprocess.PIPE if piped else subprocess.DEVNULL,
                stdout=subprocess.PIPE if piped else log_file,
                stderr=log_file,
                env=dict(environment),
                start_new_session=True,
                preexec_fn=_end_with_parent if sys.platform == "linux" else None,
            )

    @property
    def ended(self) -> int | None:
        """The exit status, none while it runs."""
        return self.popen.poll()

    def last_words(self) -> str:
        """For an error message: the last line of its log that is no routine entry, else where the log is."""
        lines = [line for line in self.log.read_text(errors="replace").splitlines() if line and line[0] not in " {"]
        return lines[-1] if lines else f"see {self.log}"

    def terminate(self) -> None:
        """Ask it to end; harmless when it has."""
        self.popen.terminate()

    def stop(self) -> None:
        """Ask it to end and wait, reading what it still says; killed when it takes too long."""
        self.terminate()
        try:
            self.popen.communicate(timeout=_PATIENCE_S)
        except subprocess.TimeoutExpired:
            self.popen.kill()
            self.popen.communicate()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()


def _end_with_parent() -> None:
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
