"""What report pages consist of: HTML without scripts and without anything from elsewhere, light or dark as the reader
has it, and fit for paper.
"""

_TOP = """\
<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{{ title }} · linewatch</title>
<style>
:root { color-scheme: light dark; --ground: #f5f6f8; --panel: #fff; --ink: #171a1f; --dim: #5b6472; --line: #dde1e7;
  --reject: #c9302c; --warn: #b7791f; --pass: #2a7f4f; --bar: #8aa0bd; }
@media screen and (prefers-color-scheme: dark) { :root { --ground: #14171b; --panel: #1d2127; --ink: #e8ebf0;
  --dim: #98a2b1; --line: #30363f; --reject: #ff6b5e; --warn: #f0b54a; --pass: #59c58b; --bar: #5d7696; } }
* { box-sizing: border-box; }
body { margin: 0; background: var(--ground); color: var(--ink); font: 15px/1.5 system-ui, sans-serif; }
main { max-width: 1280px; margin: 0 auto; padding: 28px 24px 64px; }
h1 { font-size: 26px; margin: 0; overflow-wrap: anywhere; } h2 { font-size: 17px; margin: 36px 0 12px; }
.dim { color: var(--dim); } .empty { margin: 0; padding: 8px 14px; }
.reject { color: var(--reject); } .warn { color: var(--warn); } .pass { color: var(--pass); }
.panel { background: var(--panel); border: 1px solid var(--line); border-radius: 10px; }
.numbers { display: grid; grid-template-columns: repeat(auto-fit, minmax(150px, 1fr)); gap: 12px; margin-top: 20px; }
.numbers .panel { padding: 12px 16px; }
.numbers b { display: block; font-size: 26px; font-variant-numeric: tabular-nums; }
.two { display: grid; grid-template-columns: repeat(auto-fit, minmax(340px, 1fr)); gap: 0 24px; }
table { border-collapse: collapse; width: 100%; } th { text-align: left; font-weight: 500; color: var(--dim); }
td, th { padding: 5px 12px; border-top: 1px solid var(--line); font-variant-numeric: tabular-nums; }
tr:first-child > * { border-top: 0; } td.n, th.n { text-align: right; } td.bar { width: 40%; }
.bar i { display: block; height: 9px; min-width: 2px; border-radius: 3px; background: var(--bar); }
.strip { display: block; width: 100%; height: 64px; padding: 8px; } .strip rect { fill: var(--reject); }
.cards { display: grid; grid-template-columns: repeat(auto-fill, minmax(290px, 1fr)); gap: 16px; }
.card { overflow: hidden; display: flex; flex-direction: column; }
.card svg, .card .none { display: block; width: 100%; aspect-ratio: 1; background: #000; }
.card .none { display: grid; place-items: center; background: var(--ground); color: var(--dim); }
.card .strips { display: grid; grid-template-columns: repeat(2, 1fr); gap: 2px; } .card img { width: 100%; }
.card .words { padding: 10px 14px 12px; } .card p { margin: 2px 0; overflow-wrap: anywhere; }
.card table { font-size: 12.5px; margin-top: 6px; }
.card td, .card th { padding: 3px 6px 3px 0; }
.head { display: flex; gap: 10px; align-items: baseline; }
.head b { font-size: 17px; } .head span { margin-left: auto; }
svg .box { fill: none; stroke-width: 2; vector-effect: non-scaling-stroke; }
svg .box.reject { stroke: #ff4a3d; } svg .box.warn { stroke: #f5b02e; } svg .box.ignore { stroke: #8d99aa; }
.scroll { max-height: 340px; overflow: auto; } a { color: inherit; }
@page { size: A4; margin: 12mm; }
@media print { :root { color-scheme: light; --ground: #fff; } main { padding: 0; max-width: none; }
  .numbers { grid-template-columns: repeat(auto-fit, minmax(110px, 1fr)); } .two { display: block; }
  .cards { grid-template-columns: repeat(3, 1fr); } .card table { display: none; }
  .scroll { max-height: none; overflow: visible; } .card, .numbers .panel, .chart, tr { break-inside: avoid; }
  h2 { break-after: avoid; margin-top: 20px; } .chart svg { max-height: 90mm; }
  * { print-color-adjust: exact; } a { text-decoration: none; } }
</style>
</head>
<body>
<main>
"""

_NUMBERS = """\
<div class="numbers">
{% for value, words, tone in numbers %}
<div class="panel"><b class="{{ tone }}">{{ value }}</b><span class="dim">{{ words }}</span></div>
{% endfor %}
</div>

"""

_CARDS = """\
{% for card in cards %}
{% set line = card.line %}
<article class="panel card" id="{{ card.name }}">
{% if card.face %}
<a href="{{ card.face.file }}">
<svg viewBox="0 0 {{ card.face.width }} {{ card.face.height }}" role="img" aria-label="part {{ line.seq }}">
<image href="{{ card.face.href }}" width="{{ card.face.width }}" height="{{ card.face.height }}"/>
{% for box in card.boxes %}
<rect class="box {{ box.effect }}" x="{{ box.x }}" y="{{ box.y }}" width="{{ box.width }}" height="{{ box.height }}">
<title>{{ box.label }} {{ "%.2f" | format(box.score) }}</title></rect>
{% endfor %}
</svg></a>
{% elif card.crops %}
<div class="strips">
{% for crop in card.crops %}
<a href="{{ crop.file }}"><img src="{{ crop.href }}" alt="detection on part {{ line.seq }}" loading="lazy"></a>
{% endfor %}
</div>
{% else %}
<div class="none">no picture: {{ card.why_none }}</div>
{% endif %}
<div class="words"><div class="head"><b>#{{ line.seq }}</b>
<b class="{{ "warn" if line.cause.is_failsafe else "reject" }}">{{ line.cause.value }}</b>
<span class="dim">{{ card.at }}</span></div>
{% if line.label %}<p>{{ line.label }} {{ "%.2f" | format(line.score) }}</p>{% endif %}
{% if line.reason %}<p class="dim">{{ line.reason }}</p>{% endif %}
{% if line.source %}<p class="dim">{{ line.source }}</p>{% endif %}
{% if line.detections %}
<table><tr><th>class</th><th class="n">score</th><th class="n">box</th><th></th></tr>
{% for one in line.detections %}
<tr><td>{{ one.label }}</td><td class="n">{{ "%.2f" | format(one.score) }}</td>
<td class="n">{{ "%.0f, %.0f" | format(one.x, one.y) }} · {{ "%.0f × %.0f" | format(one.width, one.height) }}</td>
<td class="{{ "dim" if one.effect == "ignore" else one.effect }}">{{ one.effect }}</td></tr>
{% endfor %}
</table>
{% endif %}
</div></article>
{% endfor %}
"""

_EVENTS = """\
{% if events %}
<h2>Events</h2>
<div class="panel scroll"><table>
{% for event in events %}
<tr><td class="dim">{{ event.wall }}</td><td>{{ event.kind }}</td><td>{{ event.text }}</td>
<td class="n dim">{{ event.seq or "" }}</td></tr>
{% endfor %}
</table></div>
{% endif %}
"""

_END = """\
</main>
</body>
</html>
"""

PARTS = {"top": _TOP, "numbers": _NUMBERS, "cards": _CARDS, "events": _EVENTS, "end": _END}
