// Small helpers over the document; texts are always set as text, never as HTML.

export const byId = (id) => document.getElementById(id);

export function make(name, properties = {}, ...children) {
  const element = Object.assign(document.createElement(name), properties);
  element.append(...children);
  return element;
}

export function makeSvg(name, attributes = {}, ...children) {
  const element = document.createElementNS("http://www.w3.org/2000/svg", name);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
  element.append(...children);
  return element;
}

// The symbol that says the same as the colour.
export function sign(parent, tone) {
  const use = parent.querySelector(".sign use");
  if (use.getAttribute("href") !== `#${tone}`) use.setAttribute("href", `#${tone}`);
}

export const newSign = (tone) =>
  makeSvg("svg", { class: "sign", "aria-hidden": "true" }, makeSvg("use", { href: `#${tone}` }));

// A bar from 0 to 1, with a mark where the limit is.
export function track(share, mark = null) {
  const fill = make("div", { className: "fill" });
  fill.style.width = `${100 * Math.min(1, Math.max(0, share))}%`;
  const whole = make("div", { className: "track" }, fill);
  if (mark !== null) {
    const line = make("div", { className: "mark" });
    line.style.left = `calc(${100 * Math.min(1, mark)}% - 4px)`;
    whole.append(line);
  }
  whole.setAttribute("aria-hidden", "true"); // the number beside it says the same
  return whole;
}
