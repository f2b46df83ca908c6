"""An ONNX file, opened: what it takes, what it knows of itself, and one run of it; loads ONNX Runtime."""

import ast
import hashlib
import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from linewatch.core.errors import ModelError

CLASSES_KEY = "linewatch.classes"  # metadata of files that `linewatch export` wrote: a JSON list
_TYPES = {"tensor(uint8)": np.uint8, "tensor(float)": np.float32, "tensor(float16)": np.float16}
_QUIET = 4  # its lines are no log lines of ours, and its errors are raised, too


@dataclass(frozen=True)
class Takes:
    """The file's one input. None where it leaves a number open."""

    name: str
    dtype: np.dtype[Any]
    batch: int | None
    channels: int
    side_px: int | None


class OnnxFile:
    """A session on the CPU."""

    def __init__(self, path: Path, threads: int = 0) -> None:
        """threads: 0 leaves one core to the controller. Raises ModelError naming path, value and reason."""
        self.path = path
        self._session = _session(path, threads or max(1, (os.cpu_count() or 1) - 1))
        self.takes = _takes(path, self._session.get_inputs())
        self._outputs = [output.name for output in self._session.get_outputs()]

    @property
    def digest(self) -> str:
        """sha256 of the file, hex."""
        with self.path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()

    def linewatch_classes(self) -> tuple[str, ...] | None:
        """The classes in their order, when `linewatch export` wrote the file."""
        told = self._metadata().get(CLASSES_KEY)
        return None if told is None else tuple(json.loads(told))

    def class_count(self) -> int | None:
        """How many classes the file says that it knows (ultralytics writes `names`), when it says so."""
        ours, names = self.linewatch_classes(), self._metadata().get("names")
        if ours is not None or names is None:
            return None if ours is None else len(ours)
        try:
            return len(ast.literal_eval(names))
        except (ValueError, SyntaxError, TypeError):
            return None  # somebody else's `names`

    def run(self, batch: npt.NDArray[Any]) -> dict[str, npt.NDArray[Any]]:
        """All outputs by name, floating ones as float32. Raises whatever ONNX Runtime raises."""
        values = self._session.run(None, {self.takes.name: batch})
        return {
            name: value.astype(np.float32, copy=False) if np.issubdtype(value.dtype, np.floating) else value
            for name, value in zip(self._outputs, values, strict=True)
        }

    def _metadata(self) -> dict[str, str]:
        return dict(self._session.get_modelmeta().custom_metadata_map)


def _session(path: Path, threads: int) -> Any:
    try:
        import onnxruntime
    except ImportError as exc:
        raise ModelError(path, "needs ONNX Runtime: pip install 'linewatch[onnx]'") from exc
    if not path.is_file():
        raise ModelError(path, "is no file" if path.exists() else "is missing")
    onnxruntime.set_default_logger_severity(_QUIET)
    options = onnxruntime.SessionOptions()
    options.log_severity_level = _QUIET
    options.intra_op_num_threads = threads
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")  # the other cores have work to do
    try:
        return onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    except Exception as exc:  # ONNX Runtime has a type for each reason, with no base of their own
        raise ModelError(path, f"is no ONNX file that ONNX Runtime can run: {exc}") from exc


def _takes(path: Path, inputs: list[Any]) -> Takes:
    if len(inputs) != 1:
        names = ", ".join(given.name for given in inputs)
        raise ModelError(f"{path}: inputs", "must be one, the picture", names or "none")
    (given,) = inputs
    where = f"{path}: {given.name}"
    if given.type not in _TYPES:
        raise ModelError(where, f"must be one of {', '.join(_TYPES)}", given.type)
    sides = [side if isinstance(side, int) else None for side in given.shape]
    if len(sides) != 4 or sides[1] not in (1, 3):
        raise ModelError(where, "must be (batch, 1 or 3 channels, side, side)", _shown(given.shape))
    batch, channels, height, width = sides
    if height != width:
        raise ModelError(where, "must be square", _shown(given.shape))
    return Takes(given.name, np.dtype(_TYPES[given.type]), batch, channels or 1, height)


def _shown(shape: list[Any]) -> str:
    return f"({', '.join('?' if side is None else str(side) for side in shape)})"
