// With whom the caller goes on: at once, or after the other one was asked; and the caller who is sent to pay.
import { by, options, put, show, spoken } from "./page.js";

const OUTSIDE = "number"; // of the choices whom the caller is to go on with

export class HandingOver {
  // desk: what /agent/desk says; ask(operation, fields): at the center
  constructor(t, desk, ask) {
    this.t = t;
    this.desk = desk;
    this.ask = ask;
    const asks = { complete: "agent_complete", cancel: "agent_cancel", swap: "agent_swap", conference: "agent_conference", pay: "agent_payment_begin", "pay-end": "agent_payment_end" };
    for (const [id, operation] of Object.entries(asks)) by(id).addEventListener("click", () => ask(operation));
    by("blind").addEventListener("click", () => this.#begin("agent_transfer"));
    by("transfer").addEventListener("submit", (event) => {
      event.preventDefault();
      this.#begin("agent_consult");
    });
    by("target").addEventListener("change", () => show("outside", by("target").value === OUTSIDE));
    options(by("target"), [
      ["", t("choose")],
      ...desk.colleagues.map((one) => [`colleague:${one.name}`, one.name]),
      ...desk.queues.map((one) => [`queue:${one.name}`, `${t("queue")}: ${spoken(one.name)}`]),
      ...(desk.outside ? [[OUTSIDE, t("number_outside")]] : []),
    ]);
  }

  #begin(how) {
    const chosen = by("target").value;
    const [kind, name] = chosen === OUTSIDE ? ["number", by("target-number").value.trim()] : chosen.split(":", 2);
    if (name) this.ask(how, { [kind]: name });
  }

  render(contact, agent) {
    const talks = contact?.state === "connected";
    const consult = talks ? contact.consult : null;
    const hers = consult?.agent === agent?.name;
    show("transfer", talks && !consult && !contact.payment);
    show("consulting", Boolean(consult));
    for (const id of ["complete", "cancel"]) show(id, hers);
    for (const id of ["swap", "conference"]) show(id, hers && consult.answered);
    if (consult) put("consult-state", this.#told(consult, hers));
    show("payment", talks && this.desk.payment_flows.length > 0 && !consult);
    show("pay", !contact?.payment);
    show("pay-end", Boolean(contact?.payment));
  }

  #told(consult, hers) {
    if (!hers) return this.t("consulted_by", { agent: consult.agent });
    return consult.answered ? this.t(`hears_${consult.hears}`, { whom: consult.with }) : this.t("consult_rings", { whom: consult.with });
  }
}
