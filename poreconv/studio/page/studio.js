// @ts-check
// The page of the studio: its state, and what its controls and keys do.

import { clamp, endingAt, inOrder, markAt, mergedWithNext, newMark, split, startingAt } from "./editing.js";
import { listen as listenToKeys } from "./keys.js";
import { listen as listenToPointer } from "./pointer.js";
import { ReadList } from "./reads.js";
import { ask, askFile, send } from "./server.js";
import { Tiles } from "./tiles.js";
import { View } from "./view.js";

/** @typedef {import("./server.js").Mark} Mark */
/** @typedef {import("./server.js").Marked} Marked */

const SNAP_PIXELS = 8, FARTHEST_SNAP = 100000, POLL_MS = 1000;
const SEEN = "seen";

/** @template {HTMLElement} T @param {string} id @returns {T} */
const element = (id) => /** @type {T} */ (document.getElementById(id));
/** @param {string} id */
const input = (id) => /** @type {HTMLInputElement} */ (element(id));
/** @param {number} number */
const counted = (number) => number.toLocaleString("en");

/** @type {import("./drawing.js").Picture} */
const picture = {
  from: 0, to: 1, nSamples: 1, rate: 1, inSeconds: false, range: [0, 1], scaling: null, marks: [], selected: 0,
  caret: null, opened: null, colours: new Map(), lanes: [], proposal: null,
};
const state = {
  read: "", version: -1, usedAs: "interval", label: "", nLanes: 0,
  /** @type {import("./server.js").MarkClass[]} */ classes: [],
  /** @type {Mark[]} */ stored: [],
  /** @type {Mark | null} */ pending: null, // waits for the name of its class
  lanesFrom: 0, lanesTo: -1,
};

const canvas = /** @type {HTMLCanvasElement} */ (element("view"));
const view = new View(canvas, /** @type {HTMLCanvasElement} */ (element("overview")), picture, moved);
const list = new ReadList((entry) => attempt(() => open(entry.read_id)));

/** @param {string} text */
function report(text, wrong = false) {
  const status = element("status");
  status.textContent = text;
  status.classList.toggle("wrong", wrong);
}

/** @param {() => Promise<any>} act */
async function attempt(act) {
  try {
    await act();
  } catch (problem) {
    report(/** @type {Error} */ (problem).message, true);
  }
}

// Reads

/** @param {string} readId */
async function open(readId) {
  const [info, marked] = await Promise.all([ask("read", { read: readId }), ask("marks", { read: readId })]);
  Object.assign(state, { read: readId, lanesFrom: 0, lanesTo: -1, pending: null });
  Object.assign(picture, {
    nSamples: info.n_samples, rate: info.sample_rate_hz, range: [info.low_pa, info.high_pa], scaling: null,
    selected: 0, caret: null, opened: null, lanes: [], proposal: null,
  });
  view.tiles = new Tiles(readId, info.n_samples, () => view.redraw());
  element("title").textContent = readId;
  const seconds = (info.n_samples / info.sample_rate_hz).toFixed(1);
  element("about").textContent = `${counted(info.n_samples)} samples, ${seconds} s at ${info.sample_rate_hz} Hz, ${info.chemistry}, channel ${info.channel}, ${info.source}`;
  list.choose(readId);
  receive(marked);
  view.whole();
  await rescale();
}

async function rescale() {
  picture.scaling = null;
  if (input("normalised").checked) {
    const { shift_pa, scale_pa, problem } = await ask("scale", { read: state.read });
    if (problem) report(problem, true);
    else picture.scaling = { shift: shift_pa, scale: scale_pa };
  }
  view.redraw();
}

function moved() {
  input("from").value = String(Math.max(0, Math.round(picture.from)));
  input("to").value = String(Math.min(picture.nSamples, Math.round(picture.to)));
  if (state.nLanes) askLanes();
}

let lanesTimer = 0;
function askLanes() {
  const { from, to } = picture, span = to - from;
  const near = from >= state.lanesFrom && to <= state.lanesTo && span > (state.lanesTo - state.lanesFrom) / 12;
  if (near) return;
  clearTimeout(lanesTimer);
  lanesTimer = setTimeout(() => attempt(async () => {
    const read = state.read, start = Math.max(0, Math.floor(from - span)), end = Math.ceil(to + span);
    const lanes = await ask("lanes", { read, start, end });
    if (read !== state.read) return;
    Object.assign(state, { lanesFrom: from - span, lanesTo: to + span });
    Object.assign(picture, { lanes, proposal: null });
    view.redraw();
  }), 60);
}

// Marks

/** @param {Marked} marked */
function receive(marked) {
  const stored = marked.marks.filter(({ kind }) => kind === marked.used_as || kind === SEEN); // others are kept, and not shown
  Object.assign(state, { version: marked.version, usedAs: marked.used_as, classes: marked.classes, stored });
  picture.marks = stored;
  picture.colours = new Map(marked.classes.map(({ name, colour }) => [name, colour]));
  if (!state.stored.some((mark) => mark.mark === picture.selected)) picture.selected = 0;
  if (!state.classes.some(({ name }) => name === state.label)) state.label = state.classes[0]?.name ?? "";
  input("used-as").value = state.usedAs;
  list.count(marked.read, marked.marks);
  attempt(showHistory);
  showClasses();
  showMarks();
  view.redraw();
}

function showClasses() {
  const ofRead = state.stored.filter((mark) => mark.kind === "read").at(-1)?.label;
  const chosen = state.usedAs === "read" ? ofRead : state.label;
  element("classes").replaceChildren(...state.classes.map(({ name, colour }, i) => {
    const button = document.createElement("button"), swatch = document.createElement("span"), key = document.createElement("kbd");
    Object.assign(button, { type: "button", className: "class" });
    button.setAttribute("role", "radio");
    button.setAttribute("aria-checked", String(name === chosen));
    swatch.className = "swatch";
    swatch.style.background = colour;
    key.textContent = String(i + 1);
    button.append(swatch, name, ...(i < 9 ? [" ", key] : []));
    button.addEventListener("click", () => choose(i));
    return button;
  }));
}

function showMarks() {
  const shown = inOrder(state.stored), seen = shown.filter((mark) => mark.kind === SEEN).length;
  element("n-marks").textContent = `${counted(shown.length - seen)}${seen ? `, ${counted(seen)} looked at` : ""}`;
  element("marks").replaceChildren(...shown.slice(0, 500).map((mark) => {
    const item = document.createElement("li"), button = document.createElement("button"), swatch = document.createElement("span");
    button.type = "button";
    swatch.className = "swatch";
    swatch.style.background = mark.kind === SEEN ? "var(--seen)" : picture.colours.get(mark.label) ?? "var(--accent)";
    const name = mark.kind === SEEN ? "looked at" : mark.kind === "boundary" ? "boundary" : mark.label;
    const places = mark.kind === "boundary" ? counted(mark.start) : `${counted(mark.start)} to ${counted(mark.end)}`;
    button.append(swatch, `${name} ${places}`);
    button.setAttribute("aria-pressed", String(mark.mark === picture.selected));
    button.addEventListener("click", () => { select(mark); view.reveal((mark.start + mark.end) / 2); });
    item.append(button);
    return item;
  }));
}

async function showHistory() {
  if (!element("history").hasAttribute("open")) return;
  const changes = await ask("history", { read: state.read });
  element("changes").replaceChildren(...changes.slice(-200).reverse().map((/** @type {{who: string, at: string, mark: Mark}} */ { who, at, mark }) => {
    const item = document.createElement("li"), places = `${counted(mark.start)} to ${counted(mark.end)}`;
    item.textContent = `${new Date(at).toLocaleString()} ${who}: mark ${mark.mark} ${mark.removed ? "removed" : `${mark.label || mark.kind} ${places}`}`;
    return item;
  }));
}

/** @param {Mark | undefined} mark */
function select(mark) {
  picture.selected = mark?.mark ?? 0;
  picture.proposal = null;
  showMarks();
  view.redraw();
  if (mark) report(`Selected: ${mark.label || mark.kind} ${counted(mark.start)} to ${counted(mark.end)}`);
}

const selected = () => state.stored.find((mark) => mark.mark === picture.selected);

/** @param {Mark[]} marks @param {string} text what was done */
async function store(marks, text) {
  if (!marks.length) return report("Nothing to change here");
  const known = new Set(state.stored.map(({ mark }) => mark));
  const kept = picture.selected;
  await attempt(async () => {
    receive(await send("change", { who: input("who").value, read: state.read, marks }));
    const made = state.stored.filter(({ mark, kind }) => !known.has(mark) && kind !== SEEN);
    picture.selected = made.length === 1 ? made[0].mark : state.stored.some(({ mark }) => mark === kept) ? kept : 0;
    showMarks();
    report(text);
  });
  picture.marks = state.stored;
  view.redraw();
}

/** @param {number} sample @param {boolean} free not snapped */
async function snapped(sample, free) {
  const within = clamp(Math.round(SNAP_PIXELS * view.perPixel), 1, FARTHEST_SNAP);
  if (free || !input("snaps").checked || sample <= 0 || sample >= picture.nSamples) return sample;
  return (await ask("step", { read: state.read, sample, within })).sample;
}

/** Store a mark whose ends were placed by hand. @param {Mark} mark @param {boolean} free @param {("start" | "end")[]} edges */
async function storePlaced(mark, free, edges) {
  await attempt(async () => {
    if (edges.includes("start")) {
      const start = await snapped(mark.start, free);
      mark = mark.kind === "boundary" ? startingAt(mark, start, "boundary", picture.nSamples) : { ...mark, start: Math.min(start, mark.end - 1) };
    }
    if (edges.includes("end")) mark = endingAt(mark, await snapped(mark.end, free), picture.nSamples);
    if (mark.kind === "interval" && !mark.label) mark = { ...mark, label: state.label };
    if (mark.kind === "interval" && !mark.label) return wait(mark);
    await store([mark], `${mark.label || mark.kind} ${counted(mark.start)} to ${counted(mark.end)}`);
  });
}

/** @param {Mark} mark */
function wait(mark) {
  state.pending = mark;
  preview(mark);
  report("Type the name of its class");
  element("class-name").focus();
}

/** @param {Mark | null} mark */
function preview(mark) {
  const others = state.stored.filter((other) => !mark || other.mark !== mark.mark);
  picture.marks = mark ? [...others, { ...mark, label: mark.label || state.label }] : state.stored;
  view.redraw();
}

/** @param {number} number of a class */
function choose(number) {
  const { name } = state.classes[number] ?? {}, mark = selected();
  if (!name) return report(`There is no class ${number + 1}`);
  if (state.usedAs === "read") {
    const old = state.stored.filter(({ kind }) => kind === "read").map((each) => ({ ...each, removed: true }));
    return store([...old, newMark("read", 0, picture.nSamples, name)], `This read is ${name}`);
  }
  state.label = name;
  showClasses();
  if (mark?.kind === "interval" && mark.label !== name) return store([{ ...mark, label: name }], `Changed to ${name}`);
  return report(`New marks are ${name}`);
}

/** @param {string} name */
async function addClass(name) {
  await attempt(async () => {
    state.classes = await send("class", { name });
    picture.colours = new Map(state.classes.map((each) => [each.name, each.colour]));
    state.label = name;
    showClasses();
    report(`New marks are ${name}`);
    const mark = state.pending;
    state.pending = null;
    if (mark) await store([{ ...mark, label: name }], `${name} ${counted(mark.start)} to ${counted(mark.end)}`);
    canvas.focus();
  });
}

/** @param {"undo" | "redo"} name */
async function repeat(name) {
  await attempt(async () => {
    const marked = await send(name, { who: input("who").value });
    if (!marked.read) return report(`Nothing to ${name}`);
    if (marked.read !== state.read) await open(marked.read);
    else receive(marked);
    report(name === "undo" ? "Undone" : "Done again");
  });
}

/** @param {number} start @param {number} end */
const lookedAt = (start, end) => store([newMark(SEEN, start, end)], `Looked at ${counted(start)} to ${counted(end)}: what is empty there is background`);

// The caret, for marking by keys

const caret = () => Math.round(picture.caret ?? (picture.from + picture.to) / 2);

/** @param {number} sample */
function place(sample) {
  picture.caret = clamp(Math.round(sample), 0, picture.nSamples);
  view.reveal(picture.caret);
  view.redraw();
  report(`Sample ${counted(picture.caret)}`);
}

/** @param {boolean} opens */
function bracket(opens) {
  const mark = selected(), at = caret();
  if (mark && mark.kind !== "read") {
    return storePlaced(opens ? startingAt(mark, at, mark.kind, picture.nSamples) : endingAt(mark, at, picture.nSamples), true, []);
  }
  if (opens) picture.opened = at;
  else if (picture.opened !== null && picture.opened !== at) {
    const [start, end] = [picture.opened, at].sort((a, b) => a - b);
    picture.opened = null;
    return storePlaced(newMark("interval", start, end), false, ["start", "end"]);
  }
  view.redraw();
  report(opens ? `Begins at ${counted(at)}; ] ends it` : "Begin it with [");
}

function boundaryHere() {
  if (state.usedAs !== "boundary") return report("Choose “Marks are boundaries” first");
  return storePlaced(newMark("boundary", caret(), caret() + 1), false, ["start"]);
}

/** @param {number} step */
function selectNext(step) {
  const marks = inOrder(state.stored);
  if (!marks.length) return report("No marks yet");
  const at = marks.findIndex(({ mark }) => mark === picture.selected);
  const mark = marks[at < 0 ? (step > 0 ? 0 : marks.length - 1) : (at + step + marks.length) % marks.length];
  select(mark);
  view.reveal((mark.start + mark.end) / 2);
}

function remove() {
  const mark = selected();
  return store(mark ? [{ ...mark, removed: true }] : [], "Deleted");
}

function splitHere() {
  const mark = selected() ?? markAt(state.stored, caret(), 0);
  return store(mark ? split(mark, caret()) : [], "Split");
}

function merge() {
  const mark = selected();
  return store(mark ? mergedWithNext(state.stored, mark) : [], "Merged");
}

// Proposals

/** @param {number} lane @param {number} sample */
function propose(lane, sample) {
  const { start, end, label, score, dense } = picture.lanes[lane];
  const event = dense ? -1 : start.findIndex((first, i) => first <= sample && sample < end[i]);
  picture.proposal = event < 0 ? null : { lane, event };
  picture.selected = 0;
  if (event >= 0) report(`${picture.lanes[lane].name}: ${label[event]} ${counted(start[event])} to ${counted(end[event])}, score ${score[event]}; a accepts it`);
  view.redraw();
}

function accept() {
  if (!picture.proposal) return report("Click an event of a lane first");
  const { lane, event } = picture.proposal, { start, end, label } = picture.lanes[lane];
  const [first, last] = { boundary: [start[event], start[event] + 1], read: [0, picture.nSamples] }[state.usedAs] ?? [start[event], end[event]];
  return store([newMark(state.usedAs, first, last, state.usedAs === "boundary" ? "" : label[event])], "Accepted");
}

async function acceptAll() {
  const asked = { who: input("who").value, read: state.read, lane: input("lane").value, least_score: Number(input("least-score").value) };
  await attempt(async () => {
    receive(await send("accept", asked));
    report(`Accepted all of ${asked.lane} with score from ${asked.least_score}`);
  });
}

// Controls

async function download() {
  await attempt(async () => {
    const link = document.createElement("a");
    link.href = URL.createObjectURL(await askFile("intervals"));
    link.download = "intervals.tsv";
    link.click();
    URL.revokeObjectURL(link.href);
    report("intervals.tsv is in your downloads");
  });
}

/** @param {string} id */
const toggle = (id) => input(id).click();
const pan = (/** @type {number} */ share) => view.pan(share * view.span);
const zoom = (/** @type {number} */ factor) => view.zoom(factor, picture.caret !== null && picture.caret >= picture.from && picture.caret <= picture.to ? picture.caret : (picture.from + picture.to) / 2);
const next = (/** @type {number} */ step) => attempt(async () => { if (!(await list.move(step))) report("No more reads here"); });
const seenHere = () => lookedAt(Math.max(0, Math.floor(picture.from)), Math.min(picture.nSamples, Math.ceil(picture.to)));
const seenAll = async () => { await lookedAt(0, picture.nSamples); await next(1); };
const help = () => /** @type {HTMLDialogElement} */ (element("help")).showModal();
function release() {
  Object.assign(picture, { selected: 0, opened: null, caret: null, proposal: null, marks: state.stored });
  state.pending = null;
  showMarks();
  view.redraw();
}

listenToKeys([
  { keys: ["ArrowLeft"], shown: "←", text: "Move left; with Shift by all that is shown", act: (event) => pan(event.shiftKey ? -1 : -0.2) },
  { keys: ["ArrowRight"], shown: "→", text: "Move right", act: (event) => pan(event.shiftKey ? 1 : 0.2) },
  { keys: ["+", "=", "ArrowUp"], shown: "+", text: "Zoom in, also ↑", act: () => zoom(0.5) },
  { keys: ["-", "_", "ArrowDown"], shown: "-", text: "Zoom out, also ↓", act: () => zoom(2) },
  { keys: ["0"], shown: "0", text: "Whole read", act: () => view.whole() },
  { keys: ["n"], shown: "n", text: "Next read", act: () => next(1) },
  { keys: ["p"], shown: "p", text: "Previous read", act: () => next(-1) },
  { keys: [..."123456789"], shown: "1..9", text: "Class of the selected mark, and of new ones; of the read", act: (event) => choose(Number(event.key) - 1) },
  { keys: ["c"], shown: "c", text: "New class", act: () => element("class-name").focus() },
  { keys: [","], shown: ", .", text: "Move the caret by a pixel; < > by ten", act: () => place(caret() - Math.max(1, view.perPixel)) },
  { keys: ["."], shown: ".", text: "Caret right", act: () => place(caret() + Math.max(1, view.perPixel)) },
  { keys: ["<"], shown: "<", text: "Caret left by ten pixels", act: () => place(caret() - 10 * Math.max(1, view.perPixel)) },
  { keys: [">"], shown: ">", text: "Caret right by ten pixels", act: () => place(caret() + 10 * Math.max(1, view.perPixel)) },
  { keys: ["["], shown: "[", text: "Begin an interval at the caret; or move the start of the selected one there", act: () => bracket(true) },
  { keys: ["]"], shown: "]", text: "End it at the caret", act: () => bracket(false) },
  { keys: ["b"], shown: "b", text: "Boundary at the caret", act: boundaryHere },
  { keys: ["j"], shown: "j", text: "Select the next mark", act: () => selectNext(1) },
  { keys: ["k"], shown: "k", text: "Select the mark before", act: () => selectNext(-1) },
  { keys: ["Delete", "Backspace"], shown: "Del", text: "Delete the selected mark", act: remove },
  { keys: ["s"], shown: "s", text: "Split at the caret", act: splitHere },
  { keys: ["g"], shown: "g", text: "Merge with the next interval", act: merge },
  { keys: ["u", "Ctrl+z"], shown: "u", text: "Undo, without end", act: () => repeat("undo") },
  { keys: ["U", "Ctrl+y"], shown: "U", text: "Redo", act: () => repeat("redo") },
  { keys: ["v"], shown: "v", text: "This part was looked at: what is empty is background", act: seenHere },
  { keys: ["d"], shown: "d", text: "The whole read was looked at; next read", act: seenAll },
  { keys: ["a"], shown: "a", text: "Accept the chosen event of a lane", act: accept },
  { keys: ["A"], shown: "A", text: "Accept all events of a lane", act: acceptAll },
  { keys: ["m"], shown: "m", text: "Dragging marks, or moves", act: () => toggle("drag-pans") },
  { keys: ["x"], shown: "x", text: "Snap ends to the steepest step nearby; Alt while dragging: not", act: () => toggle("snaps") },
  { keys: ["t"], shown: "t", text: "Seconds, or samples", act: () => toggle("in-seconds") },
  { keys: ["y"], shown: "y", text: "Normalised, or pA", act: () => toggle("normalised") },
  { keys: ["Escape"], shown: "Esc", text: "Select nothing", act: release },
  { keys: ["?"], shown: "?", text: "These keys", act: help },
]);

listenToPointer(view, {
  pans: () => input("drag-pans").checked,
  usedAs: () => state.usedAs,
  select, propose, preview, place,
  store: storePlaced,
});

/** @type {Record<string, () => any>} */
const clicks = {
  previous: () => next(-1), next: () => next(1), left: () => pan(-0.2), right: () => pan(0.2), in: () => zoom(0.5), out: () => zoom(2),
  whole: () => view.whole(), undo: () => repeat("undo"), redo: () => repeat("redo"), remove, split: splitHere, merge,
  seen: seenHere, done: seenAll, accept, "accept-all": acceptAll, download, "help-open": help,
};
for (const [id, act] of Object.entries(clicks)) element(id).addEventListener("click", act);
for (const id of ["from", "to"]) {
  element(id).addEventListener("change", () => view.show(Number(input("from").value), Number(input("to").value)));
}
element("drag-pans").addEventListener("change", () => canvas.classList.toggle("pans", input("drag-pans").checked));
element("in-seconds").addEventListener("change", () => { picture.inSeconds = input("in-seconds").checked; view.redraw(); });
element("normalised").addEventListener("change", () => attempt(rescale));
element("used-as").addEventListener("change", () => attempt(async () => {
  state.usedAs = input("used-as").value;
  await send("use", { used_as: state.usedAs });
  receive(await ask("marks", { read: state.read }));
}));
element("history").addEventListener("toggle", () => attempt(showHistory));
element("who").addEventListener("change", () => localStorage.setItem("who", input("who").value));
element("new-class").addEventListener("submit", (event) => {
  event.preventDefault();
  const name = input("class-name").value.trim();
  input("class-name").value = "";
  if (name) addClass(name);
});

// Begin

async function poll() {
  if (state.read && !document.hidden) {
    try {
      const marked = await ask("marks", { read: state.read, version: state.version });
      if (marked.read === state.read) receive(marked);
    } catch (problem) {
      report(/** @type {Error} */ (problem).message, true);
    }
  }
  setTimeout(poll, POLL_MS);
}

function askName() {
  input("who").value = localStorage.getItem("who") ?? "";
  if (input("who").value) return;
  const dialog = /** @type {HTMLDialogElement} */ (element("ask-name"));
  dialog.addEventListener("close", () => {
    input("who").value = input("ask-who").value.trim() || "someone";
    localStorage.setItem("who", input("who").value);
    canvas.focus();
  });
  dialog.showModal();
}

attempt(async () => {
  if (matchMedia("(max-width: 700px)").matches) element("list").removeAttribute("open");
  if (matchMedia("(pointer: coarse)").matches) toggle("drag-pans");
  askName();
  const project = await ask("project");
  element("folder").textContent = project.folder;
  state.nLanes = project.lanes.length;
  element("accepting").hidden = !project.lanes.length;
  element("lane").append(...project.lanes.map((/** @type {string} */ name) => new Option(name, name)));
  document.querySelector("[name=chemistry]")?.append(...project.chemistries.map((/** @type {string} */ name) => new Option(name, name)));
  await list.refresh();
  if (list.entries.length) await open(list.entries[0].read_id);
  poll();
});
