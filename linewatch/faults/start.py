"""What must keep a line from starting: a wrong station file, a damaged model. Each is tried beside the running line."""

import shutil
import time
from collections.abc import Iterator
from typing import Any

import yaml

from linewatch.core.errors import ConfigError
from linewatch.core.station import read_yaml
from linewatch.demo.processes import Process
from linewatch.faults.fault import Fault, Injected, NotShown
from linewatch.faults.judging import only
from linewatch.faults.line import STANDARD_COMMAND, FaultLine
from linewatch.sim.gate import VirtualGate

_WEIGHTS = "weights.safetensors"
_START_S = 120.0
_MISSPELT = "deadline_msec"


def _misspell(line: FaultLine) -> Injected:
    def change(document: dict[str, Any]) -> None:
        document["line"] = {_MISSPELT: 100}

    return _refused(line, "wrong-station", change, f"the key {_MISSPELT} for deadline_ms", _MISSPELT)


def _truncate(line: FaultLine) -> Injected:
    model = line.folder / "truncated-model"
    if not (line.station.detector.model / _WEIGHTS).is_file():
        raise NotShown(f"{line.station.detector.model} holds no {_WEIGHTS}")
    shutil.copytree(line.station.detector.model, model, dirs_exist_ok=True)
    weights = model / _WEIGHTS
    half = weights.stat().st_size // 2
    with weights.open("r+b") as file:
        file.truncate(half)

    def change(document: dict[str, Any]) -> None:
        document["detector"]["model"] = str(model)

    return _refused(line, "truncated-model", change, f"{_WEIGHTS} cut to {half} bytes", str(model))


def _refused(line: FaultLine, name: str, change: Any, how: str, named: str) -> Injected:
    """Start a daemon of its own on the changed station file; it must end with 3 and name what is wrong."""
    document = read_yaml(line.layout.path)
    document["name"] = name
    document["storage"] = {"output": str(line.folder / f"{name}-output")}
    document.pop("endpoints", None)  # the running line has them
    change(document)
    path = line.folder / f"{name}.yaml"
    with VirtualGate(line.base / f"{name}-gate") as gate:
        document["gate"]["port"] = gate.path
        path.write_text(yaml.safe_dump(document, sort_keys=False), encoding="utf-8")
        environment = {**line.environment(), "NOTIFY_SOCKET": ""}
        daemon = line.spawn(name, [*STANDARD_COMMAND, str(path)], environment)
        line.until(lambda: daemon.ended is not None, _START_S)
        daemon.stop()
    return Injected(time.monotonic_ns(), f"{how}: exit code {daemon.ended}", tuple(_wrong(daemon, named)))


def _wrong(daemon: Process, named: str) -> Iterator[str]:
    said = daemon.log.read_text(errors="replace")
    if daemon.ended != ConfigError.exit_code:
        yield f"ended with {daemon.ended}, {ConfigError.exit_code} was promised"
    if named not in said:
        yield f"does not name {named}; see {daemon.log}"
    if "Traceback" in said:
        yield f"shows a traceback; see {daemon.log}"


STATION_WRONG = Fault(
    "wrong station file at start",
    "refused in one line that names file and key, exit code 3, which systemd does not restart on",
    _misspell,
    only(),
    quick=True,
    load=False,
)
MODEL_TRUNCATED = Fault(
    "model file truncated at start",
    "refused in one line that names the file, exit code 3",
    _truncate,
    only(),
    limit_s=60.0,
    load=False,
)
