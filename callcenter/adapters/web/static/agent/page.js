// Small helpers of the console's page. Whatever came from outside is put in as text, never as markup.

export const by = (id) => document.getElementById(id);

export function show(id, shown) {
  by(id).hidden = !shown;
}

export function put(id, text) {
  const element = by(id);
  if (element.textContent !== text) element.textContent = text;
}

// put("p", {className: "note"}, "text", child, …)
export function make(name, properties = {}, ...children) {
  const element = document.createElement(name);
  Object.assign(element, properties);
  element.append(...children.filter((child) => child !== null && child !== ""));
  return element;
}

// A text from outside, kept apart from the direction of what stands around it.
export const own = (text, properties = {}) => make("bdi", properties, String(text ?? ""));

export function options(select, entries, chosen = "") {
  select.replaceChildren(...entries.map(([value, text]) => make("option", { value, selected: value === chosen }, text)));
}

export function pairs(list, entries) {
  list.replaceChildren(...entries.flatMap(([name, value]) => [make("dt", {}, name), make("dd", {}, value instanceof Node ? value : own(value))]));
}

export function clock(seconds) {
  const whole = Math.max(0, Math.floor(seconds));
  const [hours, minutes, rest] = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60, whole % 60];
  const two = (n) => String(n).padStart(2, "0");
  return hours ? `${hours}:${two(minutes)}:${two(rest)}` : `${minutes}:${two(rest)}`;
}

// All elements with data-since count up, those with data-until count down.
export function tick(now) {
  for (const element of document.querySelectorAll("[data-since], [data-until]")) {
    const until = Date.parse(element.dataset.until || "");
    const since = Date.parse(element.dataset.since || "");
    const text = !Number.isNaN(until) ? clock((until - now) / 1000) : Number.isNaN(since) ? "" : clock((now - since) / 1000);
    if (element.textContent !== text) element.textContent = text;
  }
}

export function moment(text) {
  const at = new Date(text);
  return Number.isNaN(at.valueOf()) ? "" : at.toLocaleString(document.documentElement.lang, { dateStyle: "medium", timeStyle: "short" });
}

// "by_mail" and "sale/by-phone" as people read them.
export const spoken = (name) => String(name).replaceAll("/", " › ").replaceAll(/[_-]/g, " ");
