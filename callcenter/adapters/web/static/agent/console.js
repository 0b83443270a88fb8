// The agent's console: her line to the center, her softphone, and what the page shows of both. The center owns the call; this page may be
// loaded anew at any moment.
import { ConsoleSocket } from "../console-socket.js";
import { announce, words } from "../words.js";
import { audioPanel } from "./audio_panel.js";
import { Devices } from "./devices.js";
import { HandingOver } from "./handing_over.js";
import { showHistory } from "./history.js";
import { OwnCalls } from "./own_calls.js";
import { by, clock, make, options, own, pairs, put, show, spoken, tick } from "./page.js";
import { PhoneOwner } from "./phone_owner.js";
import { grade } from "./quality.js";
import { ScriptForm } from "./script.js";
import { shortcuts } from "./shortcuts.js";
import { Softphone } from "./softphone.js";
import { Waiting } from "./waiting.js";

const TONES = { ready: "good", talking: "busy", reserved: "soon", wrap_up: "wait", not_ready: "alarm", logged_out: "alarm" };
const NOTE_AFTER_MS = 1500;
const FIGURES_EVERY_MS = 30_000;
const RELAYS_EVERY_MS = 120_000; // what lets her use a relay ends by itself

const t = await words("agent");
const desk = await (await fetch("/agent/desk")).json();
const line = new ConsoleSocket();
const devices = new Devices();
const phone = desk.softphone ? new Softphone(desk.softphone, devices) : null;
const owner = new PhoneOwner();
const script = new ScriptForm(t, trouble);
const handingOver = new HandingOver(t, desk, ask);
const ownCalls = new OwnCalls(t, desk, ask, phone);
const waiting = new Waiting(t, takeCallback, trouble);
let agent = null;
let contact = null;
let started = false;
let loaded = ""; // the contact whose history is shown
let talked = ""; // the contact she talks with, or did last: its figures come when it may be over already
let resuming = false;
let noteTimer = 0;

// --- asking ------------------------------------------------------------------------------------

async function ask(operation, fields = {}) {
  trouble("");
  try {
    return await line.do(operation, fields);
  } catch (error) {
    trouble(error.message);
    return null;
  }
}

function trouble(text) {
  put("trouble", text);
  show("trouble", Boolean(text));
}

// The second click of a double click is the same wish, whatever stands there by then.
const on = (id, act) => by(id).addEventListener("click", (event) => event.detail < 2 && act(event));

on("login", () => ask("agent_login"));
on("ready", () => ask("agent_ready"));
on("not-ready", () => ask("agent_not_ready", { reason: by("reason").value }));
on("logout", () => ask("agent_logout"));
on("wrap-up-end", async () => {
  await keepNote();
  ask("agent_wrap_up_end");
});
on("extend", () => ask("agent_extend"));
// --- her phone ---------------------------------------------------------------------------------

on("answer", () => phone?.answer());
on("decline", () => phone?.decline());
on("hang-up", () => lineIsUp() && phone.hangUp());
on("mute", () => phone?.talking && phone.mute(!phone.muted));
on("hold", () => lineIsUp() && phone.hold(!phone.held));
on("resume", resume);
on("take-phone", () => owner.take(true));
by("keypad").addEventListener("click", (event) => event.target.dataset.digit && phone?.sendDigits(event.target.dataset.digit));
by("keypad").addEventListener("keydown", (event) => /^[0-9*#]$/.test(event.key) && phone?.sendDigits(event.key));

// What cannot be told the center is not done: the caller would be left in silence. To mute is hers alone.
function lineIsUp() {
  if (phone && !phone.reachable) trouble(t(signedOut ? "signed_out" : "line_down"));
  return Boolean(phone?.reachable);
}

function listenToPhone() {
  const listen = (type, act) => phone.addEventListener(type, (event) => act(event.detail));
  listen("state", () => {
    render();
    if (phone.registered) resumeIfLost();
  });
  listen("ringing", () => {
    if (by("auto-answer").checked) phone.answer();
    render();
  });
  listen("connected", () => {
    resuming = false;
    render();
  });
  listen("ended", render);
  listen("held", render);
  listen("muted", render);
  listen("replaced", () => owner.lost());
  listen("quality", showQuality);
  listen("summary", keepQuality);
  listen("trouble", ({ what, error }) => trouble(t(`phone_${what}`, { error })));
}

owner.addEventListener("changed", () => {
  if (!phone) return;
  if (owner.mine && !started) phone.start();
  if (!owner.mine && started) {
    if (phone.talking) location.reload(); // to stop would hang up; the call goes on where she took it to
    else phone.stop();
  }
  started = owner.mine;
  render();
});

// Before a call is on, the newest tab has the phone; in the middle of one only the tab that had it, unless she says so.
function claimPhone() {
  if (!phone || owner.mine) return;
  const busy = agent && (agent.state === "talking" || agent.state === "reserved" || agent.own_call);
  if (!busy || owner.wasMine) owner.take();
  else render();
}

function lostTalk() {
  const idle = phone && owner.mine && phone.registered && !phone.talking && !phone.incoming;
  return Boolean(idle && (contact?.state === "connected" ? !contact.rings : agent?.own_call?.on_it));
}

// The page was loaded anew in mid-talk, with a caller or in a call of her own: her softphone is rung once more.
function resumeIfLost() {
  if (lostTalk() && !resuming && !contact?.resuming && !agent?.own_call?.resuming) resume();
}

async function resume() {
  resuming = true;
  phone.expected = true;
  if (!(await ask("agent_resume"))) {
    resuming = false;
    phone.expected = false;
  }
  render();
}

function showQuality(now) {
  show("quality", true);
  const figures = { loss: (100 * now.loss).toFixed(1), jitter: Math.round(now.jitter_ms), rtt: Math.round(now.rtt_ms) };
  put("quality", t(`quality_${grade(now)}`, figures));
}

function keepQuality(summary) {
  show("quality", false);
  if (!summary || !talked) return;
  const { received, lost, jitter_ms, rtt_ms, worst_loss, worst_jitter_ms, worst_rtt_ms } = summary;
  const measured = { contact: talked, received, lost, jitter_ms, rtt_ms, worst_loss, worst_jitter_ms, worst_rtt_ms };
  line.do("agent_quality", measured).catch(() => {}); // one that has been over for long takes no figures
}

async function relays() {
  const told = await fetch("/agent/desk").then((answer) => (answer.ok ? answer.json() : null), () => null);
  if (told?.softphone) phone.account.ice_servers = told.softphone.ice_servers;
}

// --- what the center tells -----------------------------------------------------------------------

let signedOut = false;

line.on("state", ({ connected, ...told }) => {
  signedOut = Boolean(told.signedOut);
  document.body.dataset.line = connected ? "up" : "down";
  show("sign-in-again", signedOut); // in another tab: this one has the call's audio
  if (signedOut) trouble(t("signed_out"));
  else if (!connected) trouble(t("line_down"));
  else trouble("");
  if (connected) refresh();
});
line.on("picture", (told) => {
  agent = told.agent;
  contact = told.contact;
  claimPhone();
  render();
  resumeIfLost();
});
line.on("offer", (told) => {
  contact = told.contact;
  render();
  document.body.dataset.popped = contact.contact;
  announce(t("offer_from", { caller: contact.caller_name || contact.caller || t("withheld") }));
});
line.on("contact", (told) => {
  const before = contact?.contact;
  contact = told.contact;
  if (before && before !== contact?.contact) Promise.all([figures(), waiting.look()]);
  render();
});
line.on("agent", (told) => {
  agent = told.agent;
  claimPhone();
  render();
});
line.on("engine", ({ here }) => trouble(here ? "" : t("engine_away")));
line.on("notices", (told) => listNotices(told.notices));

async function refresh() {
  await Promise.all([notices(), figures(), waiting.look()]);
}

async function notices() {
  const listed = await line.do("notice_list").catch(() => null);
  if (listed) listNotices(listed.notices);
}

function listNotices(unseen) {
  by("notices").replaceChildren(...unseen.map(noticeRow));
}

function noticeRow(notice) {
  const seen = make("button", { type: "button", className: "plain" }, t("seen"));
  const row = make("div", { className: "notice" }, make("span", { dir: "auto" }, own(notice.by), ": ", own(notice.text)), seen);
  row.dataset.tone = "soon";
  seen.addEventListener("click", async () => {
    if (await ask("notice_ack", { notice: notice.notice })) row.remove();
  });
  return row;
}

async function figures() {
  const own_ = await line.do("agent_figures").catch(() => null);
  if (!own_) return;
  const length = (seconds) => (seconds === null || seconds === undefined ? "–" : clock(seconds));
  pairs(by("figures"), [
    [t("figure_contacts"), own_.contacts],
    [t("figure_talk"), length(own_.talk_s)],
    [t("figure_hold"), length(own_.hold_s)],
    [t("figure_wrap_up"), length(own_.wrap_up_s)],
    [t("figure_aht"), length(own_.aht_s)],
    [t("figure_occupancy"), own_.occupancy === null ? "–" : `${Math.round(100 * own_.occupancy)} %`],
  ]);
}

// --- what the page shows -------------------------------------------------------------------------

function render() {
  if (contact?.state === "connected") talked = contact.contact;
  renderPresence();
  renderPhone();
  renderContact();
  renderWork();
  renderQueues();
  document.body.dataset.shown = `${agent?.state ?? ""}/${contact?.state ?? ""}`;
}

function renderPresence() {
  if (!agent) return;
  const { state } = agent;
  const reason = agent.reason ? ` (${spoken(agent.reason)})` : "";
  put("state", t(`state_${state}`) + reason);
  by("state").dataset.tone = TONES[state];
  by("state-timer").dataset.since = agent.since || "";
  by("state-timer").dataset.until = state === "wrap_up" && agent.until ? agent.until : "";
  put("later", agent.later ? t("later", { state: agent.later.reason ? spoken(agent.later.reason) : t(`state_${agent.later.state}`) }) : "");
  const out = state === "logged_out";
  show("login", out);
  show("ready", !out && (state === "not_ready" || (agent.later && agent.later.state !== "ready")));
  show("not-ready", !out);
  show("reason", !out);
  show("logout", !out);
  show("wrap-up-end", state === "wrap_up");
  show("extend", state === "wrap_up" && Boolean(contact?.may_extend) && !agent.extended);
}

function renderPhone() {
  const [tone, text] = phoneState();
  put("phone", text);
  by("phone").dataset.tone = tone;
  show("take-phone", Boolean(phone) && !owner.mine);
}

function phoneState() {
  if (!phone) return agent?.phone_reachable === false ? ["alarm", t("desk_phone_gone")] : ["good", t("desk_phone")];
  if (!owner.mine) return ["wait", t("phone_elsewhere")];
  return phone.registered ? ["good", t("phone_here")] : ["alarm", t("phone_connecting")];
}

function renderContact() {
  show("no-contact", !contact && !agent?.own_call);
  show("contact-body", Boolean(contact));
  renderControls();
  if (!contact) {
    showHistory(t, null);
    loaded = "";
    return;
  }
  put("caller-name", contact.caller_name || "");
  put("caller", contact.caller || t("withheld"));
  put("contact-state", t(`contact_${contact.state}`));
  by("contact-timer").dataset.since = contact.connected_at || contact.offered_at || "";
  show("held", Boolean(contact.held_since));
  show("offer", contact.state === "offered");
  put("offer", contact.state === "offered" ? t("offered", { queue: spoken(contact.queue) }) : "");
  pairs(by("facts"), factsOf());
  if (loaded !== contact.contact) load();
}

function factsOf() {
  const known = [[t("queue"), spoken(contact.queue)], [t("dialed"), contact.dialed]];
  if (contact.lists.length) known.push([t("lists"), contact.lists.map(spoken).join(", ")]);
  if (contact.requires) known.push([t("requires"), contact.requires]);
  return known.concat(Object.entries(contact.attributes).filter(([name]) => name !== "caller").map(([name, value]) => [spoken(name), value]));
}

// Her phone, whatever it is used for; and what can be done with the caller, if there is one.
function renderControls() {
  const here = Boolean(phone && owner.mine);
  show("answer", here && Boolean(phone.incoming));
  show("decline", here && Boolean(phone.incoming));
  for (const id of ["mute", "hold", "hang-up"]) show(id, here && phone.talking);
  show("keypad-box", here && phone.talking);
  press("mute", here && phone.muted);
  press("hold", here && phone.held);
  show("resume", lostTalk() && !resuming);
  ownCalls.render(agent, here && phone.incoming && contact?.state !== "offered");
  handingOver.render(contact, agent);
}

function press(id, pressed) {
  by(id).setAttribute("aria-pressed", String(Boolean(pressed)));
}

async function load() {
  const wanted = (loaded = contact.contact);
  const known = await fetch(`/agent/caller?contact=${encodeURIComponent(wanted)}`).then((answer) => (answer.ok ? answer.json() : null), () => null);
  if (contact?.contact === wanted) showHistory(t, known);
}

function renderWork() {
  const working = contact && (contact.state === "connected" || contact.state === "wrapping");
  const queue = working ? desk.queues.find((one) => one.name === contact.queue) : null;
  show("no-work", !working);
  show("noting", Boolean(working));
  show("dispositions", Boolean(working) && contact.dispositions.length > 0);
  show("callback", Boolean(queue?.callback));
  if (!working) {
    script.end();
    return;
  }
  if (queue?.script) script.begin(contact.contact, Object.assign({}, ...Object.values(contact.answers ?? {})));
  renderDispositions(queue);
  const note = by("note");
  if (note.dataset.contact !== contact.contact) {
    note.dataset.contact = contact.contact;
    note.value = contact.note ?? "";
    put("note-state", "");
    by("callback-number").value = contact.caller || "";
  }
}

function renderDispositions(queue) {
  const select = by("disposition");
  const key = `${contact.contact} ${contact.dispositions.join(" ")}`;
  if (select.dataset.key !== key) {
    select.dataset.key = key;
    const groups = new Map([["", []]]);
    for (const name of contact.dispositions) {
      const [top, ...rest] = name.split("/");
      const group = rest.length ? top : "";
      groups.set(group, [...(groups.get(group) ?? []), make("option", { value: name }, spoken(rest.length ? rest.join("/") : name))]);
    }
    const filled = [...groups].map(([group, entries]) => (group ? make("optgroup", { label: spoken(group) }, ...entries) : entries)).flat();
    select.replaceChildren(make("option", { value: "" }, t("choose")), ...filled);
  }
  if (document.activeElement !== select) select.value = contact.disposition || "";
  show("required", contact.disposition_required);
  const flags = desk.flags[contact.disposition] ?? [];
  put("disposition-means", flags.map((flag) => t(`flag_${flag}`)).join(" · "));
  if (flags.includes("call_back")) by("callback").dataset.wanted = "yes";
}

by("disposition").addEventListener("change", (event) => event.target.value && ask("agent_disposition", { disposition: event.target.value }));

// --- notes ---------------------------------------------------------------------------------------

by("note").addEventListener("input", () => {
  put("note-state", t("note_unsaved"));
  clearTimeout(noteTimer);
  noteTimer = setTimeout(keepNote, NOTE_AFTER_MS);
});
by("note").addEventListener("change", keepNote);
document.addEventListener("visibilitychange", () => document.hidden && keepNote());

async function keepNote() {
  clearTimeout(noteTimer);
  const note = by("note");
  const of = note.dataset.contact;
  if (!of || contact?.contact !== of || note.value === (contact.note ?? note.dataset.kept ?? "")) return;
  const text = note.value;
  if (await ask("agent_note", { contact: of, note: text })) {
    note.dataset.kept = text;
    if (note.value === text) put("note-state", t("note_saved"));
  }
}

// --- callbacks, queues ------------------------------------------------------------------

by("callback").addEventListener("submit", async (event) => {
  event.preventDefault();
  const at = new Date(by("callback-at").value).toISOString();
  const fields = { queue: contact.queue, number: by("callback-number").value, at, name: (contact.caller_name || "").slice(0, 200) };
  if (by("callback-mine").checked) fields.owner = agent.name;
  if (await ask("callback_add", fields)) put("callback-state", t("callback_added"));
  waiting.look();
});

// It is hers and due now, and she is ready for it, or will be after what she does now: what the spoken menu does.
async function takeCallback({ callback }) {
  const at = new Date(Date.now() + line.clockAhead).toISOString();
  if (!(await ask("callback_edit", { callback, owner: agent.name, at }))) return false;
  if (agent.state === "logged_out" && !(await ask("agent_login"))) return false;
  return Boolean(await ask("agent_ready"));
}

function renderQueues() {
  if (!agent) return;
  const key = JSON.stringify([agent.queues, agent.opted_out, agent.may_opt_out]);
  if (by("queues").dataset.key === key) return;
  by("queues").dataset.key = key;
  by("queues").replaceChildren(...agent.queues.map((name) => queueRow(name, true)), ...agent.opted_out.map((name) => queueRow(name, false)));
}

function queueRow(name, serves) {
  const row = make("li", {}, own(spoken(name)));
  const state = make("span", { className: "tag" }, serves ? t("serving") : t("left"));
  state.dataset.tone = serves ? "good" : "wait";
  row.append(state);
  if (!serves || agent.may_opt_out.includes(name)) {
    const button = make("button", { type: "button", className: "plain" }, serves ? t("opt_out") : t("opt_in"));
    button.addEventListener("click", () => ask(serves ? "agent_opt_out" : "agent_opt_in", { queue: name }));
    row.append(button);
  }
  return row;
}

// --- the beginning -----------------------------------------------------------------------------------

options(by("reason"), desk.reasons.map((name) => [name, spoken(name)]));
const press_ = (id) => () => !by(id).hidden && by(id).click();
const focus_ = (id) => () => by(id).focus();
shortcuts([
  ["a", t("answer"), press_("answer")],
  ["d", t("decline"), press_("decline")],
  ["m", t("mute"), press_("mute")],
  ["h", t("hold"), press_("hold")],
  ["x", t("hang_up"), press_("hang-up")],
  ["r", t("ready"), press_("ready")],
  ["n", t("not_ready"), focus_("reason")],
  ["w", t("wrap_up_end"), press_("wrap-up-end")],
  ["t", t("transfer_to"), focus_("target")],
  ["k", t("keypad"), () => ((by("keypad-box").open = true), by("keypad").querySelector("button").focus())],
  ["o", t("note"), focus_("note")],
  ["p", t("disposition"), focus_("disposition")],
  ["c", t("dial_to"), focus_("dial-to")],
  ["b", t("waiting"), () => by("waiting").querySelector("li button")?.focus()],
  ["?", t("shortcuts"), () => by("help").showModal()],
]);
if (phone) {
  listenToPhone();
  audioPanel(t, phone, devices);
  try {
    by("auto-answer").checked = localStorage.getItem("callcenter.auto-answer") === "yes";
  } catch {
    // A browser that keeps nothing: she answers by hand.
  }
  by("auto-answer").addEventListener("change", (event) => localStorage.setItem("callcenter.auto-answer", event.target.checked ? "yes" : "no"));
}
show("audio-open", Boolean(phone));
setInterval(() => tick(Date.now() + line.clockAhead), 500);
setInterval(figures, FIGURES_EVERY_MS);
if (desk.softphone?.ice_servers.some((one) => one.credential)) setInterval(relays, RELAYS_EVERY_MS);
document.body.dataset.page = "ready";
window.callcenterPhone = phone; // for whoever looks into it from the browser's own tools
