// Unpacks plotly and the figures of the page, draws the chosen one in the colours of the page, and draws the part of it
// in view again whenever that changes: lines from all of their samples, as `decimation.extremes` does.
const plot = document.getElementById("figure");
const state = document.getElementById("state");
const chooser = document.getElementById("chooser");
const narrow = matchMedia("(max-width: 760px)");
const dark = matchMedia("(prefers-color-scheme: dark)");
const CONFIG = {
  displaylogo: false, scrollZoom: true, responsive: true, doubleClick: false,
  modeBarButtonsToRemove: ["select2d", "lasso2d", "autoScale2d", "resetScale2d"],
};
const BINS = 6000; // over three times the width of the view, so that dragging shows something at once
const MEANS = 1500; // bins of the line of means, which is drawn where single samples cannot be seen
const DENSE = 4; // samples in a bin from which they cannot
const GAP = -32768; // a sample without a value
const MOST_EVENTS = 1000; // more would be thinner than a pixel and show a meaningless pattern; then some are drawn, pale

async function unpacked(base64) {
  const bytes = Uint8Array.from(atob(base64), (character) => character.charCodeAt(0));
  return new Response(new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip")));
}

const content = async (id) => (await unpacked(document.getElementById(id).textContent)).text();

/** The numbers that `packing.packed` packed: bytes, or differences, the low bytes of all before the high ones. */
async function numbers({ base64, type }) {
  const bytes = new Uint8Array(await (await unpacked(base64)).arrayBuffer());
  if (type === "u1") return bytes;
  const Kind = { i2: Int16Array, i4: Int32Array }[type];
  const size = Kind.BYTES_PER_ELEMENT, values = new Kind(bytes.length / size);
  let value = 0;
  for (let i = 0; i < values.length; i++) {
    let step = 0;
    for (let byte = 0; byte < size; byte++) step |= bytes[byte * values.length + i] << (8 * byte);
    value += (step >>> 1) ^ -(step & 1);
    values[i] = value; // wraps around, as the differences did
    value = values[i];
  }
  return values;
}

function extremes(samples, from, to) {
  const width = Math.max(1, Math.ceil((to - from) / BINS));
  const kept = [];
  for (let bin = from; bin < to; bin += width) {
    let low = bin, high = bin;
    for (let i = bin; i < Math.min(bin + width, to); i++) {
      if (samples[i] < samples[low]) low = i;
      if (samples[i] > samples[high]) high = i;
    }
    kept.push(Math.min(low, high));
    if (low !== high) kept.push(Math.max(low, high));
  }
  return kept;
}

function means(line, from, to) {
  const width = Math.ceil((to - from) / MEANS), x = [], y = [];
  for (let bin = from; bin < to; bin += width) {
    let sum = 0, n = 0;
    for (let i = bin; i < Math.min(bin + width, to); i++) {
      if (line.samples[i] !== GAP) { sum += line.samples[i]; n++; }
    }
    x.push(bin + width / 2);
    y.push(n ? (sum / n + line.offset) * line.scale : null);
  }
  return { x, y };
}

/** The events from one sample to another as cells of a heat map, with empty ones between them. */
function cells(track, from, to) {
  const { start, duration, colour, label, score } = track.columns;
  let first = 0;
  for (let low = 0, high = start.length; low < high;) { // the first event that ends after `from`; they are in order
    const middle = (low + high) >> 1;
    if (start[middle] + duration[middle] > from) high = middle; else low = middle + 1;
    first = low;
  }
  const within = [];
  for (let i = first; i < start.length && start[i] < to; i++) within.push(i);
  const step = Math.max(1, Math.ceil(within.length / (3 * MOST_EVENTS)));
  const x = [], z = [], customdata = [];
  for (let k = 0; k < within.length; k += step) {
    const i = within[k], end = start[i] + duration[i];
    if (step === 1 && x.length && x.at(-1) < start[i]) { z.push(null); customdata.push(null); x.push(start[i]); }
    if (!x.length) x.push(start[i]);
    z.push(colour[i]);
    customdata.push([start[i], end, score[i] === GAP ? null : score[i] / 1000, track.names[label[i]]]);
    x.push(step === 1 ? end : start[within[Math.min(k + step, within.length - 1)]] + 1);
  }
  return { x: x.length ? x : [from, to], z: [z.length ? z : [null]], customdata: [customdata.length ? customdata : [null]] };
}

/** Replaces colours for paper by those of the page, which is light or dark, and the margins by those of a telephone. */
function adapt({ data, layout }) {
  const of = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
  for (const name of ["paper_bgcolor", "plot_bgcolor"]) layout[name] = of("--card");
  layout.font = { ...layout.font, color: of("--ink") };
  for (const [name, axis] of Object.entries(layout)) {
    if (/^[xy]axis/.test(name)) Object.assign(axis, { gridcolor: of("--line"), zerolinecolor: of("--line") });
    if (/^xaxis/.test(name) && narrow.matches) axis.nticks = 6;
  }
  for (const shape of layout.shapes ?? []) shape.line.color = of("--blue");
  for (const trace of data) {
    if (!trace.meta?.colour) continue;
    for (const part of [trace.line, trace.marker]) if (part) part.color = of(trace.meta.colour);
  }
  layout.title.text = ""; // it is the heading of the page
  Object.assign(layout.margin, { t: 30, l: narrow.matches ? 54 : 80, r: narrow.matches ? 8 : 20 });
}

function refine() {
  const { lines, tracks, n_samples: length, rate, seconds } = plot.layout.meta;
  const [left, right] = plot.layout.xaxis.range;
  const reach = right - left;
  const from = Math.max(0, Math.floor(left - reach)), to = Math.min(length, Math.ceil(right + reach));
  const isDense = to - from > DENSE * BINS;
  const changes = { x: [], y: [], z: [], customdata: [], opacity: [] }, traces = [];
  const change = (trace, values) => {
    traces.push(trace);
    for (const [name, column] of Object.entries(changes)) column.push(values[name]);
  };
  for (const line of lines) {
    const x = extremes(line.samples, from, to);
    const y = x.map((at) => (line.samples[at] === GAP ? null : (line.samples[at] + line.offset) * line.scale));
    change(line.trace, { x, y, opacity: isDense ? 0.3 : 1 });
    change(line.means, isDense ? means(line, from, to) : { x: [null], y: [null] });
  }
  for (const track of tracks) {
    change(track.trace, { ...cells(track, from, to), opacity: track.columns.start.length * reach / length > MOST_EVENTS ? 0.25 : 1 });
  }
  const layout = { [`${seconds}.range`]: [left / rate, right / rate], "shapes[0].x0": left, "shapes[0].x1": right };
  Plotly.update(plot, changes, layout, traces); // in one call, since each redraws everything
}

async function complete(meta) {
  for (const line of meta.lines) line.samples = await numbers(line);
  for (const track of meta.tracks) {
    const columns = Object.entries(track.columns);
    track.columns = Object.fromEntries(await Promise.all(columns.map(async ([name, column]) => [name, await numbers(column)])));
  }
}

async function show(number) {
  const { data, layout } = JSON.parse(await content(`figure-${number}`));
  document.getElementById("title").innerText = layout.title.text.replaceAll("<br>", "\n");
  adapt({ data, layout });
  const isRead = layout.meta?.lines;
  if (isRead) await complete(layout.meta);
  state.hidden = true;
  Plotly.purge(plot);
  await Plotly.newPlot(plot, data, layout, CONFIG);
  if (!isRead) return plot.on("plotly_doubleclick", () => Plotly.relayout(plot, { "xaxis.autorange": true }));
  plot.on("plotly_relayout", (changed) => {
    const { seconds, rate } = layout.meta;
    if (Object.keys(changed).some((key) => /^xaxis[.]/.test(key))) return refine();
    const time = changed[`${seconds}.range[0]`] !== undefined && plot.layout[seconds].range; // dragged at its numbers
    if (time) Plotly.relayout(plot, { "xaxis.range": time.map((at) => at * rate) });
  });
  plot.on("plotly_doubleclick", () => Plotly.relayout(plot, { "xaxis.range": [0, layout.meta.n_samples] }));
  plot.on("plotly_click", ({ points: [point] }) => {
    if (point.data.meta?.overview !== true) return;
    const [left, right] = plot.layout.xaxis.range, half = (right - left) / 2;
    const middle = Math.min(Math.max(point.x, half), layout.meta.n_samples - half);
    Plotly.relayout(plot, { "xaxis.range": [middle - half, middle + half] });
  });
  refine();
}

const script = document.createElement("script");
try {
  script.textContent = await content("plotly");
  document.head.append(script);
  const shown = () => show(chooser?.value ?? 0);
  chooser?.addEventListener("change", shown);
  dark.addEventListener("change", shown);
  await shown();
} catch (error) {
  state.hidden = false;
  state.textContent = `This browser cannot draw the figure (${error.message}); open the page with one from 2023 or later.`;
  throw error;
}
