"""Station files and messages that the documents show are those of the code."""

import re
from pathlib import Path

import pytest
import yaml

import linewatch
from linewatch.core import messages
from linewatch.core.station import Station, parse_station
from linewatch.core.yamltext import parse_yaml

PROJECT = Path(linewatch.__file__).parent.parent
YAML = [
    pytest.param(text, id=f"{page.name}-{number}")
    for page in (PROJECT / "README.md", *sorted((PROJECT / "docs").glob("*.md")))
    for number, text in enumerate(re.findall(r"^```yaml\n(.*?)^```", page.read_text(), re.MULTILINE | re.DOTALL))
]
STUB = {
    "name": "stub",
    "gate": {"kind": "framed", "port": "gate"},
    "camera": {"kind": "simulated"},
    "detector": {"model": "models/m"},
    "acceptance": [{"class": "*"}],
    "rejecter": {"transport_ms": 1000},
}


@pytest.mark.parametrize("text", YAML)
def test_a_station_file_or_a_section_of_one_is_taken(text: str) -> None:
    """A block that is a whole station stands alone, any other replaces sections, one line after the other."""
    document = parse_yaml(text)
    if "gate" in document:
        assert parse_station(document, Path("page")).name
        return
    if not set(document) <= set(Station.model_fields):
        pytest.skip("another kind of file")
    for line in re.findall(r"^\w+:.*(?:\n[ #].*)*", text, re.MULTILINE):
        assert parse_station({**STUB, **yaml.safe_load(line)}, Path("page"))


def test_the_station_page_has_a_row_for_each_section() -> None:
    rows = re.findall(r"^\| (`[^|]+) \|", (PROJECT / "docs" / "station.md").read_text(), re.MULTILINE)
    named = {name for row in rows for name in re.findall(r"`(\w+)`", row)}
    assert set(Station.model_fields) <= named


def test_the_flow_names_messages_and_fields_that_there_are() -> None:
    text = (PROJECT / "ARCHITECTURE.md").read_text(encoding="utf-8")
    (drawing,) = re.findall(r"^```\n(.*?)^```", text, re.MULTILINE | re.DOTALL)
    drawn = dict(re.findall(r"\b([A-Z][a-z]+[A-Za-z]*)\(([a-z, _]+)", drawing))
    assert {"Expose", "FrameReady", "Inspect", "Inspection", "Logged"} <= set(drawn)
    for name, fields in drawn.items():
        known = getattr(messages, name).__struct_fields__
        assert all(any(one.startswith(field) for one in known) for field in re.findall(r"\w+", fields)), name
