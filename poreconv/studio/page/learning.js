// @ts-check
// Learning from the marks: begin, stop, how far it is, and the models that there are.

import { renewLanes } from "./lanes.js";
import { send } from "./server.js";
import { attempt, counted, element, list, report } from "./state.js";

/** @typedef {import("./server.js").Learning} Learning */
/** @typedef {import("./server.js").Model} Model */

const FEW = 6; // reads, of which an interval is not to be trusted

const RENEW_MS = 5000; // between two orders of the list, while doubts become known

/** @type {{running: boolean, newest: number, shown: string, doubts: number, listedAt: number}} */
const known = { running: false, newest: -1, shown: "", doubts: 0, listedAt: -RENEW_MS };

/** Let a network learn. */
export const learn = () => attempt(async () => {
  showLearning(await send("learn", {}));
  report("A network learns from the marks; go on marking meanwhile");
});

/** End it early; its model is usable. */
export const stopLearning = () => attempt(async () => {
  await send("learn", { stop: true });
  report("Stopping; what was learnt so far is kept");
});

/** @param {Learning} learning */
export function showLearning(learning) {
  const { running, title, share, note, left, problem, models, doubts } = learning, newest = models.at(-1)?.number ?? 0;
  const progress = /** @type {HTMLProgressElement} */ (element("learnt"));
  element("learn").toggleAttribute("disabled", running);
  element("stop-learning").hidden = progress.hidden = !running;
  progress.value = share;
  const state = running ? [title, `${Math.round(share * 100)} %`, left, note].filter(Boolean).join(", ") : problem;
  element("learning-state").textContent = state;
  if (known.running && !running) report(problem || "A new model: its proposals are in the lane below the squiggle", Boolean(problem));
  if (known.newest >= 0 && newest !== known.newest) {
    renewLanes();
    Object.assign(known, { doubts: -1, listedAt: -RENEW_MS }); // the reads have another order now
  }
  if (doubts !== known.doubts && performance.now() - known.listedAt > RENEW_MS) {
    Object.assign(known, { doubts, listedAt: performance.now() });
    attempt(() => list.renew());
  }
  Object.assign(known, { running, newest });
  showModels(models);
}

/** @param {Model[]} models */
function showModels(models) {
  const shown = JSON.stringify(models);
  if (shown === known.shown) return;
  known.shown = shown;
  element("models").replaceChildren(...[...models].reverse().map(({ number, learnt }) => {
    const item = document.createElement("li"), more = document.createElement("small");
    const start = learnt.started_from ? `started from ${learnt.started_from}` : "from scratch";
    const stopped = learnt.stopped ? ", stopped early" : "";
    item.value = number;
    item.textContent = `${score(learnt)} Task ${learnt.task}, learnt from ${counted(learnt.marked_reads)} marked reads, ${start}${stopped}.`;
    more.textContent = [learnt.judged?.words ?? "", ...learnt.notes].join(" ");
    item.append(more);
    return item;
  }));
}

/** The score in plain words. @param {import("./server.js").Learnt} learnt */
function score({ judged }) {
  if (!judged || judged.value === null) return "Not judged; mark more reads.";
  const reads = judged.reads === 1 ? "1 marked read" : `${counted(judged.reads)} marked reads`;
  const between = judged.low === null || judged.high === null ? "too few reads for an interval" : `95 % interval ${judged.low.toFixed(3)} to ${judged.high.toFixed(3)}${judged.reads < FEW ? ", rough: so few reads" : ""}`;
  const aside = judged.split === "test"
    ? `${reads} put aside, which it has not seen`
    : `${reads} by which its best state was chosen, since none was left to put aside: it flatters`;
  return `${judged.score} ${judged.value.toFixed(3)} (${between}), on ${aside}.`;
}
