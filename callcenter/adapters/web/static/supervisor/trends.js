// Each quarter of an hour of today, and of the same day a week ago. The charts are pictures; the table below holds the same figures.
import uPlot from "/static/vendor/uPlot.js";
import { words } from "/static/words.js";
import { percent, write } from "./board.js";

const t = await words("trends");
const EVERY = 60_000;
const MEASURES = ["offered", "answered", "abandoned", "service_level", "asa", "aht"];
const queue = document.getElementById("queue");
const trouble = document.getElementById("trouble");
const two = (number) => String(number).padStart(2, "0");
const clock = (seconds) => `${two(Math.floor(seconds / 3600))}:${two(Math.floor(seconds / 60) % 60)}`;
const shown = (name, value) => (value === null || value === undefined ? "–" : name === "service_level" ? percent(value) : name === "asa" || name === "aht" ? `${Math.round(value)} s` : String(value));
const colour = (name) => getComputedStyle(document.documentElement).getPropertyValue(name) || "#888";
const charts = new Map();

function resolved(name) {
  // light-dark() is resolved by the browser on an element, not in a custom property
  const probe = document.createElement("span");
  probe.style.color = `var(${name})`;
  document.body.append(probe);
  const found = getComputedStyle(probe).color;
  probe.remove();
  return found || colour(name);
}

function chart(name, figures) {
  const place = document.getElementById(name);
  const text = resolved("--text");
  const grid = { stroke: resolved("--line"), width: 1 };
  const values = [figures.seconds, figures.today[name], figures.week_ago[name]];
  charts.get(name)?.destroy();
  charts.set(name, new uPlot({
    width: Math.max(200, place.clientWidth),
    height: 180,
    cursor: { drag: { x: false, y: false } },
    scales: { x: { time: false, range: [0, 86_400] }, y: { range: (_, low, high) => [0, name === "service_level" ? 1 : Math.max(1, 1.1 * (high ?? 1))] } },
    axes: [
      { stroke: text, grid, ticks: grid, values: (_, marks) => marks.map(clock), incrs: [3_600, 7_200, 10_800, 14_400, 21_600] },
      { stroke: text, grid, ticks: grid, size: 56, values: (_, marks) => marks.map((mark) => shown(name, mark)) },
    ],
    series: [
      { label: t("time"), value: (_, at) => (at === null ? "–" : clock(at)) },
      { label: t("today"), stroke: resolved("--accent"), width: 2, value: (_, at) => shown(name, at), points: { show: true, size: 6 } },
      { label: t("week_ago"), stroke: resolved("--soft"), width: 1.5, dash: [6, 4], value: (_, at) => shown(name, at), points: { show: true, size: 4 } },
    ],
  }, values, place));
  const known = figures.today[name].filter((value) => value !== null);
  const last = known.at(-1);
  write(document.getElementById(`${name}-says`), t("says_chart", { latest: shown(name, last), most: shown(name, known.length ? Math.max(...known) : null) }));
}

function table(figures) {
  const rows = figures.seconds.flatMap((seconds, place) => {
    const cells = MEASURES.map((name) => [figures.today[name][place], figures.week_ago[name][place], name]);
    if (cells.every(([now, before]) => now === null && before === null)) return [];
    const row = document.createElement("tr");
    row.append(Object.assign(document.createElement("th"), { scope: "row", textContent: clock(seconds) }));
    for (const [now, before, name] of cells) {
      const cell = Object.assign(document.createElement("td"), { className: "number" });
      cell.append(Object.assign(document.createElement("bdi"), { dir: "ltr", textContent: `${shown(name, now)} (${shown(name, before)})` }));
      row.append(cell);
    }
    return [row];
  });
  document.querySelector("#figures tbody").replaceChildren(...rows);
}

let latest = null;

async function load() {
  const answer = await fetch(`/trends/series?queue=${encodeURIComponent(queue.value)}`);
  trouble.hidden = answer.ok;
  write(trouble, answer.ok ? "" : t("away"));
  if (!answer.ok) return;
  latest = await answer.json();
  draw();
}

function draw() {
  if (!latest) return;
  for (const name of MEASURES) chart(name, latest);
  table(latest);
}

queue.addEventListener("change", load);
let resizing = null;
addEventListener("resize", () => {
  clearTimeout(resizing);
  resizing = setTimeout(draw, 150);
});
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", draw);
await load();
setInterval(load, EVERY);
document.body.dataset.ready = "yes";
