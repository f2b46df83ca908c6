// The stream of news, and the watch over it: what is not confirmed within a second is shown as gone.

import { byId, sign } from "./dom.js";
import { showFigures } from "./figures.js";
import { showRejects } from "./rejects.js";
import { tell } from "./speech.js";
import { setUpTheme } from "./theme.js";

const SILENT_MS = 900; // the station sends at least every 250 ms
const RETRY_MS = 2000;
const FRESH_S = 10; // an older verdict is an outline

let heardAt = null; // performance.now() of the last page
let openedAt = performance.now();

function listen() {
  const source = new EventSource("events");
  source.onmessage = (message) => {
    heardAt = performance.now();
    show(JSON.parse(message.data));
  };
  source.onerror = () => {
    if (source.readyState === EventSource.CLOSED) setTimeout(listen, RETRY_MS); // else it tries again by itself
  };
}

function show(page) {
  document.body.dataset.contact = "made";
  byId("station").textContent = page.station;
  showLine(page.line, page.last);
  showAlarms(page.alarms);
  showFigures(page);
  showRejects(page.rejects);
  tell(page);
}

function showLine(line, last) {
  document.body.dataset.line = line.tone;
  const pill = byId("line");
  pill.dataset.tone = line.tone;
  sign(pill, line.tone);
  byId("line-word").textContent = line.word;
  byId("line-detail").textContent = line.detail;
  if (line.tone === "bad") showVerdict("bad", line.word, line.detail, ended(last), false);
  else if (last === null) showVerdict("unknown", "NO PART YET", line.detail, "", false);
  else showVerdict(last.tone, last.word, last.why, which(last), last.ago_s > FRESH_S || line.tone !== "good");
  document.title = `${line.tone === "good" && last ? last.word : line.word} · ${byId("station").textContent}`;
}

function showVerdict(tone, word, why, words, past) {
  const verdict = byId("verdict");
  verdict.dataset.tone = tone;
  verdict.classList.toggle("past", past);
  verdict.classList.toggle("long", word.length > 6);
  sign(verdict, tone);
  byId("word").textContent = word;
  byId("why").textContent = why;
  byId("which").textContent = words;
}

const which = (last) => `part ${last.seq}, ${ago(last.ago_s)}`;
const ended = (last) => (last === null ? "" : `last: part ${last.seq} ${last.word}, ${ago(last.ago_s)}`);

function ago(seconds) {
  if (seconds < 1.5) return "just now";
  if (seconds < 120) return `${Math.round(seconds)} s ago`;
  return `${Math.round(seconds / 60)} min ago`;
}

function showAlarms(alarms) {
  const strip = byId("alarms");
  const text = alarms.length ? `ALARM  ${alarms.join("   ·   ")}` : "";
  if (strip.textContent !== text) strip.textContent = text; // written only when it is news: it is read aloud
  strip.hidden = !alarms.length;
}

function watch() {
  const silentMs = performance.now() - (heardAt ?? openedAt);
  if (silentMs < SILENT_MS) return;
  document.body.dataset.contact = "lost";
  const detail = heardAt === null ? "nothing heard yet" : `this page hears nothing for ${(silentMs / 1000).toFixed(1)} s`;
  showLine({ tone: "bad", word: "NO CONTACT", detail }, null);
  showAlarms([]);
}

setUpTheme(byId("theme"));
listen();
setInterval(watch, 100);
