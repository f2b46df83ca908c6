"""What is shipped for Prometheus and Grafana names metrics that there are, and Prometheus understands it."""

import json
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

import linewatch
from linewatch.core.messages import Cause

MONITORING = Path(linewatch.__file__).parent.parent / "monitoring"
PROMTOOL = shutil.which("promtool")
needs_promtool = pytest.mark.skipif(PROMTOOL is None, reason="promtool (Debian package prometheus) is not installed")
ALERTS = MONITORING / "linewatch-alerts.yml"
SAMPLE = re.compile(r"^(linewatch_\w+?)(?:\{[^}]*\})? (\S+)$", re.MULTILINE)


def promtool(*arguments: object, text: str | None = None) -> str:
    assert PROMTOOL is not None
    command = [PROMTOOL, *map(str, arguments)]
    done = subprocess.run(command, input=text, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout + done.stderr


def exported(text: str) -> set[str]:
    """Names that a query may use: of the samples, and of families that have none at the moment."""
    names = set()
    for name, kind in re.findall(r"^# TYPE (\S+) (\S+)$", text, re.MULTILINE):
        names |= {f"{name}{end}" for end in ("_bucket", "_count", "_sum")} if kind == "histogram" else {name}
    return names


def named(text: str) -> set[str]:
    return set(re.findall(r"\blinewatch_\w+", text))


def test_metrics_count_what_was_heard_and_logged(line: Any, page: Any, news: Any) -> None:
    news.until(lambda said: said["line"]["tone"] == "good")
    for cause in (Cause.OK, Cause.OK, Cause.TIMEOUT):
        line.log(line.decide(cause), picture=False)
    news.until(lambda said: said["decided"] == 3 and said["slack"]["stages"] and said["health"][0]["word"] == "open")
    line.status = {"alarms": ("reject_rate",), "children": {"camera": "ready", "inspector": "down"}, "in_flight": 2}
    news.until(lambda said: said["alarms"])
    _, text = page.get("metrics")
    found = dict(SAMPLE.findall(text))
    assert 'linewatch_decisions_total{cause="ok",verdict="PASS"} 2.0' in text
    assert 'linewatch_decisions_total{cause="timeout",verdict="REJECT"} 1.0' in text
    assert 'linewatch_child_ready{child="inspector"} 0.0' in text
    assert 'linewatch_alarm{alarm="reject_rate"} 1.0' in text
    assert 'linewatch_slack_seconds_bucket{le="0.1"} 3.0' in text
    assert 'linewatch_stage_seconds_count{stage="capture"} 3.0' in text
    assert 'linewatch_batch_parts_bucket{le="2.0"} 3.0' in text
    assert re.search(r'linewatch_station_info\{.*model="bottle-bottom".*sha256="[0-9a-f]{64}"', text)
    assert (found["linewatch_triggers_total"], found["linewatch_in_flight_parts"]) == ("3.0", "2.0")
    assert (found["linewatch_ready"], found["linewatch_unlogged_parts"]) == ("0.0", "0.0")
    assert float(found["linewatch_heartbeat_age_seconds"]) < 5
    assert float(found["linewatch_disk_free_bytes"]) > 0
    assert named(ALERTS.read_text()) <= exported(text)
    assert named((MONITORING / "grafana-linewatch.json").read_text()) <= exported(text)
    if PROMTOOL is not None:
        promtool("check", "metrics", text=text)


@pytest.mark.slow
def test_before_the_first_heartbeat_nothing_is_claimed(line: Any, page: Any) -> None:
    line.alive = False
    _, text = page.get("metrics")
    found = dict(SAMPLE.findall(text))
    assert (found["linewatch_heartbeat_age_seconds"], found["linewatch_ready"]) == ("+Inf", "0.0")
    assert not {"linewatch_triggers_total", "linewatch_gate_open", "linewatch_actuators"} & set(found)


@pytest.mark.slow
def test_a_gpu_is_asked_where_there_is_one(line: Any, opened: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    program = line.folder / "bin" / "nvidia-smi"
    program.parent.mkdir()
    program.write_text("#!/bin/sh\necho '0, 37, 1024, 81920, 41'\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{program.parent}:/usr/bin:/bin")
    said = opened().until(lambda said: any(cell["name"] == "GPU 0" for cell in said["health"]))
    assert said["health"][-1] == {"name": "GPU 0", "tone": "good", "word": "37% busy", "detail": "41 °C"}


def test_the_dashboard_is_whole() -> None:
    document = json.loads((MONITORING / "grafana-linewatch.json").read_text())
    panels = document["panels"]
    assert len({panel["id"] for panel in panels}) == len(panels)
    assert all(target["expr"] for panel in panels for target in panel["targets"])
    taken = [
        (panel["gridPos"]["x"] + x, panel["gridPos"]["y"] + y)
        for panel in panels
        for x in range(panel["gridPos"]["w"])
        for y in range(panel["gridPos"]["h"])
    ]
    assert len(taken) == len(set(taken)) and max(x for x, _ in taken) < 24


@needs_promtool
def test_prometheus_takes_the_rules_and_they_fire_when_they_should() -> None:
    assert "rules found" in promtool("check", "rules", ALERTS)
    assert "SUCCESS" in promtool("test", "rules", MONITORING / "linewatch-alerts.test.yml")
    assert "SUCCESS" in promtool("check", "config", MONITORING / "prometheus.yml")
