// The wallboard: figures to be read from across the room. What has passed a threshold has a colour, a shape, a word, and, for who wants
// it, a sound.
import { words, announce } from "/static/words.js";
import { Table, byName, duration, follow, percent, put, tone, troubles, write } from "./board.js";
import { alarm, soundButton } from "./alarm.js";

const t = await words("wallboard");
const word = (level) => t(level);
const count = (number) => (number === null || number === undefined ? "–" : String(number));

const queues = new Table(document.getElementById("queues"), {
  word,
  order: byName,
  cells: {
    name: (row) => row.name,
    waiting: (row) => ({ text: count(row.waiting), level: row.levels.waiting }),
    longest: (row) => ({ text: "–", since: row.longest, level: row.levels.longest }),
    ready: (row) => ({ text: count(row.ready), level: row.levels.ready }),
    talking: (row) => count(row.talking),
    logged_in: (row) => ({ text: count(row.logged_in), level: row.levels.logged_in }),
    service_level_now: (row) => ({ text: percent(row.service_level_now), level: row.levels.service_level_now }),
    service_level: (row) => ({ text: percent(row.service_level), level: row.levels.service_level }),
    offered: (row) => count(row.offered),
    answered: (row) => count(row.answered),
    abandoned: (row) => count(row.abandoned),
  },
});

function showTotals(row) {
  for (const cell of document.querySelectorAll("#totals dd")) {
    const name = cell.dataset.column;
    const value = name === "longest" ? { text: "–", since: row?.longest } : { text: count(row?.[name]) };
    put(cell, { ...value, level: row?.levels?.[name] }, word);
  }
}

const agents = document.getElementById("agents");

function showAgents(rows) {
  const known = new Map([...agents.children].map((item) => [item.dataset.key, item]));
  const wanted = [...rows.values()].sort(byName).filter((row) => row.state !== "logged_out").map((row) => {
    const item = known.get(row.name) ?? agentItem(row.name);
    const [, state, since] = item.children;
    const reason = row.reason ? `: ${row.reason.replaceAll("_", " ")}` : "";
    write(state.firstElementChild, `${t(`state_${row.held ? "held" : row.state}`)}${reason}`);
    state.firstElementChild.dataset.tone = tone(row.state);
    since.dateTime = row.since ?? "";
    write(since, duration(row.since));
    return item;
  });
  if (wanted.length !== agents.children.length || wanted.some((item, place) => item !== agents.children[place])) agents.replaceChildren(...wanted);
  document.getElementById("no-agents").hidden = wanted.length > 0;
}

function agentItem(name) {
  const item = document.createElement("li");
  item.dataset.key = name;
  const who = Object.assign(document.createElement("bdi"), { className: "name", textContent: name });
  const state = document.createElement("span");
  state.append(Object.assign(document.createElement("span"), { className: "tag" }));
  item.append(who, state, document.createElement("time"));
  return item;
}

let alarming = null; // what was alarming before; null: nothing was seen yet

function heed(tables) {
  const now = new Set();
  for (const row of tables.get("queues")?.values() ?? []) {
    for (const [figure, level] of Object.entries(row.levels)) if (level === "alarm") now.add(`${row.name}: ${t(figure)}`);
  }
  const fresh = alarming === null ? [] : [...now].filter((one) => !alarming.has(one));
  alarming = now;
  if (fresh.length) {
    announce(`${t("alarm")}: ${fresh.join(", ")}`);
    alarm();
  }
}

const trouble = document.getElementById("trouble");

function showTrouble(tables) {
  write(trouble, troubles(tables, t));
  trouble.hidden = trouble.textContent === "";
}

const connection = document.getElementById("connection");
follow("/wallboard/events", (tables, names) => {
  if (names.has("totals")) showTotals(tables.get("totals")?.get("totals"));
  if (names.has("queues")) queues.show(tables.get("queues"));
  if (names.has("agents")) showAgents(tables.get("agents"));
  showTrouble(tables);
  heed(tables);
}, (state) => {
  write(connection, t(`line_${state}`));
  connection.dataset.tone = state === "live" ? "good" : "alarm";
});

soundButton(document.getElementById("sound"), t);

const full = document.getElementById("full-screen");
full.addEventListener("click", () => (document.fullscreenElement ? document.exitFullscreen() : document.documentElement.requestFullscreen()));
document.addEventListener("fullscreenchange", () => {
  const on = document.fullscreenElement !== null;
  document.body.classList.toggle("full", on);
  full.ariaPressed = String(on);
});
full.hidden = !document.fullscreenEnabled;
