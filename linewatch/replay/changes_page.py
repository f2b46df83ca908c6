"""The page of `replay --compare`: HTML without scripts and without anything from elsewhere."""

PAGE = """\
<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>changed verdicts · linewatch</title>
<style>
:root { color-scheme: light dark; }
body { max-width: 1000px; margin: 0 auto; padding: 24px; font: 15px/1.5 system-ui, sans-serif; }
h1 { font-size: 24px; margin: 0; } article { margin: 28px 0; } h2 { font-size: 16px; margin: 0 0 8px; }
.two { display: grid; grid-template-columns: 1fr 1fr; gap: 12px; } img { width: 100%; display: block; }
figure { margin: 0; } .none { padding: 40px 12px; border: 1px solid; opacity: 0.6; }
.escapes { color: #c9302c; } p { margin: 4px 0; overflow-wrap: anywhere; }
</style>
</head>
<body>
<h1>{{ changes.changed | length }} of {{ changes.compared }} verdicts changed</h1>
<p>{{ recording }}: from {{ names[0] }} ({{ models[0] }}) to {{ names[1] }} ({{ models[1] }})</p>
{% if changes.alone %}<p>{{ changes.alone }} parts were decided by only one of them and are not compared.</p>{% endif %}
{% if cards | length < changes.changed | length %}
<p>The first {{ cards | length }} are shown; all are in changes.jsonl.</p>
{% endif %}
{% for change, pictures in cards %}
<article>
<h2{% if change.now_passes %} class="escapes"{% endif %}>part {{ change.before.seq }}, {{ change.source }}:
{{ change.before.verdict.value }} before, {{ change.after.verdict.value }} now</h2>
<div class="two">
{% for line in (change.before, change.after) %}
<figure>
{% set picture = pictures[loop.index0] %}
{% if picture %}<img src="{{ picture }}" alt="part {{ line.seq }}, {{ line.verdict.value }}">
{% else %}<div class="none">the picture cannot be read</div>{% endif %}
<figcaption>{{ line.verdict.value }} ({{ line.cause.value }})
{% if line.label %}{{ line.label }} {{ "%.2f" | format(line.score) }}{% endif %} {{ line.reason }}</figcaption>
</figure>
{% endfor %}
</div>
</article>
{% endfor %}
</body>
</html>
"""
