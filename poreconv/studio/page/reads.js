// @ts-check
// The list of reads and its filter.

import { ask } from "./server.js";

/** @typedef {import("./server.js").Entry} Entry */

export class ReadList {
  constructor() {
    /** @type {(entry: Entry) => void} called when a read is chosen */
    this.open = () => {};
    /** @type {Entry[]} */
    this.entries = [];
    this.current = "";
    this.nFound = 0;
    this.list = /** @type {HTMLOListElement} */ (document.getElementById("reads"));
    this.form = /** @type {HTMLFormElement} */ (document.getElementById("filter"));
    this.more = /** @type {HTMLButtonElement} */ (document.getElementById("more"));
    this.form.addEventListener("submit", (event) => event.preventDefault());
    this.form.addEventListener("input", () => this.refresh());
    this.more.addEventListener("click", () => this.extend());
  }

  /** @param {number} offset */
  async ask(offset) {
    const filter = /** @type {Record<string, string>} */ (Object.fromEntries([...new FormData(this.form)].filter(([, value]) => value)));
    return ask("reads", { ...filter, offset });
  }

  async refresh() {
    const found = await this.ask(0);
    this.entries = found.reads;
    this.show(found);
    if (!found.complete) setTimeout(() => this.refresh(), 2000);
  }

  get order() {
    return /** @type {HTMLSelectElement} */ (this.form.elements.namedItem("order"));
  }

  /** Change the order. */
  reorder() {
    this.order.value = this.order.value ? "" : "doubt";
    return this.refresh();
  }

  /** Show the order of now, unless somebody is choosing from the list. */
  async renew() {
    if (this.order.value && !this.list.contains(document.activeElement)) await this.refresh();
  }

  async extend() {
    const found = await this.ask(this.entries.length);
    this.entries.push(...found.reads);
    this.show(found);
  }

  /** @param {{n_found: number, n_reads: number, complete: boolean, problem: string}} found */
  show(found) {
    this.nFound = found.n_found;
    const counted = `${found.n_found.toLocaleString("en")} of ${found.n_reads.toLocaleString("en")}`;
    const state = found.problem || (found.complete ? "" : "(still reading)");
    /** @type {HTMLElement} */ (document.getElementById("n-found")).textContent = `${counted} ${state}`;
    this.more.hidden = this.entries.length >= found.n_found;
    this.list.replaceChildren(...this.entries.map((entry) => this.item(entry)));
  }

  /** @param {Entry} entry */
  item(entry) {
    const item = document.createElement("li"), button = document.createElement("button"), about = document.createElement("small");
    const { interval = 0, boundary = 0, read = 0, seen = 0 } = entry.marks, n = interval + boundary + read;
    const doubt = entry.doubt === null ? "" : `doubt ${entry.doubt.toFixed(2)}`;
    const marked = [doubt, n ? `${n} mark${n === 1 ? "" : "s"}` : "", seen ? "looked at" : ""];
    button.type = "button";
    button.textContent = entry.read_id;
    about.textContent = [`${entry.n_samples.toLocaleString("en")} samples`, entry.chemistry, `channel ${entry.channel}`, ...marked].filter(Boolean).join(" · ");
    button.append(about);
    button.setAttribute("aria-current", String(entry.read_id === this.current));
    button.addEventListener("click", () => this.open(entry));
    item.append(button);
    return item;
  }

  /** @param {string} readId */
  choose(readId) {
    this.current = readId;
    this.entries.forEach((entry, i) => {
      const button = this.list.children[i]?.firstElementChild;
      button?.setAttribute("aria-current", String(entry.read_id === readId));
      if (entry.read_id === readId) button?.scrollIntoView({ block: "nearest" });
    });
  }

  /** Show how many marks a read has now. @param {string} readId @param {{kind: string}[]} marks */
  count(readId, marks) {
    const at = this.entries.findIndex((entry) => entry.read_id === readId);
    if (at < 0) return;
    const entry = this.entries[at];
    entry.marks = {};
    for (const { kind } of marks) entry.marks[kind] = (entry.marks[kind] ?? 0) + 1;
    this.list.children[at]?.replaceWith(this.item(entry));
  }

  /** @param {number} step 1: the next read, -1: the one before */
  async move(step) {
    const at = this.entries.findIndex((entry) => entry.read_id === this.current) + step;
    if (at >= this.entries.length && this.entries.length < this.nFound) await this.extend();
    const entry = this.entries[at];
    if (entry) this.open(entry);
    return Boolean(entry);
  }
}
