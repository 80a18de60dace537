// @ts-check
// A line, such as the signal of a read, at every zoom: smallest and largest values per bin, in tiles that are asked for and kept.

const BINS = 1024; // of a tile, as in pyramid.py
const KEPT = 400; // tiles, about 3 MB
const COARSER = 12; // levels above, of which a tile may stand in for one that is on its way

export class Tiles {
  /**
   * @param {number} nSamples @param {(level: number, index: number) => Promise<Float32Array>} source asked for a tile
   * @param {() => void} changed called when a tile has come
   */
  constructor(nSamples, source, changed) {
    this.nSamples = nSamples;
    this.source = source;
    this.changed = changed;
    /** @type {Map<string, Float32Array>} */
    this.kept = new Map();
    /** @type {Set<string>} */
    this.asked = new Set();
  }

  /** @param {number} level @param {number} index */
  ask(level, index) {
    const key = `${level}/${index}`;
    if (index < 0 || index * BINS * 2 ** level >= this.nSamples || this.kept.has(key) || this.asked.has(key)) return;
    this.asked.add(key);
    this.source(level, index)
      .then((values) => {
        this.kept.set(key, values);
        if (this.kept.size > KEPT) this.kept.delete(/** @type {string} */ (this.kept.keys().next().value));
        this.changed();
      })
      .catch(() => {}) // asked for again with the next frame
      .finally(() => this.asked.delete(key));
  }

  /**
   * Smallest and largest value in each column of a picture, NaN where they have not come yet.
   * @param {number} from @param {number} to samples at the edges @param {number} columns
   */
  columns(from, to, columns) {
    const low = new Float32Array(columns).fill(NaN);
    const high = new Float32Array(columns).fill(NaN);
    const perColumn = (to - from) / columns;
    const level = Math.max(0, Math.floor(Math.log2(perColumn)));
    const span = BINS * 2 ** level;
    const first = Math.max(0, Math.floor(from / span));
    const last = Math.floor(Math.min(to, this.nSamples - 1) / span);
    let complete = true;
    for (let index = first; index <= last; index++) {
      const tile = this.kept.get(`${level}/${index}`);
      if (tile) {
        this.kept.delete(`${level}/${index}`); // the one used last is kept longest
        this.kept.set(`${level}/${index}`, tile);
        fill(low, high, tile, level, index, from, perColumn, index * span, (index + 1) * span);
      } else {
        complete = false;
        this.ask(level, index);
        this.standIn(low, high, level, index, from, perColumn);
      }
    }
    if (complete) for (const index of [first - 1, last + 1]) this.ask(level, index);
    return { low, high, level, complete };
  }

  /** @param {Float32Array} low @param {Float32Array} high @param {number} level @param {number} index @param {number} from @param {number} perColumn */
  standIn(low, high, level, index, from, perColumn) {
    const start = index * BINS * 2 ** level, end = start + BINS * 2 ** level;
    for (let up = 1; up <= COARSER; up++) {
      const above = Math.floor(index / 2 ** up);
      const tile = this.kept.get(`${level + up}/${above}`);
      if (tile) return fill(low, high, tile, level + up, above, from, perColumn, start, end);
    }
  }
}

/**
 * @param {Float32Array} low @param {Float32Array} high @param {Float32Array} tile @param {number} level
 * @param {number} index @param {number} from @param {number} perColumn @param {number} start @param {number} end samples
 */
function fill(low, high, tile, level, index, from, perColumn, start, end) {
  const width = 2 ** level, n = tile.length / 2, origin = index * BINS * width;
  const firstBin = Math.max(0, Math.floor((Math.max(start, from) - origin) / width));
  const lastBin = Math.min(n, Math.ceil((Math.min(end, from + perColumn * low.length) - origin) / width));
  for (let bin = firstBin; bin < lastBin; bin++) {
    const at = origin + bin * width;
    const a = Math.max(0, Math.floor((at - from) / perColumn));
    const b = Math.min(low.length - 1, Math.max(a, Math.ceil((at + width - from) / perColumn) - 1));
    for (let column = a; column <= b; column++) {
      if (!(low[column] <= tile[bin])) low[column] = tile[bin];
      if (!(high[column] >= tile[n + bin])) high[column] = tile[n + bin];
    }
  }
}
