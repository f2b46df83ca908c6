// Counts, rates, slack, health, causes and what is in use.

import { byId, make, makeSvg, newSign, track } from "./dom.js";

export function showFigures(page) {
  showCounts(page);
  showRates(page);
  showSlack(page.slack);
  byId("cells").replaceChildren(...page.health.map(cell));
  showPareto(page.pareto);
  byId("use").replaceChildren(...page.use.map(([name, value]) =>
    make("div", {}, make("dt", { textContent: name }), make("dd", { textContent: value }))));
}

function showCounts(page) {
  byId("per-minute").textContent = page.per_minute === null ? "–" : Math.round(page.per_minute);
  for (const key of ["passed", "defects", "failsafe"]) byId(key).textContent = page[key].toLocaleString("en");
  const missed = page.missed ? `; not heard by this page: ${page.missed}` : "";
  byId("shift").textContent = `shift since ${page.shift_since}: ${page.decided.toLocaleString("en")} parts${missed}`;
}

function showRates(page) {
  const percent = (value) => `${(100 * value).toFixed(value < 0.1 ? 2 : 1)} %`;
  rate("reject-rate", "rejected", page.reject_rate, percent);
  rate("failsafe-rate", "in doubt", page.failsafe_rate, percent);
  rate("in-a-row", "in a row", page.in_a_row, String);
}

// The limit stands at two thirds of the bar, so that it shows how far beyond it one is.
function rate(id, name, figure, write) {
  const over = figure.of ? `last ${figure.of}` : "";
  const limit = figure.limit === null ? "no limit" : `limit ${write(figure.limit)}`;
  const row = make("div", { className: "row" },
    make("span", {}, `${name} `, make("b", { textContent: write(figure.value) })),
    make("span", { className: "dim", textContent: [limit, over].filter(Boolean).join(", ") }));
  const share = figure.limit === null ? 0 : (figure.value / figure.limit) * (2 / 3);
  const item = byId(id);
  // Beyond the limit without an alarm: too few parts for certainty yet.
  item.dataset.tone = figure.alarm ? "reject" : share > 2 / 3 ? "doubt" : "good";
  item.replaceChildren(row, track(share, figure.limit === null ? null : 2 / 3));
}

function showSlack(slack) {
  const bars = byId("slack-bars");
  if (slack.middle === null) {
    bars.replaceChildren();
    return;
  }
  byId("slack-middle").textContent = `${Math.round(slack.middle)} ms`;
  const words = `of ${slack.deadline_ms} ms, middle; least ${Math.round(slack.least)} ms`;
  byId("slack-words").textContent = words;
  bars.setAttribute("aria-label",
    `time left over the last ${slack.recent.length} parts: ${Math.round(slack.middle)} ms ${words}`);
  bars.replaceChildren(...slack.recent.map((left, index) => bar(left, slack.deadline_ms, 120 - slack.recent.length + index)));
  byId("stages").textContent = slack.stages.map(([name, ms]) => `${name} ${ms} ms`).join("  ·  ");
}

function bar(left, deadline, x) {
  const share = Math.min(1, left / deadline);
  const kind = share <= 0 ? "late" : share < 0.1 ? "short" : "";
  const height = share <= 0 ? 40 : 40 * share;
  return makeSvg("rect", { x: x + 0.1, width: 0.8, y: 40 - height, height, class: kind });
}

function cell(health) {
  const item = make("li", {}, newSign(health.tone),
    make("span", {}, health.name, make("b", { textContent: health.word }), make("small", { textContent: health.detail })));
  item.dataset.tone = health.tone;
  return item;
}

function showPareto(rows) {
  byId("no-causes").hidden = rows.length > 0;
  byId("pareto").hidden = rows.length === 0;
  const most = Math.max(1, ...rows.map((row) => row.count));
  byId("pareto").tBodies[0].replaceChildren(...rows.map((row) => {
    const line = make("tr", {}, make("th", { scope: "row", textContent: row.name }),
      make("td", { className: "n", textContent: row.count }),
      make("td", { className: "bar" }, track(row.count / most)));
    line.dataset.tone = row.tone;
    return line;
  }));
}
