// The supervisor's page: figures come by events, what is done goes over the console's socket, and its answer is said.
import { words, announce } from "/static/words.js";
import { ConsoleSocket } from "/static/console-socket.js";
import { alarm, soundButton } from "./alarm.js";
import { Table, byName, duration, follow, percent, shown, span, tone, troubles, write } from "./board.js";

const t = await words("supervisor");
const w = await words("wallboard");
const root = document.getElementById("console");
const may = (name) => root.dataset[`may${name[0].toUpperCase()}${name.slice(1)}`] === "1";
const by = (id) => document.getElementById(id);
const line = new ConsoleSocket();
let tables = new Map();

// --- what is said ---------------------------------------------------------------------------------

const said = by("said");

function say(text, good) {
  write(said, text);
  said.dataset.tone = good ? "good" : "alarm";
  said.hidden = false;
  announce(text);
}

async function act(button, operation, fields) {
  button.disabled = true; // a second click is no second wish
  try {
    const answer = await line.do(operation, fields);
    say(answer?.later ? t("done_later") : t("done"), true);
    button.closest("dialog")?.close();
    return answer;
  } catch (error) {
    button.closest("dialog")?.close();
    say(error.message, false);
    return null;
  } finally {
    button.disabled = false;
  }
}

const value = (id) => by(id)?.value.trim() ?? "";

// --- tables ---------------------------------------------------------------------------------------

function actions(open) {
  return (row, key) => {
    const button = document.createElement("button");
    button.type = "button";
    button.className = "plain";
    button.textContent = t("actions");
    button.setAttribute("aria-haspopup", "dialog");
    button.addEventListener("click", () => open(key));
    const cell = row.querySelector("[data-column='actions']");
    cell.append(button);
    row.dataset.named = "";
  };
}

const word = (level) => w(level);
const caller = (row) => [row.caller, row.caller_name].filter(Boolean).join(" · ") || t("withheld");
const agentState = (row) => `${w(`state_${row.held ? "held" : row.state}`)}${row.reason ? `: ${row.reason.replaceAll("_", " ")}` : ""}`;
const phases = { flow: "flow", star_code: "flow", calling: "calling", waiting: "waiting", offered: "offered", talking: "talking", held: "held", ending: "ending", outside: "outside" };

const shownTables = {
  agents: new Table(by("agents"), {
    word,
    order: byName,
    extra: actions(openAgent),
    cells: {
      name: (row) => row.name,
      team: (row) => row.team,
      state: (row) => ({ text: agentState(row), tone: tone(row.state) }),
      since: (row) => ({ text: "", since: row.since }),
      queue: (row) => row.queue || row.queues.join(", "),
      phone: (row) => ({ text: t(row.phone_reachable ? "reachable" : "unreachable"), tone: row.phone_reachable ? "" : "alarm" }),
    },
  }),
};
if (by("waiting")) {
  shownTables.waiting = new Table(by("waiting"), {
    word,
    order: (one, other) => (one.queue < other.queue ? -1 : one.queue > other.queue ? 1 : one.place - other.place),
    extra: actions(openContact),
    cells: {
      caller,
      queue: (row) => row.queue,
      place: (row) => String(row.place),
      priority: (row) => String(row.priority),
      since: (row) => ({ text: "", since: row.since }),
    },
  });
  shownTables.calls = new Table(by("calls"), {
    word,
    order: (one, other) => (one.began < other.began ? -1 : 1),
    extra: actions(openCall),
    cells: {
      caller,
      dialed: (row) => row.dialed,
      phase: (row) => ({ text: t(`phase_${phases[row.phase] ?? "ending"}`), tone: tone(row.phase) }),
      since: (row) => ({ text: "", since: row.since }),
      queue: (row) => row.queue,
      agent: (row) => row.agent,
      began: (row) => ({ text: "", since: row.began }),
    },
  });
}

const count = (number) => (number === null || number === undefined ? "–" : String(number));
shownTables.today = new Table(by("today"), {
  word,
  order: byName,
  cells: {
    name: (row) => row.name,
    offered: (row) => count(row.offered),
    answered: (row) => count(row.answered),
    abandoned: (row) => count(row.abandoned),
    overflowed: (row) => count(row.overflowed),
    service_level: (row) => percent(row.service_level),
    asa: (row) => span(row.asa_s),
    aht: (row) => span(row.aht_s),
    abandon_rate: (row) => percent(row.abandon_rate),
  },
});
const day = (at, zone) => (at ? new Date(at).toLocaleString(document.documentElement.lang, { weekday: "short", hour: "2-digit", minute: "2-digit", timeZone: zone }) : "–");
shownTables.calendars = new Table(by("calendars"), {
  word,
  order: (one, other) => (one.calendar < other.calendar ? -1 : 1),
  cells: {
    calendar: (row) => row.calendar,
    open: (row) => ({ text: t(row.open ? "is_open" : "is_closed"), tone: row.open ? "good" : "wait" }),
    until: (row) => day(row.open ? row.closes_at : row.opens_at, row.time_zone),
    explained: (row) => row.why,
  },
});
const FROM = { today: "queues" };

const trouble = by("trouble");
const connection = by("connection");
follow(`/wallboard/events${root.dataset.details === "1" ? "?details=1" : ""}`, (now, names) => {
  tables = now;
  for (const [name, table] of Object.entries(shownTables)) {
    const rows = FROM[name] ?? name;
    if (names.has(rows)) table.show(now.get(rows) ?? new Map());
  }
  for (const button of document.querySelectorAll("tbody button")) {
    const who = button.closest("tr").cells[0].textContent;
    const label = t("actions_for", { name: who });
    if (button.ariaLabel !== label) button.ariaLabel = label;
  }
  write(trouble, troubles(now, w));
  trouble.hidden = trouble.textContent === "";
}, (state) => {
  write(connection, w(`line_${state}`));
  connection.dataset.tone = state === "live" ? "good" : "alarm";
});

// --- agents ---------------------------------------------------------------------------------------

let agent = "";

function openAgent(name) {
  agent = name;
  const row = tables.get("agents")?.get(name);
  write(by("agent-name"), name);
  write(by("agent-says"), row ? `${agentState(row)} ${duration(row.since)}` : "");
  by("agent-dialog").showModal();
}

for (const button of document.querySelectorAll("[data-begin]")) {
  button.addEventListener("click", () => act(button, "supervise_begin", {
    agent, mode: button.dataset.begin, stay: by("listen-stay").checked, reason: value("listen-reason"),
  }));
}
for (const button of document.querySelectorAll("[data-force]")) {
  button.addEventListener("click", () => {
    const state = button.dataset.force;
    act(button, "agent_force", { agent, state, why: value("force-why"), ...(state === "not_ready" ? { reason: value("force-reason") } : {}) });
  });
}
by("agent-call")?.addEventListener("click", ({ target }) => act(target, "agent_dial", { colleague: agent }));
by("agent-notice")?.addEventListener("click", () => {
  by("agent-dialog").close();
  openNotice(agent);
});

// --- contacts -------------------------------------------------------------------------------------

let contact = "";

function openContact(id) {
  contact = id;
  const row = tables.get("waiting")?.get(id);
  write(by("contact-name"), row ? `${shown(caller(row))} (${row.queue})` : id);
  if (by("priority") && row) by("priority").value = row.priority;
  if (by("move-queue") && row) by("move-queue").value = row.queue;
  by("contact-dialog").showModal();
}

function openCall(id) {
  const row = tables.get("calls")?.get(id);
  if (row?.connected) openAgent(row.agent);
  else if (row?.contact) openContact(row.contact);
  else say(t("nothing_to_do"), false);
}

by("move")?.addEventListener("click", ({ target }) => act(target, "contact_move", { contact, queue: value("move-queue"), why: value("move-why") }));
by("take")?.addEventListener("click", ({ target }) => act(target, "contact_take", { contact, why: value("move-why") }));
by("reorder")?.addEventListener("click", ({ target }) => act(target, "contact_priority", { contact, priority: Number(value("priority")) }));
by("head")?.addEventListener("click", ({ target }) => act(target, "contact_priority", { contact, head: true }));
by("explain").addEventListener("click", explain);

async function explain() {
  by("contact-dialog").close();
  let told;
  try {
    told = await line.do("explain", { contact });
  } catch (error) {
    say(error.message, false);
    return;
  }
  const facts = {
    column_queue: told.queue, waited: duration(new Date(Date.now() + line.clockAhead - told.waited * 1000).toISOString()), ahead: told.ahead,
    column_priority: told.priority, requires: told.requires, prefers: told.prefers, directed_by: told.directed_by, preferred: told.preferred,
  };
  by("explain-facts").replaceChildren(...Object.entries(facts).filter(([, text]) => text !== "" && text !== null).flatMap(([name, text]) => [
    Object.assign(document.createElement("dt"), { textContent: t(name) }),
    Object.assign(document.createElement("dd"), { textContent: shown(text) }),
  ]));
  list("explain-candidates", t("nobody"), told.candidates.map((one) => `${one.agent} (${one.rank.join(", ")})`));
  list("explain-others", t("nobody"), [...told.others.map((one) => `${one.agent}: ${one.why}`), ...(told.elsewhere ? [t("elsewhere", { n: told.elsewhere })] : [])]);
  list("explain-coming", t("nothing"), told.coming.map((one) => (one.at ? `${one.what} (${new Date(one.at).toLocaleTimeString(document.documentElement.lang)})` : one.what)));
  by("explain-dialog").showModal();
}

function list(id, none, texts) {
  const item = (text, className = "") => Object.assign(document.createElement("li"), { textContent: text, className });
  const items = texts.length ? texts.map((text) => item(text)) : [item(none, "none")];
  by(id).replaceChildren(...items);
}

// --- notices --------------------------------------------------------------------------------------

let noticeTo = "";

function openNotice(name) {
  noticeTo = name;
  by("notice-queues").hidden = Boolean(name);
  by("notice-agent").hidden = !name;
  write(by("notice-agent"), name);
  by("notice-dialog").showModal();
  by("notice-text").focus();
}

by("write-notice")?.addEventListener("click", () => openNotice(""));
by("notice-send")?.addEventListener("click", async ({ target }) => {
  if (!by("notice-text").reportValidity()) return;
  const queue = value("notice-queues");
  const to = noticeTo ? { agents: [noticeTo] } : queue ? { queues: [queue] } : {};
  if (await act(target, "notice_send", { text: value("notice-text"), ...to })) by("notice-text").value = "";
});

// --- one's own supervision ------------------------------------------------------------------------

function showSupervision(now) {
  by("supervision").hidden = !now;
  if (!now) return;
  write(by("supervision-says"), t(`hears_${now.state}`, { agent: now.agent, queue: now.queue || "–" }));
  for (const button of document.querySelectorAll("[data-mode]")) button.ariaPressed = String(button.dataset.mode === now.mode);
}

for (const button of document.querySelectorAll("[data-mode]")) {
  button.addEventListener("click", () => act(button, "supervise_switch", { mode: button.dataset.mode }));
}
by("supervision-end").addEventListener("click", ({ target }) => act(target, "supervise_end", {}));

line.on("picture", ({ supervision, alerts }) => {
  showSupervision(supervision);
  showAlerts(alerts ?? []);
});
line.on("supervision", ({ supervision }) => showSupervision(supervision));

// --- alerts ---------------------------------------------------------------------------------------

function showAlerts(alerts) {
  by("alerts").replaceChildren(...alerts.map((alert) => {
    const item = document.createElement("li");
    item.dataset.tone = alert.severity === "warning" ? "wait" : "alarm";
    item.textContent = `${alert.severity === "warning" ? "▲" : "◆"} ${shown(alert.text)}`;
    return item;
  }));
  by("alerts-section").hidden = alerts.length === 0;
}

line.on("alerts", ({ alerts, fresh }) => {
  showAlerts(alerts);
  if (!fresh?.length) return;
  announce(fresh.join(" "));
  alarm();
});
soundButton(by("sound"), w);
line.on("state", ({ signedOut, why }) => signedOut && say(why, false));
