// What a screen reader says: the state of the line when it changes, and at most one verdict in five seconds.

import { byId } from "./dom.js";

const PAUSE_MS = 5000;
let line = "";
let saidAt = -PAUSE_MS;
let saidSeq = 0;

export function tell(page) {
  const now = `${page.line.word}`;
  if (now !== line) {
    line = now;
    say(`${page.station}: ${page.line.word} ${page.line.tone === "good" ? "" : page.line.detail}`);
  } else if (page.last && page.last.word === "REJECT" && page.last.seq !== saidSeq && quiet()) {
    saidSeq = page.last.seq;
    say(`part ${page.last.seq} rejected, ${page.last.why}. ${page.passed} passed, ${page.defects} defects, ` +
      `${page.failsafe} in doubt.`);
  }
}

const quiet = () => performance.now() - saidAt >= PAUSE_MS;

function say(text) {
  saidAt = performance.now();
  byId("said").textContent = text.trim();
}
