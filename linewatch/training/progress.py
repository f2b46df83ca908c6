"""What a person sees while a network learns: a bar with losses on a terminal, a line now and then elsewhere."""

import time
from types import TracebackType

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

from linewatch.training import trainer

_LINE_EVERY_S = 30.0


class TrainingDisplay:
    """Context manager; `report` is called after every step. quiet: show nothing, another process of the team does."""

    def __init__(self, steps: int, progress: trainer.Progress, *, quiet: bool = False) -> None:
        self._console = Console(stderr=True, quiet=quiet)
        self._steps, self._progress = steps, progress
        self._bar = Progress(
            TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn(),
            TimeRemainingColumn(), console=self._console, disable=quiet or not self._console.is_terminal,
        )  # fmt: skip
        self._task = self._bar.add_task("training", total=steps, completed=progress.step)
        self._last_line_ns, self._last_step = time.monotonic_ns(), progress.step
        self._validated = len(progress.validations)

    def __enter__(self) -> "TrainingDisplay":
        self._bar.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._bar.stop()
        if self._progress.validations:
            self._console.print(_validation_line(self._progress.validations[-1]), highlight=False)

    def report(self, step: int, found: dict[str, float]) -> None:
        """step: steps done; found: losses by name."""
        text = " ".join(f"{name} {value:.3f}" for name, value in found.items())
        self._bar.update(self._task, completed=step, description=f"loss {found['loss']:.3f}")
        if len(self._progress.validations) > self._validated:
            self._validated = len(self._progress.validations)
            self._console.print(_validation_line(self._progress.validations[-1]), highlight=False)
        passed_s = (time.monotonic_ns() - self._last_line_ns) / 1e9
        if self._console.is_terminal or passed_s < _LINE_EVERY_S:
            return
        per_step_s = passed_s / max(1, step - self._last_step)
        remaining_min = per_step_s * (self._steps - step) / 60
        self._console.print(f"step {step}/{self._steps} {text} ({per_step_s:.2f} s a step, {remaining_min:.0f} min)",
                            highlight=False, soft_wrap=True)  # fmt: skip
        self._last_line_ns, self._last_step = time.monotonic_ns(), step


def _validation_line(found: dict[str, float]) -> str:
    return f"validation at step {found['step']:.0f}: mAP50 {found['map50']:.3f}, mAP50:95 {found['map50_95']:.3f}"
