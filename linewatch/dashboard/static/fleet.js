// Several stations, worst first: the stream of news, and the watch over it.

import { byId, make, newSign, sign, track } from "./dom.js";
import { setUpTheme } from "./theme.js";

const SILENT_MS = 1500; // the fleet's process sends at least every 250 ms
const RETRY_MS = 2000;
const MOST_SAID = 3;

let heardAt = null; // performance.now() of the last page
let words = new Map(); // address to state, as last said
const openedAt = performance.now();
const cards = new Map(); // address to list item: kept, so that the keyboard stays where it is

function listen() {
  const source = new EventSource("events");
  source.onmessage = (message) => {
    heardAt = performance.now();
    document.body.dataset.contact = "made";
    show(JSON.parse(message.data));
  };
  source.onerror = () => {
    if (source.readyState === EventSource.CLOSED) setTimeout(listen, RETRY_MS); // else it tries again by itself
  };
}

function show(page) {
  const total = page.stations.length;
  const worst = page.stations[0];
  const detail = page.well === total ? "" : `${worst.name}: ${worst.word}`;
  showWhole(worst.tone, `${page.well} of ${total} well`, detail);
  page.stations.forEach((station, index) => place(station, index));
  tell(page.stations);
}

function showWhole(tone, word, detail) {
  const pill = byId("whole");
  pill.dataset.tone = tone;
  sign(pill, tone);
  byId("whole-word").textContent = word;
  byId("whole-detail").textContent = detail;
  document.title = `${word} · linewatch`;
}

// Moved only when the order is another: a moved element loses the keyboard.
function place(station, index) {
  const list = byId("stations");
  if (!cards.has(station.url)) cards.set(station.url, make("li", {}, make("a", { className: "card", href: station.url })));
  const item = cards.get(station.url);
  if (list.children[index] !== item) {
    const focused = item.contains(document.activeElement);
    list.insertBefore(item, list.children[index] ?? null);
    if (focused) item.firstElementChild.focus();
  }
  fill(item.firstElementChild, station);
}

function fill(card, station) {
  const drawn = JSON.stringify(station);
  if (card.drawn === drawn) return;
  card.drawn = drawn;
  card.dataset.tone = station.tone;
  card.dataset.name = station.name;
  const other = station.itself && station.itself !== station.name ? ` (${station.itself})` : "";
  const head = make("div", { className: "head" }, newSign(station.tone),
    make("span", {}, make("h2", { textContent: station.name + other }),
      make("b", { className: "word", textContent: station.word })));
  const known = station.since ? [] : [figures(station)];
  card.replaceChildren(head, ...details(station), ...known, use(station));
}

function details(station) {
  const since = station.since ? `since ${station.since}, for ${span(station.since_s)}` : "";
  const text = [since, station.detail].filter(Boolean).join(": ");
  const lines = text ? [make("p", { className: "detail", textContent: text })] : [];
  if (station.alarms.length) {
    lines.push(make("p", { className: "alarms", textContent: `ALARM  ${station.alarms.join("  ·  ")}` }));
  }
  return lines;
}

function figures(station) {
  const count = (value) => (value === null ? "–" : value.toLocaleString("en"));
  const verdict = station.verdict_s === null ? ["–", "no part yet", null]
    : [station.verdict || "?", ago(station.verdict_s), station.verdict_tone];
  return make("dl", {},
    figure("last verdict", ...verdict),
    figure("parts / min", station.per_minute === null ? "–" : String(Math.round(station.per_minute))),
    rate("rejected", station.reject_rate, `shift: ${count(station.passed)} pass, ${count(station.defects)} defect`),
    rate("in doubt", station.failsafe_rate, `shift: ${count(station.doubts)} in doubt`));
}

function figure(name, value, small = "", tone = null, ...more) {
  const shown = make("dd", {}, value, make("small", { textContent: small }), ...more);
  if (tone) shown.dataset.tone = tone;
  return make("div", {}, make("dt", { textContent: name }), shown);
}

// The limit stands at two thirds of the bar, as on the station's own page.
function rate(name, figures, shift) {
  if (figures === null) return figure(name, "–", "");
  const percent = (value) => `${(100 * value).toFixed(value < 0.1 ? 2 : 1)} %`;
  const share = figures.limit === null ? 0 : (figures.value / figures.limit) * (2 / 3);
  const tone = figures.alarm ? "reject" : share > 2 / 3 ? "doubt" : null;
  const limit = figures.limit === null ? "no limit" : `limit ${percent(figures.limit)}`;
  return figure(name, percent(figures.value), `${limit}; ${shift}`, tone,
    track(share, figures.limit === null ? null : 2 / 3));
}

function use(station) {
  const known = [station.model && `${station.model} ${station.sha256}`, station.recipe && `recipe ${station.recipe}`,
    station.version && `linewatch ${station.version}`].filter(Boolean);
  const words = known.length && station.since ? ["last known:", known.join("  ·  ")] : [known.join("  ·  ")];
  return make("p", { className: "use", textContent: words.join(" ") });
}

const ago = (seconds) => (seconds < 2.5 ? "just now" : `${span(seconds)} ago`);

function span(seconds) {
  if (seconds < 120) return `${Math.round(seconds)} s`;
  if (seconds < 7200) return `${Math.round(seconds / 60)} min`;
  return `${(seconds / 3600).toFixed(1)} h`;
}

// A screen reader hears what changed, not what is.
function tell(stations) {
  const now = new Map(stations.map((one) => [one.url, `${one.name}: ${one.word}${one.alarms.length ? `, alarm ${one.alarms.join(", ")}` : ""}`]));
  const news = [...now].filter(([url, text]) => words.get(url) !== text).map(([, text]) => text);
  words = now;
  if (!news.length) return;
  const more = news.length > MOST_SAID ? `, and ${news.length - MOST_SAID} more` : "";
  byId("said").textContent = news.slice(0, MOST_SAID).join("; ") + more;
}

function watch() {
  const silentMs = performance.now() - (heardAt ?? openedAt);
  if (silentMs < SILENT_MS) return;
  document.body.dataset.contact = "lost";
  const detail = heardAt === null ? "nothing heard yet" : `this page hears nothing for ${(silentMs / 1000).toFixed(1)} s`;
  showWhole("bad", "NO CONTACT", detail);
}

setUpTheme(byId("theme"));
listen();
setInterval(watch, 100);
