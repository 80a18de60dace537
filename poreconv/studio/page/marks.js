// @ts-check
// The marks of the read that is shown: listing, selecting, changing and storing them.

import { clamp, endingAt, inOrder, markAt, mergedWithNext, newMark, split, startingAt } from "./editing.js";
import { ask, send } from "./server.js";
import { attempt, canvas, counted, element, input, list, picture, report, state, view } from "./state.js";

/** @typedef {import("./server.js").Mark} Mark */
/** @typedef {import("./server.js").Marked} Marked */

const SNAP_PIXELS = 8, FARTHEST_SNAP = 100000;
const SEEN = "seen";

/** @param {Marked} marked */
export function receive(marked) {
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

export async function showHistory() {
  if (!element("history").hasAttribute("open")) return;
  const changes = await ask("history", { read: state.read });
  element("changes").replaceChildren(...changes.slice(-200).reverse().map((/** @type {{who: string, at: string, mark: Mark}} */ { who, at, mark }) => {
    const item = document.createElement("li"), places = `${counted(mark.start)} to ${counted(mark.end)}`;
    item.textContent = `${new Date(at).toLocaleString()} ${who}: mark ${mark.mark} ${mark.removed ? "removed" : `${mark.label || mark.kind} ${places}`}`;
    return item;
  }));
}

/** @param {Mark | undefined} mark */
export function select(mark) {
  picture.selected = mark?.mark ?? 0;
  picture.proposal = null;
  showMarks();
  view.redraw();
  if (mark) report(`Selected: ${mark.label || mark.kind} ${counted(mark.start)} to ${counted(mark.end)}`);
}

const selected = () => state.stored.find((mark) => mark.mark === picture.selected);

/** @param {Mark[] | Promise<Mark[]>} marks @param {string | ((marks: Mark[]) => string)} done what was done, in words */
export async function store(marks, done) {
  if (Array.isArray(marks) && !marks.length) return report("Nothing to change here");
  const kept = picture.selected, asked = { who: input("who").value, read: state.read };
  await attempt(async () => {
    const answer = await send("change", Promise.resolve(marks).then((placed) => ({ ...asked, marks: placed })));
    const known = new Set(state.stored.map(({ mark }) => mark));
    receive(answer);
    const made = state.stored.filter(({ mark, kind }) => !known.has(mark) && kind !== SEEN);
    picture.selected = made.length === 1 ? made[0].mark : state.stored.some(({ mark }) => mark === kept) ? kept : 0;
    showMarks();
    report(typeof done === "string" ? done : done(await marks));
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

/** @param {Mark} mark @param {boolean} free @param {("start" | "end")[]} edges @returns {Promise<Mark>} */
async function placed(mark, free, edges) {
  if (edges.includes("start")) {
    const start = await snapped(mark.start, free);
    mark = mark.kind === "boundary" ? startingAt(mark, start, "boundary", picture.nSamples) : { ...mark, start: Math.min(start, mark.end - 1) };
  }
  return edges.includes("end") ? endingAt(mark, await snapped(mark.end, free), picture.nSamples) : mark;
}

/** Store a mark whose ends were placed by hand. @param {Mark} mark @param {boolean} free @param {("start" | "end")[]} edges */
export async function storePlaced(mark, free, edges) {
  const named = mark.kind === "interval" && !mark.label ? { ...mark, label: state.label } : mark;
  const placing = placed(named, free, edges);
  if (named.kind === "interval" && !named.label) return attempt(async () => wait(await placing));
  return store(placing.then((one) => [one]), ([{ kind, label, start, end }]) => `${label || kind} ${counted(start)} to ${counted(end)}`);
}

/** @param {Mark} mark */
function wait(mark) {
  state.pending = mark;
  preview(mark);
  report("Type the name of its class");
  element("class-name").focus();
}

/** @param {Mark | null} mark */
export function preview(mark) {
  const others = state.stored.filter((other) => !mark || other.mark !== mark.mark);
  picture.marks = mark ? [...others, { ...mark, label: mark.label || state.label }] : state.stored;
  view.redraw();
}

/** @param {number} number of a class */
export function choose(number) {
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
export async function addClass(name) {
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

/** @param {number} start @param {number} end */
export const lookedAt = (start, end) => store([newMark(SEEN, start, end)], `Looked at ${counted(start)} to ${counted(end)}: what is empty there is background`);

// The caret, for marking by keys

export const caret = () => Math.round(picture.caret ?? (picture.from + picture.to) / 2);

/** @param {number} sample */
export function place(sample) {
  picture.caret = clamp(Math.round(sample), 0, picture.nSamples);
  view.reveal(picture.caret);
  view.redraw();
  report(`Sample ${counted(picture.caret)}`);
}

/** @param {boolean} opens */
export function bracket(opens) {
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

export function boundaryHere() {
  if (state.usedAs !== "boundary") return report("Choose “Marks are boundaries” first");
  return storePlaced(newMark("boundary", caret(), caret() + 1), false, ["start"]);
}

/** @param {number} step */
export function selectNext(step) {
  const marks = inOrder(state.stored);
  if (!marks.length) return report("No marks yet");
  const at = marks.findIndex(({ mark }) => mark === picture.selected);
  const mark = marks[at < 0 ? (step > 0 ? 0 : marks.length - 1) : (at + step + marks.length) % marks.length];
  select(mark);
  view.reveal((mark.start + mark.end) / 2);
}

export function remove() {
  const mark = selected();
  return store(mark ? [{ ...mark, removed: true }] : [], "Deleted");
}

export function splitHere() {
  const mark = selected() ?? markAt(state.stored, caret(), 0);
  return store(mark ? split(mark, caret()) : [], "Split");
}

export function merge() {
  const mark = selected();
  return store(mark ? mergedWithNext(state.stored, mark) : [], "Merged");
}

export function release() {
  Object.assign(picture, { selected: 0, opened: null, caret: null, proposal: null, marks: state.stored });
  state.pending = null;
  showMarks();
  view.redraw();
}
