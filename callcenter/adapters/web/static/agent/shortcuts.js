// Keys for everything. They work while nothing is being typed, and can be turned off (WCAG 2.1.4).
import { by, make, pairs } from "./page.js";

const KEPT = "callcenter.shortcuts";

// what: [[key, name, action]]
export function shortcuts(what) {
  const box = by("shortcuts-on");
  box.checked = kept() !== "off";
  box.addEventListener("change", () => localStorage.setItem(KEPT, box.checked ? "on" : "off"));
  pairs(by("shortcuts"), what.map(([key, name]) => [name, make("kbd", {}, key)]));
  by("help-open").addEventListener("click", () => by("help").showModal());
  document.addEventListener("keydown", (event) => {
    if (!box.checked || event.ctrlKey || event.metaKey || event.altKey || event.isComposing || by("help").open || typing(event.target)) return;
    const found = what.find(([key]) => key === event.key.toLowerCase());
    if (!found) return;
    event.preventDefault();
    found[2]();
  });
}

function typing(target) {
  return target instanceof HTMLElement && (target.isContentEditable || /^(INPUT|TEXTAREA|SELECT)$/.test(target.tagName));
}

function kept() {
  try {
    return localStorage.getItem(KEPT);
  } catch {
    return null;
  }
}
