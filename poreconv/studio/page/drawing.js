// @ts-check
// Draws a part of a read: its squiggle, marks, lanes and axes.

/** @typedef {import("./server.js").Mark} Mark */
/** @typedef {import("./server.js").Lane} Lane */

export const GUTTER = 52; // pixels left of the squiggle, for its axis
const MARKS = 34, CURVES = 64, LANE = 24, AXIS = 24; // heights

/**
 * @typedef {object} Picture
 * @property {number} from
 * @property {number} to
 * @property {number} nSamples
 * @property {number} rate samples per second
 * @property {boolean} inSeconds
 * @property {[number, number]} range of the current
 * @property {{shift: number, scale: number} | null} scaling
 * @property {Mark[]} marks
 * @property {number} selected
 * @property {number | null} caret
 * @property {number | null} opened start of an interval that is being marked by keys
 * @property {Map<string, string>} colours
 * @property {Lane[]} lanes
 * @property {{lane: number, event: number} | null} proposal
 * @property {{key: string, classes: {name: string, tiles: import("./tiles.js").Tiles}[]} | null} curves probabilities
 */

/** @param {string} name */
const colour = (name) => getComputedStyle(document.documentElement).getPropertyValue(name);

/** @param {HTMLCanvasElement} canvas */
function prepared(canvas) {
  const ratio = devicePixelRatio || 1, width = canvas.clientWidth, height = canvas.clientHeight;
  if (canvas.width !== Math.round(width * ratio) || canvas.height !== Math.round(height * ratio)) {
    canvas.width = Math.round(width * ratio);
    canvas.height = Math.round(height * ratio);
  }
  const context = /** @type {CanvasRenderingContext2D} */ (canvas.getContext("2d"));
  context.setTransform(ratio, 0, 0, ratio, 0, 0);
  context.clearRect(0, 0, width, height);
  context.font = "12px system-ui, sans-serif";
  return { context, ratio, width, height };
}

/** Where things stand. @param {HTMLCanvasElement} canvas @param {Picture} picture */
export function layout(canvas, picture) {
  const width = canvas.clientWidth - GUTTER, height = canvas.clientHeight;
  const lanes = height - AXIS - picture.lanes.length * LANE, curves = lanes - (picture.curves ? CURVES : 0), marks = curves - MARKS;
  return { left: GUTTER, width, signal: marks, marks, curves, lanes, axis: height - AXIS };
}

/** @param {HTMLCanvasElement} canvas @param {Picture} picture @param {number} y @returns {number} -1: none */
export function laneAt(canvas, picture, y) {
  const place = layout(canvas, picture);
  return y < place.lanes || y >= place.axis ? -1 : Math.floor((y - place.lanes) / LANE);
}

/**
 * @param {HTMLCanvasElement} canvas @param {Picture} picture @param {import("./tiles.js").Tiles} tiles
 * @returns {boolean} whether all of the signal was there
 */
export function draw(canvas, picture, tiles) {
  const { context, ratio } = prepared(canvas);
  const place = layout(canvas, picture);
  const at = (/** @type {number} */ sample) => place.left + ((sample - picture.from) / (picture.to - picture.from)) * place.width;
  context.save();
  context.beginPath();
  context.rect(place.left, 0, place.width, canvas.clientHeight);
  context.clip();
  drawMarks(context, picture, at, place);
  context.save();
  context.beginPath();
  context.rect(place.left, 0, place.width, place.signal);
  context.clip();
  const complete = drawSignal(context, picture, tiles, place, Math.round(place.width * ratio));
  context.restore();
  drawCurves(context, picture, place, Math.round(place.width * ratio));
  drawLanes(context, picture, at, place);
  drawCaret(context, picture, at, place);
  context.restore();
  drawAxes(context, picture, at, place);
  return complete;
}

/** @param {CanvasRenderingContext2D} context @param {Picture} picture @param {import("./tiles.js").Tiles} tiles @param {any} place @param {number} columns */
function drawSignal(context, picture, tiles, place, columns) {
  const { low, high, level, complete } = tiles.columns(picture.from, picture.to, columns);
  const step = place.width / columns, y = toPixels(picture, place);
  context.strokeStyle = colour("--signal");
  context.globalAlpha = level > 2 ? 0.7 : 1; // so that marks behind a dense squiggle are seen
  line(context, low, high, y, place.left, step, level === 0 ? 1.2 : 0.8);
  context.globalAlpha = 1;
  return complete;
}

/** @param {CanvasRenderingContext2D} context @param {Picture} picture @param {any} place @param {number} columns */
function drawCurves(context, picture, place, columns) {
  const own = (/** @type {string} */ name, /** @type {number} */ number) => picture.colours.get(name) ?? (number % 2 ? "#6baed6" : "#3f83b5");
  const step = place.width / columns, y = (/** @type {number} */ share) => place.lanes - 4 - share * (CURVES - 8);
  for (const [number, { name, tiles }] of (picture.curves?.classes ?? []).entries()) {
    const { low, high } = tiles.columns(picture.from, picture.to, columns);
    context.strokeStyle = own(name, number);
    line(context, low, high, y, place.left, step, 1.2);
  }
  let x = place.left;
  for (const [number, { name }] of (picture.curves?.classes ?? []).entries()) {
    const width = context.measureText(name).width + 8;
    context.fillStyle = colour("--paper");
    context.fillRect(x, place.curves, width, 16);
    text(context, name, x, width + 8, place.curves + 12, own(name, number));
    x += width;
  }
}

/**
 * @param {CanvasRenderingContext2D} context @param {Float32Array} low @param {Float32Array} high of each column
 * @param {(value: number) => number} y @param {number} left @param {number} step pixels @param {number} width
 */
function line(context, low, high, y, left, step, width) {
  context.beginPath();
  let drawing = false;
  for (let i = 0; i < low.length; i++) {
    if (Number.isNaN(low[i])) { drawing = false; continue; }
    const x = left + (i + 0.5) * step;
    if (drawing) context.lineTo(x, y(low[i])); else context.moveTo(x, y(low[i]));
    if (high[i] !== low[i]) context.lineTo(x, y(high[i]));
    drawing = true;
  }
  context.lineWidth = width;
  context.lineJoin = "round";
  context.stroke();
}

/** @param {Picture} picture @param {any} place */
function toPixels(picture, place) {
  const [low, high] = picture.range;
  return (/** @type {number} */ pa) => place.signal - 6 - ((pa - low) / (high - low)) * (place.signal - 12);
}

/** @param {CanvasRenderingContext2D} context @param {Picture} picture @param {(sample: number) => number} at @param {any} place */
function drawMarks(context, picture, at, place) {
  context.fillStyle = colour("--panel");
  context.fillRect(place.left, place.marks, place.width, MARKS);
  for (const mark of picture.marks) {
    if (mark.end <= picture.from || mark.start >= picture.to) continue;
    const x = at(mark.start), width = Math.max(at(mark.end) - x, 1), own = picture.colours.get(mark.label) ?? colour("--accent");
    if (mark.kind === "seen") {
      context.fillStyle = colour("--seen");
      context.fillRect(x, place.marks + MARKS - 7, width, 5);
      continue;
    }
    const selected = mark.mark === picture.selected && mark.mark !== 0;
    context.fillStyle = own;
    if (mark.kind === "boundary") {
      context.fillRect(x - (selected ? 1.5 : 0.75), 0, selected ? 3 : 1.5, place.marks + MARKS - 10);
      continue;
    }
    context.globalAlpha = selected ? 0.45 : 0.28;
    context.fillRect(x, 0, width, place.signal);
    context.globalAlpha = 1;
    context.fillRect(x, place.marks + 2, width, MARKS - 12);
    if (selected) {
      context.strokeStyle = colour("--ink");
      context.lineWidth = 2;
      context.strokeRect(x, 1, width, place.marks + MARKS - 10);
    }
    text(context, mark.label, x, width, place.marks + 17, "#ffffff");
  }
}

/** @param {CanvasRenderingContext2D} context @param {string} label @param {number} x @param {number} width @param {number} y @param {string} ink */
function text(context, label, x, width, y, ink) {
  const left = Math.max(x, GUTTER) + 4;
  if (!label || x + width - left < context.measureText(label).width + 4) return;
  context.fillStyle = ink;
  context.fillText(label, left, y);
}

/** @param {CanvasRenderingContext2D} context @param {Picture} picture @param {(sample: number) => number} at @param {any} place */
function drawLanes(context, picture, at, place) {
  picture.lanes.forEach((lane, number) => {
    const y = place.lanes + number * LANE;
    context.fillStyle = colour("--line");
    context.fillRect(place.left, y, place.width, 1);
    lane.start.forEach((start, i) => {
      if (lane.end[i] <= picture.from || start >= picture.to) return;
      const x = at(start), width = Math.max(at(lane.end[i]) - x, 0.75);
      const chosen = picture.proposal?.lane === number && picture.proposal.event === i && !lane.dense;
      const own = picture.colours.get(lane.label[i]) ?? (i % 2 ? "#6baed6" : "#3f83b5");
      context.fillStyle = lane.dense ? colour("--seen") : own;
      context.globalAlpha = chosen ? 1 : 0.65;
      context.fillRect(x, y + 4, width, LANE - 7);
      context.globalAlpha = 1;
      if (chosen) {
        context.strokeStyle = colour("--ink");
        context.lineWidth = 2;
        context.strokeRect(x, y + 3, width, LANE - 5);
      }
      if (!lane.dense && lane.label[i] !== "event") text(context, lane.label[i], x, width, y + 16, "#ffffff");
    });
    const note = lane.problem || (lane.dense ? `${lane.n_events.toLocaleString("en")} events; zoom in to see them` : "");
    context.fillStyle = colour("--ink");
    context.fillText(note ? `${lane.name}: ${note}` : "", place.left + 6, y + 16);
  });
}

/** @param {CanvasRenderingContext2D} context @param {Picture} picture @param {(sample: number) => number} at @param {any} place */
function drawCaret(context, picture, at, place) {
  if (picture.caret === null) return;
  context.strokeStyle = colour("--accent");
  context.lineWidth = 1;
  context.setLineDash([4, 3]);
  context.beginPath();
  for (const sample of picture.opened === null ? [picture.caret] : [picture.caret, picture.opened]) {
    context.moveTo(at(sample), 0);
    context.lineTo(at(sample), place.axis);
  }
  context.stroke();
  context.setLineDash([]);
}

/** @param {CanvasRenderingContext2D} context @param {Picture} picture @param {(sample: number) => number} at @param {any} place */
function drawAxes(context, picture, at, place) {
  context.fillStyle = colour("--pale");
  context.strokeStyle = colour("--line");
  context.lineWidth = 1;
  const unit = picture.inSeconds ? picture.rate : 1;
  context.textAlign = "center";
  for (const value of ticks(picture.from / unit, picture.to / unit, place.width / 110)) {
    const x = at(value * unit);
    context.fillRect(x, place.axis, 1, 4);
    const shown = picture.inSeconds ? `${+value.toPrecision(9)} s` : value.toLocaleString("en");
    if (x > place.left + 18 && x < place.left + place.width - 24) context.fillText(shown, x, place.axis + 17);
  }
  context.textAlign = "right";
  const [low, high] = picture.range, y = toPixels(picture, place);
  const { shift, scale } = picture.scaling ?? { shift: 0, scale: 1 };
  for (const value of ticks((low - shift) / scale, (high - shift) / scale, place.signal / 45)) {
    const height = y(value * scale + shift);
    if (height > 18 && height < place.signal - 2) context.fillText(String(+value.toPrecision(6)), place.left - 6, height + 4);
  }
  context.fillText(picture.scaling ? "norm." : "pA", place.left - 6, 12);
  context.fillText("marks", place.left - 6, place.marks + 17);
  if (picture.curves) context.fillText("prob.", place.left - 6, place.curves + CURVES / 2 + 4);
  picture.lanes.forEach((lane, number) => context.fillText(lane.name.slice(0, 12), place.left - 6, place.lanes + number * LANE + 16, GUTTER - 10));
  context.textAlign = "left";
}

/** Round numbers between two. @param {number} from @param {number} to @param {number} most */
function ticks(from, to, most) {
  const rough = (to - from) / Math.max(most, 1), power = 10 ** Math.floor(Math.log10(rough));
  const step = power * (rough / power <= 1 ? 1 : rough / power <= 2 ? 2 : rough / power <= 5 ? 5 : 10);
  const found = [];
  for (let i = Math.ceil(from / step); i * step <= to; i++) found.push(i * step);
  return found;
}

/** @param {HTMLCanvasElement} canvas @param {Picture} picture @param {import("./tiles.js").Tiles} tiles */
export function drawOverview(canvas, picture, tiles) {
  const { context, ratio, width, height } = prepared(canvas);
  const at = (/** @type {number} */ sample) => (sample / picture.nSamples) * width;
  const columns = Math.round(width * ratio), { low, high } = tiles.columns(0, picture.nSamples, columns);
  const y = (/** @type {number} */ pa) => height - 4 - ((pa - picture.range[0]) / (picture.range[1] - picture.range[0])) * (height - 8);
  for (const mark of picture.marks) {
    const seen = mark.kind === "seen";
    context.fillStyle = seen ? colour("--seen") : picture.colours.get(mark.label) ?? colour("--accent");
    context.globalAlpha = seen ? 1 : 0.5;
    context.fillRect(at(mark.start), seen ? height - 4 : 0, Math.max(at(mark.end) - at(mark.start), 1), seen ? 3 : height);
  }
  context.globalAlpha = 1;
  context.fillStyle = colour("--pale");
  for (let i = 0; i < columns; i++) {
    if (!Number.isNaN(low[i])) context.fillRect(i / ratio, y(high[i]), 1 / ratio, Math.max(y(low[i]) - y(high[i]), 1));
  }
  context.strokeStyle = colour("--accent");
  context.lineWidth = 2;
  context.strokeRect(at(picture.from), 1, Math.max(at(picture.to) - at(picture.from), 3), height - 2);
}
