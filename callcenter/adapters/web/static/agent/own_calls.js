// Calls of her own: to colleagues, who may call her too, and to numbers outside that she may call.
import { by, make, options, put, show, spoken } from "./page.js";

export class OwnCalls {
  // desk: what /agent/desk says; ask(operation, fields): at the center; phone: her softphone, or null
  constructor(t, desk, ask, phone) {
    this.t = t;
    this.desk = desk;
    this.ask = ask;
    this.phone = phone;
    by("colleagues").replaceChildren(...desk.colleagues.map((one) => make("option", { value: one.name })));
    const showing = desk.queues.filter((one) => one.number_shown);
    options(by("dial-queue"), [["", t("number_usual")], ...showing.map((one) => [one.name, `${spoken(one.name)}: ${one.number_shown}`])]);
    show("showing", desk.outside && showing.length > 0);
    by("dial").addEventListener("submit", (event) => {
      event.preventDefault();
      this.#begin(by("dial-to").value.trim());
    });
    by("dial-end").addEventListener("click", () => (phone?.talking ? phone.hangUp() : ask("agent_dial_end")));
  }

  async #begin(wanted) {
    if (!wanted) return;
    const colleague = this.desk.colleagues.some((one) => one.name === wanted);
    if (this.phone) this.phone.expected = true;
    const queue = by("dial-queue").value;
    const done = await this.ask("agent_dial", colleague ? { colleague: wanted } : { number: wanted, ...(queue ? { queue } : {}) });
    if (!done && this.phone) this.phone.expected = false;
  }

  // rings: her softphone does, for something that is no contact
  render(agent, rings) {
    put("own-call", this.#told(agent, rings));
    show("own-call", Boolean(by("own-call").textContent));
    show("dial-end", agent?.reason === "own_call");
  }

  #told(agent, rings) {
    const own = agent?.own_call;
    if (!own) return rings ? this.t("phone_rings") : "";
    const hers = own.began_by === agent.name;
    return this.t(`own_${hers ? "to" : "from"}_${own.talks ? "talks" : "rings"}`, { whom: hers ? own.to : own.began_by });
  }
}
