// @ts-check
// Changes of marks, as new states that are sent to the server. A mark of number 0 is a new one.

/** @typedef {import("./server.js").Mark} Mark */

/** @param {string} kind @param {number} start @param {number} end @param {string} label @returns {Mark} */
export const newMark = (kind, start, end, label = "") => ({ mark: 0, kind, start, end, label, removed: false });

/** @param {number} start @param {string} kind @param {number} nSamples @param {Mark} mark */
export function startingAt(mark, start, kind, nSamples) {
  if (kind === "boundary") return { ...mark, start: clamp(start, 0, nSamples - 1), end: clamp(start, 0, nSamples - 1) + 1 };
  return { ...mark, start: clamp(start, 0, mark.end - 1) };
}

/** @param {Mark} mark @param {number} end @param {number} nSamples */
export const endingAt = (mark, end, nSamples) => ({ ...mark, end: clamp(end, mark.start + 1, nSamples) });

/** @param {Mark} mark @param {number} sample @returns {Mark[]} nothing where the sample is not inside */
export function split(mark, sample) {
  if (mark.kind !== "interval" || sample <= mark.start || sample >= mark.end) return [];
  return [{ ...mark, end: sample }, newMark("interval", sample, mark.end, mark.label)];
}

/** @param {Mark[]} marks @param {Mark} mark @returns {Mark[]} nothing where no interval follows */
export function mergedWithNext(marks, mark) {
  const next = inOrder(marks).find((other) => other.kind === "interval" && other.start >= mark.start && other.mark !== mark.mark);
  if (mark.kind !== "interval" || !next) return [];
  return [{ ...mark, end: Math.max(mark.end, next.end) }, { ...next, removed: true }];
}

/** @param {Mark[]} marks @returns {Mark[]} by start */
export const inOrder = (marks) => [...marks].sort((a, b) => a.start - b.start || a.end - b.end);

/** The mark that is on top at a sample. @param {Mark[]} marks @param {number} sample @param {number} slack samples */
export function markAt(marks, sample, slack) {
  const here = marks.filter((mark) =>
    mark.kind === "boundary" ? Math.abs(mark.start - sample) <= slack : mark.kind === "interval" && mark.start <= sample && sample < mark.end,
  );
  return here.at(-1);
}

/**
 * The end of a mark that is near a sample; of several the selected mark's.
 * @param {Mark[]} marks @param {number} sample @param {number} slack @param {number} selected
 * @returns {{mark: Mark, edge: "start" | "end"} | undefined}
 */
export function edgeAt(marks, sample, slack, selected) {
  const edges = marks
    .filter((mark) => mark.kind === "interval" || mark.kind === "boundary")
    .flatMap((mark) => [
      { mark, edge: /** @type {"start"} */ ("start"), far: Math.abs(mark.start - sample) },
      ...(mark.kind === "interval" ? [{ mark, edge: /** @type {"end"} */ ("end"), far: Math.abs(mark.end - sample) }] : []),
    ])
    .filter(({ far }) => far <= slack);
  return edges.sort((a, b) => Number(b.mark.mark === selected) - Number(a.mark.mark === selected) || a.far - b.far)[0];
}

/** @param {number} value @param {number} least @param {number} most */
export const clamp = (value, least, most) => Math.min(Math.max(value, least), most);
