// What waits for her beside callers: callbacks that she may take, messages that she may listen to.
import { formHeaders } from "../words.js";
import { by, clock, make, moment, own, put, show, spoken } from "./page.js";

const LOOK_EVERY_MS = 20_000;

export class Waiting {
  // take(callback): make it hers, and herself ready for it; trouble(text): say what went wrong
  constructor(t, take, trouble) {
    this.t = t;
    this.take = take;
    this.trouble = trouble;
    this.look();
    setInterval(() => this.look(), LOOK_EVERY_MS);
  }

  async look() {
    const told = await fetch("/agent/waiting").then((answer) => (answer.ok ? answer.json() : null), () => null);
    if (!told) return;
    const { callbacks, messages } = told;
    show("waiting", callbacks !== null || messages !== null);
    show("no-waiting", !callbacks?.length && !messages?.length);
    fill("to-call", callbacks ?? [], (each) => `${each.callback} ${each.due_at} ${each.mine}`, (each) => this.#callback(each));
    fill("to-hear", messages ?? [], (each) => each.message, (each) => this.#message(each));
    for (const each of messages ?? []) by(`new-${each.message}`).hidden = each.heard;
  }

  #callback(each) {
    const { t } = this;
    const button = make("button", { type: "button", className: "plain", ariaLabel: t("take_one", { number: each.number }) }, t("take"));
    button.addEventListener("click", async () => {
      button.disabled = true;
      if (await this.take(each)) put("waiting-state", t("taken", { number: each.number }));
      button.disabled = false;
      this.look();
    });
    const whom = make("p", {}, own(each.name), " ", own(each.number, { dir: "ltr" }), tag(each.mine ? t("mine") : "", "soon"));
    const when = make("p", { className: "soft" }, own(spoken(each.queue)), " · ", make("time", { dateTime: each.due_at }, moment(each.due_at)));
    return make("li", {}, make("div", {}, whom, when), button);
  }

  #message(each) {
    const { t } = this;
    const caller = each.name || each.caller || t("withheld");
    const fresh = tag(t("message_new"), "soon");
    fresh.id = `new-${each.message}`;
    const from = make("p", {}, own(each.name), " ", own(each.caller || t("withheld"), { dir: "ltr" }), fresh);
    const when = make("time", { dateTime: each.left_at }, moment(each.left_at));
    const about = make("p", { className: "soft" }, when, " · ", own(each.queue ? spoken(each.queue) : t("mine")), ` · ${clock(each.length_s)}`);
    const address = `/api/v1/messages/${encodeURIComponent(each.message)}`;
    const sound = make("audio", { controls: true, preload: "none", src: `${address}/audio`, ariaLabel: t("message_from", { caller }) });
    sound.addEventListener("playing", () => !fresh.hidden && this.#ask("POST", `${address}/heard`));
    const button = make("button", { type: "button", className: "plain" }, t("message_delete"));
    button.addEventListener("click", () => {
      if (button.dataset.sure) return this.#ask("DELETE", address);
      button.dataset.sure = "yes"; // a second press does it
      button.textContent = t("message_delete_sure");
    });
    return make("li", {}, make("div", {}, from, about, sound), button);
  }

  async #ask(method, address) {
    const answer = await fetch(address, { method, headers: formHeaders() }).catch(() => null);
    if (!answer?.ok) this.trouble((await answer?.json().catch(() => null))?.detail ?? this.t("line_down"));
    this.look();
  }
}

function tag(text, tone) {
  const element = make("span", { className: "tag", hidden: !text }, text);
  element.dataset.tone = tone;
  return element;
}

// Rows that stay are not touched: somebody may be listening there.
function fill(id, items, keyOf, row) {
  const list = by(id);
  const rows = new Map([...list.children].map((each) => [each.dataset.key, each]));
  const keys = items.map(keyOf);
  for (const [key, each] of rows) if (!keys.includes(key)) each.remove();
  items.forEach((item, place) => {
    const shown = rows.get(keys[place]) ?? row(item);
    shown.dataset.key = keys[place];
    if (list.children[place] !== shown) list.insertBefore(shown, list.children[place] ?? null);
  });
  show(`${id}-title`, items.length > 0);
}
