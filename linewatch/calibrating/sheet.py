"""The sheet of a calibration: one HTML page with its numbers and pictures, without anything from elsewhere."""

from collections.abc import Iterator

import jinja2

from linewatch.pictures.calibration import Calibration

SHEET = "sheet.html"
_WORDS = {
    "corners.jpg": "The target as it was found",
    "residuals.png": "How well the lens explains it",
    "before_after.jpg": "Before and after",
    "profile.png": "Light before and after",
    "motion.png": "The part's way through the picture",
}
_PAGE = """\
<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>calibration of {{ found.camera }} · linewatch</title>
<style>
:root { color-scheme: light dark; }
body { max-width: 1120px; margin: 0 auto; padding: 24px; font: 15px/1.5 system-ui, sans-serif; }
h1 { font-size: 24px; margin: 0; } h2 { font-size: 16px; margin: 28px 0 8px; }
img { max-width: 100%; display: block; } .fault { color: #c9302c; }
td, th { padding: 2px 16px 2px 0; text-align: left; font-variant-numeric: tabular-nums; } th { font-weight: 500; }
</style>
</head>
<body>
<h1>{{ found.camera }}, {{ found.date }}</h1>
{% for fault in found.faults %}<p class="fault">accepted by --force: {{ fault }}</p>{% endfor %}
<table>
{% for words, value in rows %}<tr><th>{{ words }}</th><td>{{ value }}</td></tr>
{% endfor %}</table>
{% for name, words in pictures %}<h2>{{ words }}</h2>
<img src="{{ name }}" alt="{{ words }}">
{% endfor %}
</body>
</html>
"""


def write_sheet(found: Calibration, files: list[str]) -> bytes:
    """The page for `found`, showing those of its `files` that are pictures for people."""
    pictures = [(name, words) for name, words in _WORDS.items() if name in files]
    template = jinja2.Environment(autoescape=True, undefined=jinja2.StrictUndefined).from_string(_PAGE)
    return template.render(found=found, rows=list(_rows(found)), pictures=pictures).encode()


def _rows(found: Calibration) -> Iterator[tuple[str, str]]:
    yield "picture", f"{found.size_px[0]} x {found.size_px[1]} px"
    yield "scale", f"{found.mm_per_px:.5f} mm/px ({1 / found.mm_per_px:.3f} px/mm)"
    if found.camera_matrix is not None and found.distortion is not None:
        (fx, _, cx), (_, fy, cy), _ = found.camera_matrix
        yield "focal length", f"{fx:.1f}, {fy:.1f} px"
        yield "optical centre", f"{cx:.1f}, {cy:.1f} px"
        yield "distortion", ", ".join(f"{value:.5f}" for value in found.distortion)
    if found.reprojection_px is not None:
        yield "reprojection error", f"{found.reprojection_px:.3f} px rms, {found.views} views"
    for words, pixels in (("hot pixels", found.hot_pixels), ("dead pixels", found.dead_pixels)):
        if found.flat_field or found.dark_field:
            yield words, ", ".join(f"({x}, {y})" for x, y in pixels) or "none"
    yield from _timing_rows(found)


def _timing_rows(found: Calibration) -> Iterator[tuple[str, str]]:
    timing = found.timing
    if timing is None:
        return
    x, y = timing.travel_px_per_ms
    yield "gate to middle of the picture", f"{timing.capture_delay_ms:.2f} ms"
    yield "speed", f"{timing.speed_mm_per_s:.1f} mm/s ({x:.4f}, {y:.4f} px/ms)"
    yield "even motion", f"{timing.residual_px:.2f} px rms, {timing.places} places"
    if timing.transport_ms is not None:
        yield "gate to rejecter", f"{timing.transport_ms:.1f} ms ({timing.transport_from})"
