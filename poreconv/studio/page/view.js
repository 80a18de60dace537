// @ts-check
// The part of a read that is shown: moving, zooming, and drawing it once per frame.

import { draw, drawOverview, GUTTER } from "./drawing.js";
import { clamp } from "./editing.js";

/** @typedef {import("./drawing.js").Picture} Picture */

const SHORTEST = 10; // samples that are shown at least
export const DRAWN = "squiggle drawn"; // measure of the time from an input to its picture

export class View {
  /**
   * @param {HTMLCanvasElement} canvas @param {HTMLCanvasElement} overview
   * @param {Picture} picture
   */
  constructor(canvas, overview, picture) {
    this.canvas = canvas;
    this.overview = overview;
    this.picture = picture;
    this.moved = () => {}; // called when another part is shown
    /** @type {import("./tiles.js").Tiles | null} */
    this.tiles = null;
    this.waiting = false;
    /** @type {number | null} */
    this.askedAt = null;
    new ResizeObserver(() => this.redraw()).observe(canvas);
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => this.redraw());
  }

  redraw() {
    if (this.waiting) return;
    this.waiting = true;
    requestAnimationFrame(() => {
      this.waiting = false;
      this.drawNow();
    });
  }

  drawNow() {
    if (!this.tiles || this.canvas.clientWidth === 0) return;
    const complete = draw(this.canvas, this.picture, this.tiles);
    drawOverview(this.overview, this.picture, this.tiles);
    this.canvas.dataset.complete = String(complete);
    if (complete && this.askedAt !== null) {
      performance.clearMeasures(DRAWN);
      performance.measure(DRAWN, { start: this.askedAt, end: performance.now() });
      this.askedAt = null;
    }
  }

  /** @param {number} from @param {number} to samples */
  show(from, to) {
    const { nSamples } = this.picture, span = clamp(to - from, SHORTEST, Math.max(nSamples, SHORTEST));
    const middle = clamp((from + to) / 2, span / 2, Math.max(nSamples - span / 2, span / 2));
    this.picture.from = middle - span / 2;
    this.picture.to = middle + span / 2;
    this.askedAt ??= performance.now();
    this.redraw();
    this.moved();
  }

  whole() {
    this.show(0, this.picture.nSamples);
  }

  /** @param {number} samples */
  pan(samples) {
    this.show(this.picture.from + samples, this.picture.to + samples);
  }

  /** @param {number} factor below 1: closer @param {number} around sample that stays where it is */
  zoom(factor, around) {
    const { from, to, nSamples } = this.picture, span = clamp((to - from) * factor, SHORTEST, nSamples);
    const share = (around - from) / (to - from);
    this.show(around - share * span, around + (1 - share) * span);
  }

  /** @param {number} sample */
  reveal(sample) {
    const { from, to } = this.picture;
    if (sample < from || sample > to) this.pan(sample - (from + to) / 2);
  }

  get span() {
    return this.picture.to - this.picture.from;
  }

  /** Samples in a pixel. */
  get perPixel() {
    return this.span / Math.max(this.canvas.clientWidth - GUTTER, 1);
  }

  /** @param {MouseEvent} event */
  sampleAt(event) {
    const x = event.clientX - this.canvas.getBoundingClientRect().left - GUTTER;
    return clamp(Math.round(this.picture.from + x * this.perPixel), 0, this.picture.nSamples);
  }
}
