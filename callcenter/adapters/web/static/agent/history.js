// What is known of a caller from before.
import { grade } from "./quality.js";
import { by, clock, make, moment, own, show, spoken } from "./page.js";

const FLAGS = new Set(["success", "resolved", "do_not_call", "call_back", "retry", "never_again"]);

export function showHistory(t, known) {
  const none = !known || (known.calls.length === 0 && known.messages.length === 0 && known.callbacks.length === 0);
  show("no-history", none);
  by("no-history").textContent = t(!known ? "history_later" : known.away ? "history_away" : "no_history");
  by("calls").replaceChildren(...(known ? known.calls.map((call) => callRow(t, call)) : []));
  fill("messages", known ? known.messages.map((one) => messageRow(t, one)) : []);
  fill("callbacks", known ? known.callbacks.map((one) => callbackRow(t, one)) : []);
  const link = by("pop-link");
  show("pop", Boolean(known && known.pop));
  if (known && known.pop) link.href = known.pop;
}

function fill(id, rows) {
  by(id).replaceChildren(...rows);
  show(`${id}-title`, rows.length > 0);
}

function callRow(t, call) {
  const row = make("li");
  const how = call.talk_s > 0 ? t("talked_for", { time: clock(call.talk_s) }) : t("not_reached");
  row.append(make("p", {}, make("time", { dateTime: call.started_at }, moment(call.started_at)), " · ", how));
  if (call.path.length) row.append(make("p", { className: "soft" }, `${t("path")} `, own(call.path.map((stay) => stay.node).join(" → "))));
  for (const contact of call.contacts) row.append(contactPart(t, contact));
  return row;
}

function contactPart(t, contact) {
  const part = make("div");
  const words = [spoken(contact.queue), contact.agent, contact.disposition ? spoken(contact.disposition) : ""].filter(Boolean);
  part.append(make("p", {}, own(words.join(" · "))));
  const means = (contact.disposition_flags ?? []).map((flag) => (FLAGS.has(flag) ? t(`flag_${flag}`) : flag));
  if (means.length) part.append(make("p", { className: "soft" }, own(means.join(" · "))));
  if (contact.note) part.append(make("p", { className: "note", dir: "auto" }, contact.note));
  for (const script of contact.scripts) {
    for (const { field, answer } of script.answers) part.append(make("p", { className: "soft" }, own(`${spoken(field)}: ${answer}`)));
  }
  if (contact.sound) part.append(make("p", { className: "soft" }, sounded(t, contact.sound)));
  return part;
}

function sounded(t, { received, lost, jitter_ms, rtt_ms }) {
  const loss = received + lost > 0 ? lost / (received + lost) : 0;
  const figures = { loss: (100 * loss).toFixed(1), jitter: Math.round(jitter_ms), rtt: Math.round(rtt_ms) };
  return t(`quality_${grade({ loss, jitter_ms, rtt_ms })}`, figures);
}

function messageRow(t, message) {
  const row = make("li", {}, make("time", { dateTime: message.left_at }, moment(message.left_at)), " · ", own(spoken(message.mailbox.replace(/^(queue|agent):/, ""))));
  row.append(` · ${clock(message.length_s || 0)}`);
  if (message.transcript) row.append(make("p", { className: "note", dir: "auto" }, message.transcript));
  return row;
}

function callbackRow(t, callback) {
  const state = t(`callback_${callback.state}`);
  return make("li", {}, make("time", { dateTime: callback.due_at }, moment(callback.due_at)), " · ", own(spoken(callback.queue)), ` · ${state}`);
}
