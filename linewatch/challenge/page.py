"""The challenge's report for people: HTML without scripts and without anything from elsewhere, fit for paper."""

from collections.abc import Sequence
from pathlib import Path

from linewatch.challenge.judging import Outcome, Result
from linewatch.challenge.report import Signed
from linewatch.pictures.write import write_whole
from linewatch.records.cards import Image, Images, page_template

_EMBEDDED_BYTES = 8_000_000
_PAGE = """\
{% include "top" %}
<style>td img { display: block; width: 110px; } .big { font-size: 20px; font-weight: 600; margin: 14px 0; }
code { overflow-wrap: anywhere; }</style>
<h1>{{ title }}</h1>
<p class="big {{ "pass" if report.succeeded else "reject" }}">{{ report.verdict }}</p>
{% for problem in report.problems %}<p class="warn">{{ problem }}</p>{% endfor %}

<div class="panel"><table>
{% for name, value in facts %}
<tr><th>{{ name }}</th><td><code>{{ value }}</code></td></tr>
{% endfor %}
</table></div>

<h2>Parts</h2>
<div class="panel"><table>
<tr><th>part</th><th>expected</th><th>outcome</th><th>seen</th><th>run</th><th class="n">no.</th><th>time (UTC)</th>
<th class="n">ms</th>{% if pictures %}<th>picture</th>{% endif %}</tr>
{% for one in report.results %}
{% set seen = one.seen %}
<tr><td>{{ one.part }}{% if one.of > 1 %} <span class="dim">{{ one.number }} of {{ one.of }}</span>{% endif %}</td>
<td>{{ one.expect | join(", ") or "any defect" }}</td>
<td class="{{ tones[one.outcome] }}"><b>{{ one.outcome.value | replace("_", " ") }}</b><br>
<span class="dim">{{ one.words }}</span></td>
{% if seen %}
<td>{{ seen.verdict.value }} ({{ seen.cause.value }}){% if seen.label %}
 {{ seen.label }} {{ "%.2f" | format(seen.score) }}{% endif %}</td>
<td>{{ seen.run }}</td><td class="n">{{ seen.seq }}</td><td>{{ seen.at[11:19] }}</td>
<td class="n">{{ "%.1f" | format(seen.decided_ms) if seen.decided_ms else "" }}</td>
{% else %}<td></td><td></td><td></td><td></td><td></td>{% endif %}
{% if pictures %}<td>{% set picture = pictures[loop.index0] %}
{% if picture %}<img src="{{ picture.href }}" alt="{{ one.part }}">
{% else %}<span class="dim">no picture</span>{% endif %}</td>{% endif %}</tr>
{% endfor %}
</table></div>
{% if report.how == "line" and report.order == "any" %}
<p class="dim">The parts came in any order: each has the decision that fits it best.</p>
{% endif %}
{% if report.traffic == "production" %}
<p class="dim">Production parts were among them ({{ report.others }} were decided meanwhile): a reject of one of those
for the same class would have counted as well.</p>
{% endif %}

<h2>Signature</h2>
<p>Of the JSON file <code>{{ file }}</code>, by <b>{{ signature.signer }}</b> ({{ signature.algorithm }}):
<code>{{ signature.value }}</code></p>
<p>This page itself is not signed. <code>linewatch challenge --verify {{ file }}</code> says whether the file is as it
was.</p>
{% include "end" %}
"""
_TONES = {
    Outcome.CAUGHT: "pass", Outcome.WRONG_CLASS: "reject", Outcome.IN_DOUBT: "warn", Outcome.PASSED: "reject",
    Outcome.NOT_SEEN: "reject",
}  # fmt: skip


def write_page(signed: Signed, json_path: Path, folder: Path | None) -> Path:
    """Write the page beside the JSON file; returns where. folder: that the results' pictures lie in, if any.

    Raises StorageError.
    """
    report, path = signed.report, json_path.with_suffix(".html")
    page = page_template(_PAGE).render(
        title=f"challenge · {report.station} · {report.began[:16].replace('T', ' ')} UTC",
        report=report,
        facts=_facts(signed),
        signature=signed.signature,
        file=json_path.name,
        tones=_TONES,
        pictures=_pictures(report.results, path, folder),
    )
    write_whole(path, page.encode())
    return path


def _facts(signed: Signed) -> list[tuple[str, str]]:
    report = signed.report
    order = {"given": "one after the other", "any": "in any order"}[report.order]
    line = f"parts through the running line, {order}"
    way = line if report.how == "line" else "pictures through the station's inspection, without a line"
    strict = report.class_must_match or report.traffic == "production"
    right = "the class must be right" if strict else "any class counts"
    return [
        ("operator", report.operator),
        ("station", f"{report.station}, file sha256 {report.station_sha256}"),
        ("recipe", report.recipe),
        ("model", f"{report.model}, sha256 {report.model_sha256}"),
        ("set", f"{report.set_name}, sha256 {report.set_sha256}"),
        ("way", f"{way}; {right}"),
        ("time (UTC)", f"{report.began[:19].replace('T', ' ')} to {report.ended[:19].replace('T', ' ')}"),
    ]


def _pictures(results: Sequence[Result], path: Path, folder: Path | None) -> list[Image | None]:
    if folder is None:
        return []
    images = Images(path.parent, _EMBEDDED_BYTES)
    return [images.image(folder / one.seen.picture) if one.seen and one.seen.picture else None for one in results]
