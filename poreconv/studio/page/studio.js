// @ts-check
// The page of the studio: what its controls and keys do, and how it begins.

import { listen as listenToKeys } from "./keys.js";
import { accept, acceptAll, offerLanes, propose, showCurves } from "./lanes.js";
import { learn, showLearning, stopLearning } from "./learning.js";
import * as marks from "./marks.js";
import { listen as listenToPointer } from "./pointer.js";
import { moved, open, repeat, rescale } from "./reading.js";
import { ask, askFile, send } from "./server.js";
import { attempt, canvas, element, input, list, picture, report, state, view } from "./state.js";

const POLL_MS = 1000;

view.moved = moved;
list.open = (entry) => attempt(() => open(entry.read_id));

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
const seenHere = () => marks.lookedAt(Math.max(0, Math.floor(picture.from)), Math.min(picture.nSamples, Math.ceil(picture.to)));
const seenAll = async () => { await marks.lookedAt(0, picture.nSamples); await next(1); };
const help = () => /** @type {HTMLDialogElement} */ (element("help")).showModal();
listenToKeys([
  { keys: ["ArrowLeft"], shown: "←", text: "Move left; with Shift by all that is shown", act: (event) => pan(event.shiftKey ? -1 : -0.2) },
  { keys: ["ArrowRight"], shown: "→", text: "Move right", act: (event) => pan(event.shiftKey ? 1 : 0.2) },
  { keys: ["+", "=", "ArrowUp"], shown: "+", text: "Zoom in, also ↑", act: () => zoom(0.5) },
  { keys: ["-", "_", "ArrowDown"], shown: "-", text: "Zoom out, also ↓", act: () => zoom(2) },
  { keys: ["0"], shown: "0", text: "Whole read", act: () => view.whole() },
  { keys: ["n"], shown: "n", text: "Next read", act: () => next(1) },
  { keys: ["p"], shown: "p", text: "Previous read", act: () => next(-1) },
  { keys: [..."123456789"], shown: "1..9", text: "Class of the selected mark, and of new ones; of the read", act: (event) => marks.choose(Number(event.key) - 1) },
  { keys: ["c"], shown: "c", text: "New class", act: () => element("class-name").focus() },
  { keys: [","], shown: ", .", text: "Move the caret by a pixel; < > by ten", act: () => marks.place(marks.caret() - Math.max(1, view.perPixel)) },
  { keys: ["."], shown: ".", text: "Caret right", act: () => marks.place(marks.caret() + Math.max(1, view.perPixel)) },
  { keys: ["<"], shown: "<", text: "Caret left by ten pixels", act: () => marks.place(marks.caret() - 10 * Math.max(1, view.perPixel)) },
  { keys: [">"], shown: ">", text: "Caret right by ten pixels", act: () => marks.place(marks.caret() + 10 * Math.max(1, view.perPixel)) },
  { keys: ["["], shown: "[", text: "Begin an interval at the caret; or move the start of the selected one there", act: () => marks.bracket(true) },
  { keys: ["]"], shown: "]", text: "End it at the caret", act: () => marks.bracket(false) },
  { keys: ["b"], shown: "b", text: "Boundary at the caret", act: marks.boundaryHere },
  { keys: ["j"], shown: "j", text: "Select the next mark", act: () => marks.selectNext(1) },
  { keys: ["k"], shown: "k", text: "Select the mark before", act: () => marks.selectNext(-1) },
  { keys: ["Delete", "Backspace"], shown: "Del", text: "Delete the selected mark", act: marks.remove },
  { keys: ["s"], shown: "s", text: "Split at the caret", act: marks.splitHere },
  { keys: ["g"], shown: "g", text: "Merge with the next interval", act: marks.merge },
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
  { keys: ["r"], shown: "r", text: "Probabilities of the model, or not", act: () => toggle("probabilities") },
  { keys: ["o"], shown: "o", text: "Order of the reads: as in the files, or the most doubtful first", act: () => list.reorder() },
  { keys: ["l"], shown: "l", text: "Learn from the marks, in the background", act: learn },
  { keys: ["Escape"], shown: "Esc", text: "Select nothing", act: marks.release },
  { keys: ["?"], shown: "?", text: "These keys", act: help },
]);

listenToPointer(view, {
  pans: () => input("drag-pans").checked,
  usedAs: () => state.usedAs,
  select: marks.select, propose, preview: marks.preview, place: marks.place,
  store: marks.storePlaced,
});

/** @type {Record<string, () => any>} */
const clicks = {
  previous: () => next(-1), next: () => next(1), left: () => pan(-0.2), right: () => pan(0.2), in: () => zoom(0.5), out: () => zoom(2),
  whole: () => view.whole(), undo: () => repeat("undo"), redo: () => repeat("redo"), remove: marks.remove, split: marks.splitHere, merge: marks.merge,
  seen: seenHere, done: seenAll, accept, "accept-all": acceptAll, download, "help-open": help, learn, "stop-learning": stopLearning,
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
  marks.receive(await ask("marks", { read: state.read }));
}));
element("probabilities").addEventListener("change", showCurves);
element("history").addEventListener("toggle", () => attempt(marks.showHistory));
element("who").addEventListener("change", () => localStorage.setItem("who", input("who").value));
element("new-class").addEventListener("submit", (event) => {
  event.preventDefault();
  const name = input("class-name").value.trim();
  input("class-name").value = "";
  if (name) marks.addClass(name);
});

// Begin

async function poll() {
  if (state.read && !document.hidden) {
    await attempt(async () => {
      const marked = await ask("marks", { read: state.read, version: state.version });
      if (marked.read === state.read) marks.receive(marked);
      showLearning(await ask("learning"));
    });
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
  offerLanes(project.lanes);
  document.querySelector("[name=chemistry]")?.append(...project.chemistries.map((/** @type {string} */ name) => new Option(name, name)));
  await list.refresh();
  if (list.entries.length) await open(list.entries[0].read_id);
  poll();
});
