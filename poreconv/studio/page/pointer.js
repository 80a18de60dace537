// @ts-check
// Mouse, pen and finger on the squiggle: marking, dragging ends, selecting, moving.

import { GUTTER, laneAt } from "./drawing.js";
import { clamp, edgeAt, endingAt, markAt, newMark, startingAt } from "./editing.js";

/** @typedef {import("./server.js").Mark} Mark */
/** @typedef {import("./view.js").View} View */

/**
 * @typedef {object} Hands what the pointer does to the read
 * @property {() => boolean} pans whether dragging moves the view
 * @property {() => string} usedAs
 * @property {(mark: Mark | undefined) => void} select
 * @property {(lane: number, sample: number) => void} propose
 * @property {(sample: number) => void} place
 * @property {(mark: Mark, free: boolean, edges: ("start" | "end")[]) => void} store
 * @property {(mark: Mark | null) => void} preview
 */

const NEAR = 6, NEAR_FINGER = 14, CLICK = 4, LEAST_PINCH = 10; // pixels

/** @param {View} view @param {Hands} hands */
export function listen(view, hands) {
  const { canvas, picture } = view;
  /** @type {Map<number, PointerEvent>} where each finger is */
  const fingers = new Map();
  let endDrag = () => {}; // without doing what was dragged

  canvas.addEventListener("wheel", (event) => {
    event.preventDefault();
    const sideways = event.shiftKey || Math.abs(event.deltaX) > Math.abs(event.deltaY);
    if (sideways) view.pan((event.deltaX || event.deltaY) * view.perPixel);
    else view.zoom(1.0025 ** clamp(event.deltaY, -400, 400), view.sampleAt(event));
  }, { passive: false });

  canvas.addEventListener("pointerdown", (event) => {
    if (event.button > 1) return;
    canvas.focus({ preventScroll: true });
    canvas.setPointerCapture(event.pointerId);
    endDrag();
    if (event.pointerType === "touch") fingers.set(event.pointerId, event);
    if (fingers.size === 2) {
      hands.preview(null);
      return follow(pinched());
    }
    return follow(begun(event));
  });

  for (const name of ["pointerup", "pointercancel"]) {
    canvas.addEventListener(name, (event) => fingers.delete(/** @type {PointerEvent} */ (event).pointerId));
  }

  /** @param {(next: PointerEvent, ended: boolean) => void} drag */
  function follow(drag) {
    const move = (/** @type {PointerEvent} */ next) => drag(next, false);
    const end = (/** @type {PointerEvent} */ next) => {
      endDrag();
      drag(next, true);
    };
    endDrag = () => {
      canvas.removeEventListener("pointermove", move);
      canvas.removeEventListener("pointerup", end);
      canvas.removeEventListener("pointercancel", end);
    };
    canvas.addEventListener("pointermove", move);
    canvas.addEventListener("pointerup", end);
    canvas.addEventListener("pointercancel", end);
  }

  /** Two fingers: the samples below them stay below them. @returns {(next: PointerEvent) => void} */
  function pinched() {
    const left = canvas.getBoundingClientRect().left + GUTTER, width = canvas.clientWidth - GUTTER;
    const places = () => [...fingers.values()].map(({ clientX }) => clientX - left).sort((a, b) => a - b);
    const [first, last] = places().map((x) => picture.from + x * view.perPixel);
    return (next) => {
      if (!fingers.has(next.pointerId)) return;
      fingers.set(next.pointerId, next);
      const [x, other] = places(), perPixel = (last - first) / Math.max(other - x, LEAST_PINCH);
      view.show(first - x * perPixel, first + (width - x) * perPixel);
    };
  }

  canvas.addEventListener("pointermove", (event) => {
    if (event.buttons) return;
    const near = !hands.pans() && edgeAt(picture.marks, view.sampleAt(event), NEAR * view.perPixel, picture.selected);
    canvas.style.cursor = near ? "ew-resize" : "";
  });

  view.overview.addEventListener("pointerdown", (event) => {
    view.overview.setPointerCapture(event.pointerId);
    const go = (/** @type {PointerEvent} */ next) => {
      const box = view.overview.getBoundingClientRect();
      const middle = ((next.clientX - box.left) / box.width) * picture.nSamples;
      view.show(middle - view.span / 2, middle + view.span / 2);
    };
    go(event);
    view.overview.onpointermove = go;
    view.overview.onpointerup = () => { view.overview.onpointermove = null; };
  });

  /** What a drag does, by where it begins. @param {PointerEvent} event @returns {(next: PointerEvent, ended: boolean) => void} */
  function begun(event) {
    const start = view.sampleAt(event), usedAs = hands.usedAs();
    const lane = laneAt(canvas, picture, event.offsetY);
    const slack = (event.pointerType === "touch" ? NEAR_FINGER : NEAR) * view.perPixel;
    const clicked = (/** @type {PointerEvent} */ next) => Math.abs(next.clientX - event.clientX) < CLICK;
    const click = () => {
      hands.place(start);
      const here = markAt(picture.marks, start, slack);
      if (lane >= 0) hands.propose(lane, start);
      else if (usedAs === "boundary" && !here && !hands.pans()) hands.store(newMark("boundary", start, start + 1), event.altKey, ["start"]);
      else hands.select(here);
    };
    if (event.shiftKey || event.button === 1 || hands.pans() || lane >= 0 || usedAs === "read") {
      const { from, to } = picture, perPixel = view.perPixel;
      return (next, ended) => {
        if (ended && clicked(next)) return click();
        const moved = (event.clientX - next.clientX) * perPixel;
        view.show(from + moved, to + moved);
      };
    }
    const near = edgeAt(picture.marks, start, slack, picture.selected);
    if (near) return (next, ended) => {
      if (ended && clicked(next)) { hands.preview(null); return click(); }
      const at = view.sampleAt(next);
      const mark = near.edge === "start" ? startingAt(near.mark, at, near.mark.kind, picture.nSamples) : endingAt(near.mark, at, picture.nSamples);
      if (ended) hands.store(mark, next.altKey, [near.edge]);
      else hands.preview(mark);
    };
    return (next, ended) => {
      if (clicked(next) || usedAs !== "interval") { hands.preview(null); if (ended) click(); return; }
      const at = view.sampleAt(next), mark = newMark("interval", Math.min(start, at), Math.max(start, at, Math.min(start, at) + 1), "");
      if (ended) hands.store(mark, next.altKey, ["start", "end"]);
      else hands.preview(mark);
    };
  }
}
