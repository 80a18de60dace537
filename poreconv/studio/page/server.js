// @ts-check
// What the page asks the server, always with the token of the page's address.

const token = new URLSearchParams(location.search).get("token") ?? "";

/** @typedef {{mark: number, kind: string, start: number, end: number, label: string, removed: boolean}} Mark */
/** @typedef {{name: string, colour: string}} MarkClass */
/** @typedef {{read: string, version: number, marks: Mark[], classes: MarkClass[], used_as: string}} Marked */
/** @typedef {{name: string, n_events: number, problem: string, dense: boolean, pending: boolean, curves: string[], start: number[], end: number[], label: string[], score: number[]}} Lane */
/** @typedef {{read_id: string, n_samples: number, sample_rate_hz: number, chemistry: string, channel: number, doubt: number | null, marks: Record<string, number>}} Entry */
/** @typedef {{read_id: string, n_samples: number, sample_rate_hz: number, chemistry: string, channel: number, source: string, low_pa: number, high_pa: number}} ReadInfo */

/** @typedef {{score: string, value: number | null, low: number | null, high: number | null, reads: number, split: string, words: string}} Judged */
/** @typedef {{task: string, classes: string[], marked_reads: number, started_from: string, stopped: boolean, judged: Judged | null, notes: string[]}} Learnt */
/** @typedef {{number: number, learnt: Learnt}} Model */
/** @typedef {{running: boolean, title: string, share: number, note: string, left: string, problem: string, models: Model[], doubts: number}} Learning */

/**
 * @param {string} name
 * @param {Record<string, string | number>} query
 * @param {RequestInit} options
 */
async function request(name, query, options = {}) {
  const text = new URLSearchParams(Object.entries(query).map(([key, value]) => [key, String(value)]));
  const headers = { Authorization: `Bearer ${token}`, ...options.headers };
  const answer = await fetch(`api/${name}?${text}`, { ...options, headers }).catch(() => {
    throw new Error("The studio does not answer; what was not stored is lost. Start it again, and open its new address.");
  });
  if (answer.ok) return answer;
  const problem = await answer.clone().json().catch(async () => ({ problem: await answer.text() }));
  throw new Error(problem.problem);
}

/** @param {string} name @param {Record<string, string | number>} query @returns {Promise<any>} */
export async function ask(name, query = {}) {
  return (await request(name, query)).json();
}

/** @param {string} name @param {Record<string, string | number>} query */
export async function askNumbers(name, query) {
  return new Float32Array(await (await request(name, query)).arrayBuffer());
}

/** Ask for shares, which are sent as 0 to 255. @param {string} name @param {Record<string, string | number>} query */
export async function askShares(name, query) {
  const bytes = new Uint8Array(await (await request(name, query)).arrayBuffer());
  return Float32Array.from(bytes, (byte) => byte / 255);
}

/** @param {string} name */
export async function askFile(name) {
  return (await request(name, {})).blob();
}

/** @type {Promise<any>} */
let last = Promise.resolve();

/**
 * Changes are sent one after the other, in the order in which they were made: also before one that is still being worked
 * out, as by a question to the server.
 * @param {string} name @param {object | Promise<object>} body @returns {Promise<any>}
 */
export function send(name, body) {
  const headers = { "Content-Type": "application/json" };
  const answer = Promise.allSettled([last, body]).then(async () => (await request(name, {}, { method: "POST", body: JSON.stringify(await body), headers })).json());
  last = answer;
  return answer;
}
