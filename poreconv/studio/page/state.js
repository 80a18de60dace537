// @ts-check
// What all parts of the page share: its elements, what is shown, and the messages.

import { ReadList } from "./reads.js";
import { View } from "./view.js";

/** @typedef {import("./server.js").Mark} Mark */

/** @template {HTMLElement} T @param {string} id @returns {T} */
export const element = (id) => /** @type {T} */ (document.getElementById(id));
/** @param {string} id */
export const input = (id) => /** @type {HTMLInputElement} */ (element(id));
/** @param {number} number */
export const counted = (number) => number.toLocaleString("en");

/** @type {import("./drawing.js").Picture} */
export const picture = {
  from: 0, to: 1, nSamples: 1, rate: 1, inSeconds: false, range: [0, 1], scaling: null, marks: [], selected: 0,
  caret: null, opened: null, colours: new Map(), lanes: [], proposal: null, curves: null,
};
export const state = {
  read: "", version: -1, usedAs: "interval", label: "",
  /** @type {import("./server.js").MarkClass[]} */ classes: [],
  /** @type {Mark[]} */ stored: [],
  /** @type {Mark | null} */ pending: null, // waits for the name of its class
  lanesFrom: 0, lanesTo: -1,
};

export const canvas = /** @type {HTMLCanvasElement} */ (element("view"));
export const view = new View(canvas, /** @type {HTMLCanvasElement} */ (element("overview")), picture);
export const list = new ReadList();

/** @param {string} text */
export function report(text, wrong = false) {
  const status = element("status");
  status.textContent = text;
  status.classList.toggle("wrong", wrong);
}

/** @param {() => Promise<any>} act */
export async function attempt(act) {
  try {
    await act();
  } catch (problem) {
    report(/** @type {Error} */ (problem).message, true);
  }
}
