// The live page keeps itself up to date: rows come as plain text over server-sent events, and are only ever
// written as text. Durations run between two messages by the engine's clock, whatever this computer's shows.
"use strict";

let clockAhead = 0; // of the engine, in milliseconds

function duration(since) {
  const begin = Date.parse(since);
  if (Number.isNaN(begin)) return "";
  const whole = Math.max(0, Math.floor((Date.now() + clockAhead - begin) / 1000));
  const two = (number) => String(number).padStart(2, "0");
  const hours = Math.floor(whole / 3600);
  const minutes = Math.floor(whole / 60) % 60;
  return hours ? `${hours}:${two(minutes)}:${two(whole % 60)}` : `${minutes}:${two(whole % 60)}`;
}

function write(node, text) {
  if (node.textContent !== text) node.textContent = text;
}

function tick() {
  for (const time of document.querySelectorAll("time")) write(time, duration(time.dateTime));
}

function put(cell, value) {
  const running = value.since !== undefined;
  const wanted = running ? "TIME" : "BDI";
  if (cell.firstElementChild?.tagName !== wanted) cell.replaceChildren(document.createElement(wanted));
  const node = cell.firstElementChild;
  if (running) {
    node.dateTime = value.since;
    return;
  }
  const text = typeof value === "string" ? value : value.text;
  write(node, text);
  node.className = value.tone === undefined ? "" : "tone";
  node.dataset.tone = value.tone ?? "";
}

function fill(row, values) {
  row.dataset.key = values.key;
  for (const cell of row.children) put(cell, values[cell.dataset.column] ?? "");
}

function show(table, rows) {
  const section = table.closest("section");
  const body = table.tBodies[0];
  const known = new Map(Array.from(body.rows, (row) => [row.dataset.key, row]));
  const wanted = rows.map((values) => {
    const row = known.get(values.key) ?? section.querySelector("template").content.firstElementChild.cloneNode(true);
    fill(row, values);
    return row;
  });
  if (wanted.length !== body.rows.length || wanted.some((row, place) => row !== body.rows[place])) body.replaceChildren(...wanted);
  section.querySelector(".none").hidden = rows.length > 0;
}

function update(page) {
  if (page.at) clockAhead = Date.parse(page.at) - Date.now();
  const status = document.getElementById("status");
  write(status, page.status);
  status.hidden = !page.status;
  for (const cell of document.querySelectorAll("#totals dd")) put(cell, page.totals[cell.dataset.column]);
  for (const [name, rows] of Object.entries(page.tables)) show(document.getElementById(name), rows);
  tick();
}

const connection = document.getElementById("connection");

function tell(text, live) {
  write(connection, text);
  connection.dataset.live = live;
}

if (document.body.dataset.at) clockAhead = Date.parse(document.body.dataset.at) - Date.now();
tick();
setInterval(tick, 1000);

const events = new EventSource("/live/events");
events.addEventListener("page", (message) => update(JSON.parse(message.data)));
events.addEventListener("open", () => tell("Live", "yes"));
events.addEventListener("error", () => {
  const over = events.readyState === EventSource.CLOSED;
  tell(over ? "Stopped: reload this page, and sign in again if it asks you to" : "Connection lost; trying again", "no");
});
