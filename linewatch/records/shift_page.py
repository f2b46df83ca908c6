"""The page of a shift's report; what it includes stands in page_parts.py."""

PAGE = """\
{% include "top" %}
<style>.chart { background: #fff; padding: 8px; } .chart svg { display: block; width: 100%; height: auto; }
.note { color: var(--warn); margin: 6px 0; }</style>
<h1>{{ title }}</h1>
<div class="dim">{{ span }}</div>
<div class="dim">first part {{ first }}, last part {{ last }}; written {{ written }}</div>
{% for note in notes %}
<p class="note">{{ note }}</p>
{% endfor %}

{% include "numbers" %}
<h2>What parts were rejected for</h2>
{% if rejects %}
<div class="panel chart" role="img" aria-label="rejected parts by class and cause">{{ pareto | safe }}</div>
{% else %}<p class="dim">No part was rejected.</p>{% endif %}

<h2>Every {{ step }}</h2>
<div class="panel chart" role="img" aria-label="share of rejects, of rejects in doubt, and parts">
{{ trend | safe }}</div>
<p class="dim">{{ trend_words }}</p>

<h2>Counts</h2>
<div class="two">
<div class="panel"><table>
<tr><th>rejected for</th><th class="n">parts</th><th class="n">of all</th></tr>
{% for name, count, tone, share in rows %}
<tr><td class="{{ "warn" if tone == "doubt" else "reject" }}">{{ name }}</td>
<td class="n">{{ "{:,}".format(count) }}</td>
<td class="n dim">{{ "%.2f" | format(share) }} %</td></tr>
{% endfor %}
</table></div>
<div class="panel"><table>
<tr><th>run</th><th class="n">parts</th><th class="n">rejected</th><th class="n">not logged</th></tr>
{% for run in runs %}
<tr><td>{{ run.run }}</td><td class="n">{{ "{:,}".format(run.decided) }}</td>
<td class="n">{{ "{:,}".format(run.rejected) }}</td><td class="n">{{ "{:,}".format(run.missing) }}</td></tr>
{% endfor %}
</table></div>
</div>

<h2>Rejects</h2>
{% if not rejects %}<p class="dim">No part was rejected.</p>{% endif %}
<div class="cards">
{% include "cards" %}
</div>
{% if listed %}
<p class="dim">The rejects after these, without their pictures in the page:</p>
<div class="panel"><table>
{% for one in listed %}
<tr><td class="dim">{{ one.at }}</td><td>{{ one.run }} #{{ one.seq }}</td><td>{{ one.why }}</td>
<td>{% if one.link %}<a href="{{ one.link }}">picture</a>
{% else %}<span class="dim">{{ one.why_none }}</span>{% endif %}</td></tr>
{% endfor %}
</table></div>
{% endif %}

{% include "events" %}
{% include "end" %}
"""
