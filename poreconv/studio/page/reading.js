// @ts-check
// Opening a read, and showing a part of it.

import { askLanes } from "./lanes.js";
import { receive } from "./marks.js";
import { ask, askNumbers, send } from "./server.js";
import { counted, element, input, list, picture, report, state, view, attempt } from "./state.js";
import { Tiles } from "./tiles.js";

/** @param {string} readId */
export async function open(readId) {
  const [info, marked] = await Promise.all([ask("read", { read: readId }), ask("marks", { read: readId })]);
  Object.assign(state, { read: readId, lanesFrom: 0, lanesTo: -1, pending: null });
  Object.assign(picture, {
    nSamples: info.n_samples, rate: info.sample_rate_hz, range: [info.low_pa, info.high_pa], scaling: null,
    selected: 0, caret: null, opened: null, lanes: [], proposal: null, curves: null,
  });
  view.tiles = new Tiles(info.n_samples, (level, index) => askNumbers("tile", { read: readId, level, index }), () => view.redraw());
  element("title").textContent = readId;
  const seconds = (info.n_samples / info.sample_rate_hz).toFixed(1);
  element("about").textContent = `${counted(info.n_samples)} samples, ${seconds} s at ${info.sample_rate_hz} Hz, ${info.chemistry}, channel ${info.channel}, ${info.source}`;
  list.choose(readId);
  receive(marked);
  view.whole();
  await rescale();
}

export async function rescale() {
  picture.scaling = null;
  if (input("normalised").checked) {
    const { shift_pa, scale_pa, problem } = await ask("scale", { read: state.read });
    if (problem) report(problem, true);
    else picture.scaling = { shift: shift_pa, scale: scale_pa };
  }
  view.redraw();
}

export function moved() {
  input("from").value = String(Math.max(0, Math.round(picture.from)));
  input("to").value = String(Math.min(picture.nSamples, Math.round(picture.to)));
  askLanes();
}

/** @param {"undo" | "redo"} name */
export async function repeat(name) {
  await attempt(async () => {
    const marked = await send(name, { who: input("who").value });
    if (!marked.read) return report(`Nothing to ${name}`);
    if (marked.read !== state.read) await open(marked.read);
    else receive(marked);
    report(name === "undo" ? "Undone" : "Done again");
  });
}
