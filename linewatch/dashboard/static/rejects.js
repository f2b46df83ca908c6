// The last rejected parts: a piece of the picture around its boxes; a click or Enter opens the whole picture.

import { byId, make, makeSvg, newSign } from "./dom.js";

let shown = "";

export function showRejects(rejects) {
  const now = JSON.stringify(rejects);
  if (now === shown) return; // pictures are not loaded anew for nothing
  shown = now;
  byId("no-rejects").hidden = rejects.length > 0;
  const before = new Map([...byId("tiles").children].map((tile) => [tile.dataset.key, tile]));
  byId("tiles").replaceChildren(...rejects.map((reject) => {
    const key = JSON.stringify(reject);
    return before.get(key) ?? tile(reject, key);
  }));
}

function tile(reject, key) {
  const what = `part ${reject.seq}: ${reject.title}`;
  const item = make("li", {}, face(reject, what),
    make("b", { title: reject.title }, newSign(reject.tone), make("span", { textContent: reject.title })),
    make("small", { textContent: [`#${reject.seq}`, reject.time].join("  ") }),
    make("small", { textContent: reject.why, title: reject.why }));
  item.dataset.key = key;
  item.dataset.tone = reject.tone;
  return item;
}

function face(reject, what) {
  if (!reject.picture) return placeholder(reject.no_picture);
  const [width, height] = reject.size;
  const image = makeSvg("image", { href: reject.picture, width, height });
  const boxes = reject.boxes.map((box) => makeSvg("rect",
    { class: "box", "data-tone": box.tone, x: box.x, y: box.y, width: box.width, height: box.height },
    makeSvg("title", {}, box.label)));
  const picture = makeSvg("svg",
    { class: "picture", viewBox: reject.view.join(" "), role: "img", "aria-label": what }, image, ...boxes);
  const link = make("a", { href: reject.picture, target: "_blank", title: "the whole picture" }, picture);
  image.addEventListener("error", () => link.replaceWith(placeholder("the picture is gone or damaged")));
  return link;
}

const placeholder = (reason) => make("div", { className: "none", textContent: `no picture: ${reason}` });
