"""Everything besides the picture that an inspection depends on, by digest: a worker must have exactly ours."""

import hashlib
from collections.abc import Iterator
from pathlib import Path

import linewatch
from linewatch.core.detectors import OnnxDetector
from linewatch.core.errors import ConfigError, LinewatchError, ModelError, StorageError
from linewatch.core.station import Station
from linewatch.core.version import version

_SHOWN = 12  # digits of a digest
_PACKAGES = ("numpy", "opencv-python-headless")


def edition_of(station: Station) -> dict[str, str]:
    """What is in use on this machine, by package or path. Raises ModelError or StorageError for what cannot be read."""
    engine = ("onnxruntime",) if isinstance(station.detector, OnnxDetector) else ("torch", "torchvision")
    packages = {name: version(name) for name in (*_PACKAGES, *engine)}
    model = {str(path): _digest(path, ModelError) for path in _model_files(station)}
    calibration = {str(path): _digest(path, StorageError) for path in _calibration_files(station)}
    return {"linewatch": f"{version('linewatch')} with code {_code()}", **packages, **model, **calibration}


def require_same(ours: dict[str, str], theirs: dict[str, str], host: str) -> None:
    """Raises ConfigError that names the first difference."""
    for what in sorted(ours.keys() | theirs.keys(), key=lambda name: (name != "linewatch", name)):
        here, there = ours.get(what, "missing"), theirs.get(what, "missing")
        if here != there:
            raise ConfigError(f"worker on {host}: {what}", f"is another than here, {here}", there)


def _code() -> str:
    """Of the package's own source: two check-outs may bear one version."""
    root = Path(linewatch.__file__).parent
    digest = hashlib.sha256()
    for path in sorted(root.rglob("*.py")):
        digest.update(path.relative_to(root).as_posix().encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()[:_SHOWN]


def _model_files(station: Station) -> Iterator[Path]:
    model = station.detector.model
    yield from (model,) if isinstance(station.detector, OnnxDetector) else (
        model / "model.yaml", model / "weights.safetensors",
    )  # fmt: skip


def _calibration_files(station: Station) -> Iterator[Path]:
    if station.calibration is not None:
        yield from sorted(path for path in station.calibration.rglob("*") if path.is_file())


def _digest(path: Path, error: type[LinewatchError]) -> str:
    try:
        with path.open("rb") as file:
            return f"sha256 {hashlib.file_digest(file, 'sha256').hexdigest()[:_SHOWN]}"
    except OSError as exc:
        raise error(path, exc.strerror or "cannot be read") from exc
