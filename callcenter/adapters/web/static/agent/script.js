// A script, page by page: what is said is shown, what is asked is filled in; the center checks each page and says which is next.
import { formHeaders } from "../words.js";
import { by, make, put, show, spoken } from "./page.js";

const INPUTS = { number: "text", date: "date", email: "email", phone: "tel", text: "text" };

export class ScriptForm {
  constructor(t, trouble) {
    this.t = t;
    this.trouble = trouble;
    this.contact = "";
    this.answers = {};
    this.pages = [];
    by("script").addEventListener("submit", (event) => {
      event.preventDefault();
      this.next();
    });
    by("script-back").addEventListener("click", () => this.back());
  }

  async begin(contact, answers) {
    if (this.contact === contact) return;
    this.contact = contact;
    this.answers = { ...answers };
    this.pages = [];
    show("script-done", false);
    this.#display(await this.#ask(""));
  }

  end() {
    this.contact = "";
    show("script", false);
  }

  async next() {
    Object.assign(this.answers, this.#filled());
    const page = this.pages.at(-1);
    const said = await this.#ask(page);
    if (!said) return;
    if (said.wrong) this.#complain(said.wrong);
    else if (said.done) this.#done();
    else this.#display(said);
  }

  async back() {
    Object.assign(this.answers, this.#filled());
    this.pages.pop();
    const earlier = this.pages.splice(0);
    const said = await this.#ask("");
    this.pages = earlier.slice(0, -1);
    // Only the pages that were gone through are known to fit; going back shows the one before with its answers.
    if (said && earlier.length <= 1) this.#display(said);
    else if (earlier.length) this.#display(this.shown.get(earlier.at(-1)));
  }

  #filled() {
    return Object.fromEntries([...by("script-fields").querySelectorAll("[name]")].map((field) => [field.name, field.value]));
  }

  async #ask(page) {
    const body = JSON.stringify({ contact: this.contact, page, answers: this.answers });
    const headers = { "Content-Type": "application/json", ...formHeaders() };
    try {
      const said = await (await fetch("/agent/script", { method: "POST", headers, body })).json();
      if (said.error) throw new Error(said.error);
      return said;
    } catch (error) {
      this.trouble(error.message);
      return null;
    }
  }

  #display(page) {
    if (!page || !page.page) return;
    this.shown ??= new Map();
    this.shown.set(page.page, page);
    this.pages.push(page.page);
    put("script-title", page.title);
    put("script-text", page.text);
    by("script-fields").replaceChildren(...page.fields.map((field) => this.#field(field)));
    put("script-next", page.last ? this.t("finish") : this.t("next"));
    show("script-next", true);
    show("script-back", this.pages.length > 1);
    show("script-done", false);
    show("script", true);
  }

  #field(field) {
    const id = `script-${field.name}`;
    const value = this.answers[field.name] ?? field.answer;
    const shared = { id, name: field.name, required: false };
    let input;
    if (field.kind === "long_text") input = make("textarea", { ...shared, value, rows: 3, maxLength: 2000, dir: "auto" });
    else if (field.kind === "choice" || field.kind === "yes_no") {
      const choices = field.kind === "yes_no" ? [["yes", this.t("yes")], ["no", this.t("no")]] : field.choices.map((one) => [one, spoken(one)]);
      const entries = [["", this.t("choose")], ...choices];
      input = make("select", shared, ...entries.map(([key, text]) => make("option", { value: key, selected: key === value }, text)));
    } else input = make("input", { ...shared, type: INPUTS[field.kind] || "text", value, maxLength: 2000, dir: "auto" });
    if (field.required) input.setAttribute("aria-required", "true");
    input.setAttribute("aria-describedby", `${id}-fault`);
    const label = make("label", { htmlFor: id }, field.label, field.required ? ` (${this.t("required")})` : "");
    return make("div", {}, label, input, make("p", { id: `${id}-fault`, className: "fault", hidden: true }));
  }

  #complain(wrong) {
    let first = null;
    for (const field of by("script-fields").querySelectorAll("[name]")) {
      const fault = by(`${field.id}-fault`);
      const why = wrong[field.name];
      field.setAttribute("aria-invalid", String(Boolean(why)));
      fault.textContent = why ? this.t(`wrong_${why}`) : "";
      fault.hidden = !why;
      if (why && !first) first = field;
    }
    if (first) first.focus();
  }

  #done() {
    by("script-fields").replaceChildren();
    put("script-text", "");
    show("script-next", false);
    show("script-back", false);
    show("script-done", true);
  }
}
