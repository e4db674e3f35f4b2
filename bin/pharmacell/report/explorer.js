"use strict";
const data = JSON.parse(document.getElementById("data").textContent);
const $ = (id) => document.getElementById(id);
const bytes = (text) => Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
const shorts = (text) => new Uint16Array(bytes(text).buffer);
const NO_PLACE = 65535, PLACES = 65534, ROWS = 25, TOP = 15;
const KINDS = { prediction: "Prediction", drug: "All drugs", order: "Order", gene: "Genes" };
const n = data.cells.length;
for (const value of data.values) {
  value.steps = bytes(value.data);
  value.ends = value.steps.reduce(([low, high], step) => [Math.min(low, step), Math.max(high, step)], [255, 0]);
}
for (const group of data.classes) group.codes = shorts(group.data);
for (const map of data.maps) map.xy = shorts(map.xy);

// Colours: cividis for numbers, Okabe and Ito's for classes, both readable for all common kinds of colour blindness
const CIVIDIS = ["#00224e", "#123570", "#3b496c", "#575d6d", "#707173", "#8a8678", "#a59c74", "#c3b369", "#e1cc55", "#fee838"];
const OKABE = ["#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000", "#F0E442", "#0072B2", "#D55E00"];
const RESPONSE = { sensitive: "#0072B2", resistant: "#D55E00", "not known": "#999999" };
const parts = (colour) => [1, 3, 5].map((at) => parseInt(colour.slice(at, at + 2), 16));
const pixel = ([r, g, b]) => (255 << 24) | (b << 16) | (g << 8) | r; // as a little-endian canvas has them
const scale = Uint32Array.from({ length: 256 }, (_, step) => {
  const at = (step / 255) * (CIVIDIS.length - 1), low = Math.min(Math.floor(at), CIVIDIS.length - 2);
  const [a, b] = [parts(CIVIDIS[low]), parts(CIVIDIS[low + 1])];
  return pixel(a.map((from, i) => Math.round(from + (b[i] - from) * (at - low))));
});
// More classes than colours: hues at even distances, light and dark by turns, so that neighbours differ without hue too
const hue = (code, count) => {
  const light = code % 2 ? 0.66 : 0.38, reach = 0.85 * Math.min(light, 1 - light);
  const part = (shift) => {
    const at = (shift + (12 * code) / count) % 12;
    return Math.round(255 * (light - reach * Math.max(-1, Math.min(at - 3, 9 - at, 1))));
  };
  return [part(0), part(8), part(4)];
};
const classColour = (group, code) =>
  parts(RESPONSE[group.levels[code]] || OKABE[code] || "#000000").map((part, i) =>
    group.name !== "truth" && group.levels.length > OKABE.length ? hue(code, group.levels.length)[i] : part);
const css = (rgb) => `rgb(${rgb.join(",")})`;

// What can be chosen
const colours = [
  ...data.values.filter((value) => value.kind === "prediction").map((value) => ({ label: "Prediction", title: `probability: ${value.name}`, value })),
  ...data.classes.map((group) => ({ label: "Known", title: group.name, group })),
  ...data.values.filter((value) => value.kind !== "prediction").map((value) => ({ label: KINDS[value.kind], title: value.name, value })),
];
const groupOf = data.classes.find((group) => group.name === "group");
const state = { map: 0, colour: 0, zoom: 1, x: 0.5, y: 0.5, mode: "lasso", selected: new Uint8Array(n), count: 0, path: [], page: 0, order: null };
const add = (parent, tag, text, attributes = {}) => {
  const made = document.createElement(tag);
  made.textContent = text;
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  parent.appendChild(made);
  return made;
};
data.maps.forEach((map, i) => add($("map"), "option", map.name, { value: i }));
for (const label of new Set(colours.map((each) => each.label))) {
  const part = add($("colour"), "optgroup", "", { label });
  colours.forEach((each, i) => { if (each.label === label) add(part, "option", each.title, { value: i }); });
}
colours.forEach((each) => { if (each.value) add($("names"), "option", "", { value: each.title }); });
if (groupOf) groupOf.levels.forEach((level, code) => add($("pick"), "option", level, { value: code }));
else $("pick").parentElement.hidden = true;
$("n-cells").textContent = `${n.toLocaleString("en")} cells.`;

// Drawing
const canvas = $("canvas"), context = canvas.getContext("2d", { willReadFrequently: true });
const side = () => Math.min(canvas.width, canvas.height) * 0.96 * state.zoom;
const place = (cell) => {
  const xy = data.maps[state.map].xy;
  if (xy[2 * cell] === NO_PLACE) return null;
  return [canvas.width / 2 + (xy[2 * cell] / PLACES - state.x) * side(), canvas.height / 2 - (xy[2 * cell + 1] / PLACES - state.y) * side()];
};
const shuffled = Uint32Array.from({ length: n }, (_, i) => i); // so that no group hides another
for (let i = n - 1, seed = 1; i > 0; i--) {
  seed = (seed * 48271) % 2147483647;
  const j = seed % (i + 1);
  [shuffled[i], shuffled[j]] = [shuffled[j], shuffled[i]];
}
// From the lowest to the highest step that is drawn: all 256, or those that occur
const ends = (value) => ($("stretch").checked && value.ends[1] > value.ends[0] ? value.ends : [0, 255]);
const stretched = ([low, high]) => scale.map((_, step) => scale[Math.max(0, Math.min(255, Math.round((255 * (step - low)) / (high - low))))]);
function draw() {
  const ratio = devicePixelRatio || 1, box = canvas.getBoundingClientRect();
  const [w, h] = [Math.max(1, Math.round(box.width * ratio)), Math.max(1, Math.round(box.height * ratio))];
  if (canvas.width !== w || canvas.height !== h) [canvas.width, canvas.height] = [w, h];
  const image = context.createImageData(w, h), pixels = new Uint32Array(image.data.buffer).fill(pixel([244, 244, 242]));
  const chosen = colours[state.colour];
  const lut = chosen.value ? stretched(ends(chosen.value)) : Uint32Array.from(chosen.group.levels, (_, code) => pixel(classColour(chosen.group, code)));
  const code = chosen.value ? chosen.value.steps : chosen.group.codes;
  const narrow = Math.min(1, box.width / 700);
  const radius = Math.max(1.2, Math.min(7, 110 / Math.sqrt(n)) * narrow) * ratio * Math.min(2, Math.sqrt(state.zoom));
  const faded = pixel([205, 205, 200]);
  for (const late of state.count ? [0, 1] : [0]) {
    for (const cell of shuffled) {
      if (state.count && state.selected[cell] !== late) continue;
      const at = place(cell);
      if (!at) continue;
      const colour = state.count && !late ? faded : lut[code[cell]], [x, y] = at, r2 = radius * radius;
      for (let j = Math.max(0, Math.ceil(y - radius)); j <= Math.min(h - 1, y + radius); j++)
        for (let i = Math.max(0, Math.ceil(x - radius)); i <= Math.min(w - 1, x + radius); i++)
          if ((i - x) ** 2 + (j - y) ** 2 <= r2) pixels[j * w + i] = colour;
    }
  }
  context.putImageData(image, 0, 0);
  if (state.path.length > 1) {
    context.beginPath();
    state.path.forEach(([x, y], i) => (i ? context.lineTo(x, y) : context.moveTo(x, y)));
    context.closePath();
    context.strokeStyle = "#000";
    context.lineWidth = 1.5 * ratio;
    context.setLineDash([5 * ratio, 4 * ratio]);
    context.stroke();
    context.setLineDash([]);
  }
}
let waiting = false;
const redraw = () => { if (!waiting) { waiting = true; requestAnimationFrame(() => { waiting = false; draw(); }); } };
const shown = (value, cell) => value.low + ((value.high - value.low) * value.steps[cell]) / 255;
function legend() {
  const { value, group, title } = colours[state.colour], box = $("legend");
  box.replaceChildren();
  add(box, "b", title);
  if (value) {
    const [low, high] = ends(value).map((step) => (value.low + ((value.high - value.low) * step) / 255).toFixed(2));
    add(box, "span", low);
    add(box, "span", "", { class: "bar", style: `background: linear-gradient(90deg, ${CIVIDIS.join(",")})` });
    add(box, "span", high);
    if (value.kind === "drug" || value.kind === "prediction") add(box, "span", "probability of being sensitive (yellow: sensitive)", { class: "soft" });
  } else {
    group.levels.slice(0, 40).forEach((level, code) => {
      const item = add(box, "span", "");
      add(item, "i", "", { style: `background: ${css(classColour(group, code))}` });
      item.append(level);
    });
  }
  canvas.setAttribute("aria-label", `Map of the cells, coloured by ${title}; arrow keys move it, plus and minus zoom`);
}
function colourBy(i) {
  if (i < 0) return;
  state.colour = i;
  $("colour").value = i;
  legend();
  table();
  redraw();
}

// Selection
function select(test) {
  state.count = 0;
  for (let cell = 0; cell < n; cell++) state.count += state.selected[cell] = test(cell) ? 1 : 0;
  state.page = 0;
  tell();
  table();
  redraw();
}
function inside([x, y], path) {
  let odd = false;
  for (let i = 0, j = path.length - 1; i < path.length; j = i++) {
    const [a, b] = [path[i], path[j]];
    if (a[1] > y !== b[1] > y && x < ((b[0] - a[0]) * (y - a[1])) / (b[1] - a[1]) + a[0]) odd = !odd;
  }
  return odd;
}
function means(value) {
  let [own, other, square, sum] = [0, 0, 0, 0];
  for (let cell = 0; cell < n; cell++) {
    const found = shown(value, cell);
    if (state.selected[cell]) own += found; else other += found;
    sum += found;
    square += found * found;
  }
  const spread = Math.sqrt(Math.max(square / n - (sum / n) ** 2, 0)), rest = n - state.count;
  return { value, own: own / state.count, other: rest ? other / rest : NaN, spread };
}
const number = (value) => (Number.isFinite(value) ? value.toFixed(2) : "–");
function rows(id, heads, lines, words = 1) { // so many columns of words, then numbers
  const target = $(id);
  target.replaceChildren();
  const head = add(add(target, "thead", ""), "tr", "");
  const look = (i) => (i < words ? {} : { class: "number" });
  heads.forEach((name, i) => add(head, "th", name, { ...look(i), scope: "col" }));
  const body = add(target, "tbody", "");
  for (const line of lines) {
    const row = add(body, "tr", "");
    line.forEach((cell, i) => {
      if (i || typeof cell === "string") return add(row, "td", cell, look(i));
      add(add(row, "td", ""), "button", cell.title, { title: `Colour the map by ${cell.title}` }).onclick = () => colourBy(colours.indexOf(cell));
    });
  }
}
function tell() {
  $("results").hidden = !state.count;
  $("advice").hidden = !!state.count;
  $("selected").textContent = state.count ? `${state.count.toLocaleString("en")} of ${n.toLocaleString("en")} cells selected` : "No cell selected";
  if (!state.count) return;
  const counts = groupOf ? groupOf.levels.map(() => 0) : [], all = counts.slice();
  if (groupOf) groupOf.codes.forEach((code, cell) => { all[code]++; counts[code] += state.selected[cell]; });
  const order = counts.map((_, code) => code).filter((code) => counts[code]).sort((a, b) => counts[b] - counts[a]);
  rows("groups", ["group", "selected", "of the group"], order.slice(0, 12).map((code) =>
    [groupOf.levels[code], counts[code].toLocaleString("en"), `${Math.round((100 * counts[code]) / all[code])} %`]));
  const entry = (found) => colours.find((each) => each.value === found.value);
  const drugs = data.values.filter((value) => value.kind === "prediction" || value.kind === "drug").map(means);
  drugs.sort((a, b) => Math.abs(b.own - b.other || 0) - Math.abs(a.own - a.other || 0) || b.own - a.own);
  rows("drugs", ["drug", "selection", "others", "difference"], drugs.map((found) =>
    [entry(found), number(found.own), number(found.other), number(found.own - found.other)]));
  const genes = data.values.filter((value) => value.kind === "gene").map(means);
  const size = (found) => Math.abs((found.own - found.other) / (found.spread || 1)) || 0;
  genes.sort((a, b) => size(b) - size(a));
  rows("genes", ["gene", "selection", "others", "difference"], genes.slice(0, TOP).map((found) =>
    [entry(found), number(found.own), number(found.other), number((found.own - found.other) / (found.spread || 1))]));
}

// Table of cells
const classOf = (group, cell) => group.levels[group.codes[cell]];
const columns = () => {
  const own = data.values.filter((value) => value.kind === "prediction"), chosen = colours[state.colour].value;
  return chosen && !own.includes(chosen) ? [...own, chosen] : own;
};
function matching() {
  const wanted = $("search").value.trim().toLowerCase(), only = $("only").checked && state.count, found = [];
  for (let cell = 0; cell < n; cell++) {
    if (only && !state.selected[cell]) continue;
    const text = [data.cells[cell], ...data.classes.map((group) => classOf(group, cell))].join(" ").toLowerCase();
    if (!wanted || text.includes(wanted)) found.push(cell);
  }
  return found;
}
const line = (cell, values) => [data.cells[cell], ...data.classes.map((group) => classOf(group, cell)), ...values.map((value) => shown(value, cell).toFixed(3))];
const heads = (values) => ["cell", ...data.classes.map((group) => group.name), ...values.map((value) => (value.kind === "gene" ? value.name : value.kind === "order" ? value.name : `probability ${value.name}`))];
function table() {
  const found = matching(), pages = Math.max(1, Math.ceil(found.length / ROWS)), values = columns();
  state.page = Math.max(0, Math.min(state.page, pages - 1));
  rows("table", heads(values), found.slice(state.page * ROWS, (state.page + 1) * ROWS).map((cell) => line(cell, values)), 1 + data.classes.length);
  $("page").textContent = ` ${found.length.toLocaleString("en")} cells, page ${state.page + 1} of ${pages} `;
  $("before").disabled = state.page === 0;
  $("after").disabled = state.page === pages - 1;
}
function csv() {
  const values = data.values.filter((value) => value.kind !== "gene"), gene = colours[state.colour].value;
  if (gene && gene.kind === "gene") values.push(gene);
  const quoted = (text) => (/[",\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text);
  return [heads(values), ...matching().map((cell) => line(cell, values))].map((each) => each.map(quoted).join(",")).join("\n") + "\n";
}
$("download").onclick = () => {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob([csv()], { type: "text/csv" }));
  link.download = `${data.sample}_cells.csv`;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 1000);
};

// Mouse and keys
const at = (event) => {
  const box = canvas.getBoundingClientRect(), ratio = canvas.width / box.width;
  return [(event.clientX - box.left) * ratio, (event.clientY - box.top) * ratio];
};
function zoom(factor, [x, y] = [canvas.width / 2, canvas.height / 2]) {
  const before = side();
  state.zoom = Math.max(0.5, Math.min(60, state.zoom * factor));
  state.x += (x - canvas.width / 2) * (1 / before - 1 / side());
  state.y -= (y - canvas.height / 2) * (1 / before - 1 / side());
  redraw();
}
const shift = (dx, dy) => { state.x -= dx / side(); state.y += dy / side(); redraw(); };
let last = null;
canvas.addEventListener("pointerdown", (event) => {
  last = at(event);
  state.path = state.mode === "lasso" && !event.shiftKey ? [last] : [];
  try { canvas.setPointerCapture(event.pointerId); } catch { /* a pointer that a test made up */ }
});
canvas.addEventListener("pointermove", (event) => {
  const now = at(event);
  if (!last) return hover(event, now);
  if (state.path.length) { state.path.push(now); redraw(); } else shift(now[0] - last[0], now[1] - last[1]);
  last = now;
});
addEventListener("pointerup", () => {
  const path = state.path;
  [last, state.path] = [null, []];
  if (path.length > 2) select((cell) => { const where = place(cell); return where && inside(where, path); });
  else if (path.length) redraw();
});
canvas.addEventListener("wheel", (event) => { event.preventDefault(); zoom(event.deltaY < 0 ? 1.2 : 1 / 1.2, at(event)); }, { passive: false });
canvas.addEventListener("pointerleave", () => { $("tip").hidden = true; });
function hover(event, [x, y]) {
  let [best, distance] = [-1, (10 * (devicePixelRatio || 1)) ** 2];
  for (let cell = 0; cell < n; cell++) {
    const where = place(cell);
    if (!where) continue;
    const d = (where[0] - x) ** 2 + (where[1] - y) ** 2;
    if (d < distance) [best, distance] = [cell, d];
  }
  const tip = $("tip"), chosen = colours[state.colour].value;
  tip.hidden = best < 0;
  if (best < 0) return;
  tip.textContent = [data.cells[best], ...data.classes.map((group) => `${group.name} ${classOf(group, best)}`), chosen ? `${chosen.name} ${shown(chosen, best).toFixed(2)}` : ""].filter(Boolean).join(" · ");
  const box = canvas.parentElement.getBoundingClientRect();
  tip.style.left = `${Math.min(event.clientX - box.left + 12, box.width - 180)}px`;
  tip.style.top = `${event.clientY - box.top + 12}px`;
}
const mode = (name) => { state.mode = name; for (const each of ["lasso", "move"]) $(each).setAttribute("aria-pressed", each === name); canvas.style.cursor = name === "move" ? "grab" : "crosshair"; };
const whole = () => { Object.assign(state, { zoom: 1, x: 0.5, y: 0.5 }); redraw(); };
const clear = () => { $("pick").value = ""; select(() => false); };
canvas.addEventListener("keydown", (event) => {
  const step = 40 * (devicePixelRatio || 1);
  const keys = {
    ArrowLeft: () => shift(step, 0), ArrowRight: () => shift(-step, 0), ArrowUp: () => shift(0, step), ArrowDown: () => shift(0, -step),
    "+": () => zoom(1.25), "-": () => zoom(0.8), 0: whole, Escape: clear, l: () => mode("lasso"), m: () => mode("move"),
  };
  if (keys[event.key]) { event.preventDefault(); keys[event.key](); }
});
$("lasso").onclick = () => mode("lasso");
$("move").onclick = () => mode("move");
$("reset").onclick = whole;
$("clear").onclick = clear;
$("map").onchange = () => { state.map = +$("map").value; whole(); };
$("colour").onchange = () => colourBy(+$("colour").value);
$("find").onchange = () => colourBy(colours.findIndex((each) => each.title.toLowerCase() === $("find").value.trim().toLowerCase()));
$("pick").onchange = () => ($("pick").value === "" ? clear() : select((cell) => groupOf.codes[cell] === +$("pick").value));
$("stretch").onchange = () => { legend(); redraw(); };
$("search").oninput = () => { state.page = 0; table(); };
$("only").onchange = () => { state.page = 0; table(); };
$("before").onclick = () => { state.page--; table(); };
$("after").onclick = () => { state.page++; table(); };
addEventListener("resize", redraw);
if (!data.maps.length) canvas.hidden = true;
if (colours.length) colourBy(0);
draw();
document.documentElement.dataset.ready = "yes";
