"""The page of a run's report; what it includes stands in page_parts.py."""

PAGE = """\
{% include "top" %}
<h1>{{ title }}</h1>
<div class="dim">{{ station or "station unknown" }}
{% if began %} · {{ began }}{% if ended != began %} to {{ ended }}{% endif %}{% endif %}
{% if interrupted %} · <span class="warn">interrupted</span>{% endif %}</div>

{% include "numbers" %}
<div class="two">
{% for title, rows in tables %}
<div><h2>{{ title }}</h2><div class="panel">
{% if rows %}
<table>
{% for row in rows %}
<tr><td>{{ row.name }}</td><td class="n">{{ row.count }}</td>
<td class="n dim">{{ "%.1f" | format(row.percent) }} %</td>
<td class="bar"><i style="width:{{ "%.1f" | format(row.length) }}%"></i></td></tr>
{% endfor %}
</table>
{% else %}<p class="empty dim">none</p>{% endif %}
</div></div>
{% endfor %}
</div>

{% if strip %}
<h2>Rejects along the run</h2>
<div class="panel">
<svg class="strip" viewBox="0 0 {{ strip | length }} 1" preserveAspectRatio="none" role="img" aria-label="rejects">
{% for bin in strip if bin.rejects %}
<rect x="{{ bin.number + 0.06 }}" y="{{ "%.4f" | format(1 - bin.share) }}" width="0.88"
 height="{{ "%.4f" | format(bin.share) }}">
<title>parts {{ bin.first }} to {{ bin.last }}: {{ bin.rejects }} rejected</title>
</rect>
{% endfor %}
</svg></div>
{% endif %}

<h2>Rejects</h2>
{% if left_out %}
<p class="dim">The first {{ cards | length }} are shown, {{ left_out }} more are in the decision log.</p>
{% endif %}
{% if not cards %}<p class="dim">No part was rejected.</p>{% endif %}
<div class="cards">
{% include "cards" %}
</div>

{% include "events" %}
{% include "end" %}
"""
