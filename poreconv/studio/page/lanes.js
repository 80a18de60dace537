// @ts-check
// The lanes below the squiggle, the proposals in them, and the probabilities of the model.

import { newMark } from "./editing.js";
import { lookedAt, receive, store } from "./marks.js";
import { ask, askShares, send } from "./server.js";
import { attempt, counted, element, input, picture, report, state, view } from "./state.js";
import { Tiles } from "./tiles.js";

const BACKGROUND = "background"; // class of what was looked at and is empty, as in marks.py
const MEANWHILE_MS = 500; // until a model that is looking for events is asked again

let lanesTimer = 0;
/** Ask for the events of the part that is shown, and for what is around it. */
export function askLanes() {
  const { from, to } = picture, span = to - from;
  const near = from >= state.lanesFrom && to <= state.lanesTo && span > (state.lanesTo - state.lanesFrom) / 12;
  if (near) return;
  clearTimeout(lanesTimer);
  lanesTimer = setTimeout(() => attempt(async () => {
    const read = state.read, start = Math.max(0, Math.floor(from - span)), end = Math.ceil(to + span);
    const lanes = await ask("lanes", { read, start, end });
    if (read !== state.read) return;
    const pending = lanes.some((/** @type {Lane} */ lane) => lane.pending);
    Object.assign(state, pending ? { lanesFrom: 0, lanesTo: -1 } : { lanesFrom: from - span, lanesTo: to + span });
    Object.assign(picture, { lanes, proposal: null });
    offerLanes(picture.lanes.map(({ name }) => name));
    showCurves();
    if (pending) setTimeout(askLanes, MEANWHILE_MS);
  }), 60);
}

/** Ask again, as of a new model. */
export function renewLanes() {
  Object.assign(state, { lanesFrom: 0, lanesTo: -1 });
  picture.curves = null;
  askLanes();
}

/** @typedef {import("./server.js").Lane} Lane */

/** Let events of these lanes be accepted. @param {string[]} names */
export function offerLanes(names) {
  const options = /** @type {HTMLSelectElement} */ (element("lane"));
  if (names.join() !== [...options.options].map(({ value }) => value).join()) {
    options.replaceChildren(...names.map((name) => new Option(name, name)));
    options.value = names.at(-1) ?? "";
  }
  element("accepting").hidden = !names.length;
}

/** Draw the probabilities of the last model that has them, where they are asked for. */
export function showCurves() {
  const lane = input("probabilities").checked ? picture.lanes.findLast(({ curves }) => curves.length) : undefined;
  if (!lane) picture.curves = null;
  else if (picture.curves?.key !== `${state.read} ${lane.name}`) {
    const read = state.read;
    const classes = lane.curves.map((name) => ({
      name,
      tiles: new Tiles(picture.nSamples, (level, index) => askShares("curve", { read, lane: lane.name, class: name, level, index }), () => view.redraw()),
    }));
    picture.curves = { key: `${read} ${lane.name}`, classes };
  }
  view.redraw();
}

/** @param {number} lane @param {number} sample */
export function propose(lane, sample) {
  const { start, end, label, score, dense } = picture.lanes[lane];
  const event = dense ? -1 : start.findIndex((first, i) => first <= sample && sample < end[i]);
  picture.proposal = event < 0 ? null : { lane, event };
  picture.selected = 0;
  if (event >= 0) report(`${picture.lanes[lane].name}: ${label[event]} ${counted(start[event])} to ${counted(end[event])}, score ${score[event]}; a accepts it`);
  view.redraw();
}

export function accept() {
  if (!picture.proposal) return report("Click an event of a lane first");
  const { lane, event } = picture.proposal, { start, end, label } = picture.lanes[lane];
  if (state.usedAs === "interval" && label[event] === BACKGROUND) return lookedAt(start[event], end[event]);
  const [first, last] = { boundary: [start[event], start[event] + 1], read: [0, picture.nSamples] }[state.usedAs] ?? [start[event], end[event]];
  return store([newMark(state.usedAs, first, last, state.usedAs === "boundary" ? "" : label[event])], "Accepted");
}

export async function acceptAll() {
  const lane = picture.lanes.find(({ name }) => name === input("lane").value);
  if (lane?.problem && !lane.pending) return report(`${lane.name}: ${lane.problem}`);
  const asked = { who: input("who").value, read: state.read, lane: input("lane").value, least_score: Number(input("least-score").value) };
  await attempt(async () => {
    receive(await send("accept", asked));
    report(`Accepted all of ${asked.lane} with score from ${asked.least_score}`);
  });
}
