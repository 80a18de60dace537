// @ts-check
// The keyboard: every action has a key, and the page lists them.

/** @typedef {{keys: string[], shown: string, text: string, act: (event: KeyboardEvent) => any}} Key */

/** @param {Key[]} keys */
export function listen(keys) {
  const acts = new Map(keys.flatMap((key) => key.keys.map((name) => [name, key.act])));
  let last = Promise.resolve(); // keys act one after the other, also where one waits for the server
  document.addEventListener("keydown", (event) => {
    const target = /** @type {HTMLElement} */ (event.target);
    const writes = target.closest("input:not([type=checkbox]), select, textarea, dialog[open]");
    const presses = ["Enter", " "].includes(event.key) && target.closest("button, summary, [type=checkbox]");
    const command = event.ctrlKey || event.metaKey ? `Ctrl+${event.key.toLowerCase()}` : event.key;
    const act = acts.get(command);
    if (!act || writes || presses || event.altKey) return;
    event.preventDefault();
    last = last.then(() => act(event)).catch(() => {});
  });
  const list = /** @type {HTMLElement} */ (document.getElementById("keys"));
  for (const { shown, text } of keys) {
    const name = document.createElement("dt"), meaning = document.createElement("dd"), key = document.createElement("kbd");
    key.textContent = shown;
    meaning.textContent = text;
    name.append(key);
    list.append(name, meaning);
  }
}
