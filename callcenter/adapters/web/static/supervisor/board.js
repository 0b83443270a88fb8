// Figures that keep themselves up to date: rows come over server-sent events and are only ever written as text. Durations run by the
// center's clock, whatever this computer's shows.

let clockAhead = 0; // of the center, in milliseconds

const two = (number) => String(number).padStart(2, "0");

/** Since a date, such as 4:05, or 1:04:05. */
export function duration(since) {
  const begin = Date.parse(since);
  return Number.isNaN(begin) ? "" : span(Math.max(0, Math.floor((Date.now() + clockAhead - begin) / 1000)));
}

/** Of whole seconds; what nobody knows is a dash. */
export function span(seconds) {
  if (seconds === null || seconds === undefined) return "–";
  const whole = Math.round(seconds);
  const hours = Math.floor(whole / 3600);
  const minutes = Math.floor(whole / 60) % 60;
  return hours ? `${hours}:${two(minutes)}:${two(whole % 60)}` : `${minutes}:${two(whole % 60)}`;
}

export const percent = (ratio) => (ratio === null || ratio === undefined ? "–" : `${Math.round(ratio * 100)} %`);

export function write(node, text) {
  if (node.textContent !== text) node.textContent = text;
}

/** Characters that hide or turn text are shown as signs; what is too long is cut. */
export function shown(text) {
  const seen = String(text ?? "")
    .replace(/[\u0000-\u001f]/g, (sign) => String.fromCodePoint(0x2400 + sign.codePointAt(0)))
    .replace(/[\u007f-\u009f\u2028\u2029]|\p{Cf}|\p{Cs}/gu, "\ufffd");
  return [...seen].length <= 80 ? seen : `${[...seen].slice(0, 79).join("")}…`;
}

function tick() {
  for (const time of document.querySelectorAll("time[datetime]")) write(time, duration(time.dateTime));
}
setInterval(tick, 1000);

const MARKS = { warn: "▲", alarm: "◆" }; // a shape beside the colour

/**
 * Put a value into a cell: a text, {since}, or {text, tone, level, says}. A level is a colour, a shape and a word.
 */
export function put(cell, value, word) {
  const given = typeof value === "object" && value !== null ? value : { text: value };
  const wanted = given.since !== undefined && given.since !== null ? "TIME" : "BDI";
  let node = cell.querySelector(":scope > bdi, :scope > time");
  if (node?.tagName !== wanted) {
    node = document.createElement(wanted);
    cell.replaceChildren(node);
  }
  if (wanted === "TIME") {
    if (node.dateTime !== given.since) node.dateTime = given.since;
    write(node, duration(given.since));
  } else write(node, shown(given.text ?? ""));
  node.className = given.tone ? "tag" : "";
  if (given.tone) node.dataset.tone = given.tone;
  else delete node.dataset.tone;
  level(cell, given.level, word);
}

function level(cell, name, word) {
  let mark = cell.querySelector(":scope > .mark");
  if (!name) {
    mark?.remove();
    delete cell.dataset.level;
    return;
  }
  cell.dataset.level = name;
  if (!mark) {
    mark = document.createElement("span");
    mark.className = "mark";
    mark.append(Object.assign(document.createElement("span"), { ariaHidden: "true" }));
    mark.append(Object.assign(document.createElement("span"), { className: "unseen" }));
    cell.append(mark);
  }
  write(mark.firstElementChild, MARKS[name]);
  write(mark.lastElementChild, word(name));
}

/** A table whose rows are told apart by a key. Columns are the `data-column` of its head; `cells` gives the value of each for a row. */
export class Table {
  #body;
  #columns;
  #cells;
  #order;
  #word;
  #extra;

  constructor(table, { cells, order, word, extra }) {
    this.#body = table.tBodies[0];
    this.#columns = [...table.tHead.rows[0].cells].map((cell) => ({ name: cell.dataset.column, number: cell.classList.contains("number") }));
    this.#cells = cells;
    this.#order = order;
    this.#word = word;
    this.#extra = extra ?? (() => {});
    this.none = table.closest("section")?.querySelector(".none");
  }

  show(rows) {
    const known = new Map([...this.#body.rows].map((row) => [row.dataset.key, row]));
    const wanted = [...rows].sort(([, one], [, other]) => this.#order(one, other)).map(([key, values]) => {
      const row = known.get(key) ?? this.#row(key);
      this.#fill(row, values);
      return row;
    });
    if (wanted.length !== this.#body.rows.length || wanted.some((row, place) => row !== this.#body.rows[place])) {
      const focused = this.#body.contains(document.activeElement) ? document.activeElement : null;
      this.#body.replaceChildren(...wanted);
      if (focused?.isConnected) focused.focus();
    }
    if (this.none) this.none.hidden = wanted.length > 0;
  }

  #row(key) {
    const row = document.createElement("tr");
    row.dataset.key = key;
    this.#columns.forEach(({ name, number }, place) => {
      const cell = document.createElement(place === 0 ? "th" : "td");
      if (place === 0) cell.scope = "row";
      if (number) cell.className = "number";
      cell.dataset.column = name;
      row.append(cell);
    });
    this.#extra(row, key);
    return row;
  }

  #fill(row, values) {
    for (const cell of row.cells) {
      const value = this.#cells[cell.dataset.column]?.(values);
      if (value !== undefined) put(cell, value, this.#word);
    }
  }
}

/** The figures at `address`: `changed(tables, names)` after each message, with Maps of rows by key; `state` when the line is lost or back. */
export function follow(address, changed, state) {
  const tables = new Map();
  const events = new EventSource(address);
  const clock = (message) => {
    if (message.at) clockAhead = Date.parse(message.at) - Date.now();
  };
  events.addEventListener("whole", ({ data }) => {
    const message = JSON.parse(data);
    clock(message);
    const names = new Set([...tables.keys(), ...Object.keys(message.tables)]);
    for (const name of names) tables.set(name, new Map(Object.entries(message.tables[name] ?? {})));
    changed(tables, names);
  });
  events.addEventListener("change", ({ data }) => {
    const message = JSON.parse(data);
    clock(message);
    for (const [name, { put: rows, gone }] of Object.entries(message.tables)) {
      if (!tables.has(name)) tables.set(name, new Map());
      for (const key of gone) tables.get(name).delete(key);
      for (const [key, row] of Object.entries(rows)) tables.get(name).set(key, row);
    }
    changed(tables, new Set(Object.keys(message.tables)));
  });
  events.addEventListener("still", ({ data }) => clock(JSON.parse(data)));
  events.addEventListener("over", () => {
    events.close();
    state("over");
  });
  events.addEventListener("open", () => state("live"));
  events.addEventListener("error", () => state(events.readyState === EventSource.CLOSED ? "over" : "lost"));
  return events;
}

/** What is out of order, in sentences: the engine, the books, nodes, calendars that were switched by hand. `w` are the wallboard's words. */
export function troubles(tables, w) {
  const center = tables.get("center")?.get("center");
  const away = [...(tables.get("nodes")?.values() ?? [])].filter((node) => !node.connected).map((node) => node.name);
  const switched = [...(tables.get("calendars")?.values() ?? [])].filter((calendar) => calendar.switched);
  return [
    center?.here === false ? w("engine_away") : "",
    center?.books === false ? w("books_away") : "",
    away.length ? w("node_away", { names: away.join(", ") }) : "",
    ...switched.map((calendar) => w(calendar.open ? "calendar_opened" : "calendar_closed", { name: calendar.calendar })),
  ].filter(Boolean).join(" ");
}

export const byName = (one, other) => (one.name < other.name ? -1 : one.name > other.name ? 1 : 0);
const TONES = { ready: "good", talking: "busy", held: "busy", reserved: "soon", wrap_up: "soon", offered: "soon", calling: "soon", not_ready: "wait", waiting: "wait" };
export const tone = (state) => TONES[state] ?? "";
