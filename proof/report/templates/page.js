"use strict";
const root = document.documentElement;
const charts = JSON.parse(document.getElementById("charts").textContent);
const systemDark = matchMedia("(prefers-color-scheme: dark)");
const phone = matchMedia("(max-width: 760px)");
const all = (selector, inside = document) => [...inside.querySelectorAll(selector)];

// Colours: the library knows only plain ones, so each is painted, and looked at.
const probe = document.body.appendChild(document.createElement("i"));
probe.hidden = true;
const pixel = document.createElement("canvas").getContext("2d", { willReadFrequently: true });
function color(value) {
  probe.style.color = value;
  pixel.fillStyle = getComputedStyle(probe).color;
  pixel.fillRect(0, 0, 1, 1);
  return `rgb(${pixel.getImageData(0, 0, 1, 1).data.slice(0, 3).join(", ")})`;
}
const hue = index => color(`var(--s${index % 8})`);

// Charts

function axis(more) {
  return { gridcolor: color("var(--grid)"), zeroline: false, color: color("var(--soft)"), fixedrange: true,
    ticks: "outside", ticklen: 5, tickcolor: "rgba(0,0,0,0)", automargin: true, ...more };
}

function layout(more) {
  return { showlegend: false, margin: { l: 44, r: 12, t: 8, b: 24 }, paper_bgcolor: "rgba(0,0,0,0)", plot_bgcolor: "rgba(0,0,0,0)",
    font: { family: "system-ui, sans-serif", size: 11, color: color("var(--ink)") }, hovermode: "x unified",
    hoverlabel: { bgcolor: color("var(--card)"), bordercolor: color("var(--line)"), font: { color: color("var(--ink)") } },
    xaxis: axis({ ticksuffix: " s", showgrid: false }), ...more };
}

function bounds(values) {
  const found = values.filter(Number.isFinite);
  const low = Math.min(0, ...found), high = Math.max(...found);
  return [low < 0 ? 1.1 * low : 0, high > low ? 1.1 * high : 1];
}

function lines(chart, shown) {
  const shapes = [], traces = chart.lines.map((line, index) => {
    const ink = line.colour ? color(line.colour) : hue(index), second = line.axis ? "y2" : "y";
    if (line.band && !line.stacked && shown[index]) shapes.push({ type: "rect", xref: "paper", x0: 0, x1: 1, yref: second,
      y0: Math.max(line.band[0], 0), y1: line.band[1], fillcolor: ink, opacity: Math.min(0.12, 0.36 / chart.lines.length), line: { width: 0 }, layer: "below" });
    return { x: line.x, y: line.y, name: line.name, yaxis: second, visible: shown[index], ...(line.bars
      ? { type: "bar", marker: { color: ink } }
      : { mode: "lines", line: { color: ink, width: 1.75 }, ...(line.stacked ? { stackgroup: second } : {}) }),
      hovertemplate: "%{y:.4~g}" + chart.axes[line.axis].suffix + "<extra>" + escape(line.name) + "</extra>" };
  });
  const sides = chart.axes.map((side, index) => {
    for (const limit of side.limits) shapes.push({ type: "line", xref: "paper", x0: 0, x1: 1, yref: index ? "y2" : "y",
      y0: limit.y, y1: limit.y, line: { color: color(limit.colour), width: 1, dash: "dash" } });
    const own = chart.lines.filter(line => line.axis === index);
    const range = own.some(line => line.stacked) ? { rangemode: "tozero" }
      : { range: bounds([...own.flatMap(line => [...line.y, line.band?.[1]]), ...side.limits.map(limit => limit.y)]) };
    return axis({ ticksuffix: side.suffix, nticks: 5, ...range, ...(index ? { overlaying: "y", side: "right", showgrid: false } : {}) });
  });
  return [traces, layout({ shapes, barmode: "stack", yaxis: sides[0], ...(sides[1] ? { yaxis2: sides[1] } : {}) })];
}

function heatmap(chart) {
  const scale = [[0, color("var(--card)")], [0.02, color("color-mix(in srgb, var(--accent) 18%, var(--card))")], [1, color("var(--accent)")]];
  const traces = [{ type: "heatmap", x: chart.x, y: chart.y, z: chart.z, colorscale: scale, showscale: false, xgap: 1, ygap: 1,
    hovertemplate: "%{y}: %{z:.4~g}<extra></extra>" }];
  return [traces, layout({ hovermode: "closest", yaxis: axis({ type: "category", showgrid: false, nticks: 8 }) })];
}

// The library reads a little markup in names; names of series are only text.
function escape(text) {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;");
}

function keys(id) {
  return all(`button[data-chart="${id}"]`);
}

function draw(id) {
  const chart = charts[id], buttons = keys(id);
  const shown = buttons.map(one => one.getAttribute("aria-pressed") === "true");
  const [traces, look] = chart.type === "heatmap" ? heatmap(chart) : lines(chart, shown);
  Plotly.react(id, traces, look, { displayModeBar: false, responsive: true });
  buttons.forEach((one, index) => one.style.setProperty("--c", chart.lines[index].colour || `var(--s${index % 8})`));
}

// A chart can only be drawn where it has a size: those of a hidden tab wait until it is chosen.
function drawShown() {
  for (const one of all(".chart")) if (one.offsetParent) draw(one.id);
}

for (const one of all("button[data-chart]")) one.addEventListener("click", () => {
  one.setAttribute("aria-pressed", String(one.getAttribute("aria-pressed") !== "true"));
  draw(one.dataset.chart);
});

// Tabs, by click and by arrow keys

function tabs(list, choose) {
  const own = all('[role="tab"]', list);
  const select = tab => {
    for (const one of own) {
      one.setAttribute("aria-selected", String(one === tab));
      one.tabIndex = one === tab ? 0 : -1;
    }
    choose(tab, own);
  };
  list.addEventListener("click", event => {
    const tab = event.target.closest('[role="tab"]');
    if (tab) select(tab);
  });
  list.addEventListener("keydown", event => {
    const open = own.filter(one => !one.hidden), at = open.indexOf(document.activeElement);
    const to = { ArrowRight: at + 1, ArrowDown: at + 1, ArrowLeft: at - 1, ArrowUp: at - 1, Home: 0, End: open.length - 1 }[event.key];
    if (to === undefined || at < 0) return;
    event.preventDefault();
    const tab = open[(to + open.length) % open.length];
    select(tab);
    tab.focus();
  });
  if (own.length) select(own[0]);
  return select;
}

const panelOf = tab => document.getElementById(tab.getAttribute("aria-controls"));
const dashboards = document.querySelector("#dashboards [role=tablist]");
const choose = dashboards && tabs(dashboards, (tab, own) => {
  for (const one of own) panelOf(one).hidden = one !== tab;
  drawShown();
});

function follow() {
  const target = document.getElementById(decodeURIComponent(location.hash.slice(1)));
  const board = target?.closest(".board");
  if (board) {
    choose(document.querySelector(`[aria-controls="${board.id}"]`));
    if (!("only" in root.dataset)) board.scrollIntoView();
  }
}
addEventListener("hashchange", follow);
follow();
addEventListener("beforeprint", () => {
  for (const one of all(".board")) one.hidden = false;
  drawShown();
});
addEventListener("afterprint", () => choose?.(document.querySelector('#dashboards [aria-selected="true"]')));

// What is said of a panel

for (const one of all("[data-opens]")) one.addEventListener("click", () => document.getElementById(one.dataset.opens).showModal());
for (const one of all("dialog")) one.addEventListener("click", event => { if (event.target === one) one.close(); });

// Documents

const files = document.querySelector("#documents [role=tablist]");
const find = document.getElementById("find");
const stored = id => document.getElementById(`document-${id}`);

function highlight(text) {
  if (!window.Highlight) return;
  CSS.highlights.delete("found");
  const sought = find.value.toLowerCase(), ranges = [];
  const walker = document.createTreeWalker(text, NodeFilter.SHOW_TEXT);
  while (sought.length > 1 && walker.nextNode()) {
    const own = walker.currentNode.data.toLowerCase();
    for (let at = own.indexOf(sought); at >= 0; at = own.indexOf(sought, at + 1)) {
      const range = new Range();
      range.setStart(walker.currentNode, at);
      range.setEnd(walker.currentNode, at + sought.length);
      ranges.push(range);
    }
  }
  CSS.highlights.set("found", new Highlight(...ranges));
  ranges[0]?.startContainer.parentElement.scrollIntoView({ block: "nearest", behavior: "instant" });
}

const read = tabs(files, tab => {
  const text = document.getElementById("text"), source = stored(tab.dataset.document);
  text.replaceChildren(source.content.cloneNode(true));
  text.parentElement.scrollTo(0, 0);
  document.getElementById("path").textContent = source.dataset.path;
  if (find.value) highlight(text);
});

find.addEventListener("input", () => {
  const sought = find.value.toLowerCase(), own = all('[role="tab"]', files);
  for (const one of own) {
    const source = stored(one.dataset.document);
    one.hidden = !(source.dataset.path.toLowerCase().includes(sought) || source.content.textContent.toLowerCase().includes(sought));
  }
  for (const shelf of all(".shelf", files)) {
    let next = shelf.nextElementSibling;
    while (next && !next.matches(".shelf") && (next.hidden || next.matches("template"))) next = next.nextElementSibling;
    shelf.hidden = !next || next.matches(".shelf");
  }
  const open = own.filter(one => !one.hidden);
  document.getElementById("found").textContent = sought ? `${open.length} of ${own.length} files` : "";
  if (open.length) read(open.find(one => one.getAttribute("aria-selected") === "true") ?? open[0]);
  else highlight(document.getElementById("text"));
});

// Light and dark

const theme = document.getElementById("theme");
const isDark = () => root.dataset.theme ? root.dataset.theme === "dark" : systemDark.matches;
function showTheme() {
  theme.textContent = isDark() ? "Light" : "Dark";
  theme.setAttribute("aria-label", `Show the page ${isDark() ? "light" : "dark"}`);
  drawShown();
}
theme.addEventListener("click", () => { root.dataset.theme = isDark() ? "light" : "dark"; showTheme(); });
systemDark.addEventListener("change", showTheme);
showTheme();

// Where one is

const sections = new Map(all(".bar nav a").map(link => [document.querySelector(link.hash), link]));
const watcher = new IntersectionObserver(seen => {
  for (const one of seen) if (one.isIntersecting) {
    for (const link of sections.values()) link.removeAttribute("aria-current");
    sections.get(one.target).setAttribute("aria-current", "true");
  }
}, { rootMargin: "-20% 0px -75% 0px" });
for (const section of sections.keys()) watcher.observe(section);

// For whoever takes a picture of the page.
root.dataset.height = root.scrollHeight;
