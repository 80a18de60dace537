// Draws the part of each line and of each track that is in view: lines from all of their samples, as
// `decimation.extremes` does, with more bins after zooming in. Runs once, when the figure has been drawn.
(function () {
  const plot = document.getElementById("{plot_id}");
  const { lines, tracks, n_samples: length } = plot.layout.meta;
  const BINS = 6000; // over three times the width of the view, so that dragging shows something at once
  const GAP = -32768; // a sample without a value
  const MOST_EVENTS = 1000; // more would be thinner than a pixel and show a meaningless pattern; then some are drawn, pale

  for (const line of lines) {
    const bytes = Uint8Array.from(atob(line.base64), (character) => character.charCodeAt(0));
    line.samples = line.type === "i2" ? new Int16Array(bytes.buffer) : bytes;
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

  for (const track of tracks) {
    const { x, z, customdata, text } = plot._fullData[track.trace]; // decoded, and still complete
    track.all = { edges: Array.from(x), z: z[0], customdata: customdata[0], text: text && text[0] };
  }

  function cells(track, from, to) {
    const { edges, z, customdata, text } = track.all;
    const first = Math.max(0, edges.findIndex((edge) => edge > from) - 1);
    const after = edges.findIndex((edge) => edge >= to);
    const last = after < 0 ? edges.length - 1 : after;
    const step = Math.max(1, Math.ceil((last - first) / (3 * MOST_EVENTS)));
    const kept = [];
    for (let i = first; i < last; i += step) kept.push(i);
    const of = (values) => [kept.map((i) => values[i])];
    return { x: [...kept.map((i) => edges[i]), edges[last]], z: of(z), customdata: of(customdata), text: text && of(text) };
  }

  function refine() {
    const [left, right] = plot.layout.xaxis.range;
    const reach = right - left;
    const from = Math.max(0, Math.floor(left - reach)), to = Math.min(length, Math.ceil(right + reach));
    const x = lines.map((line) => extremes(line.samples, from, to));
    const y = lines.map((line, i) => x[i].map((at) => (line.samples[at] === GAP ? null : (line.samples[at] + line.offset) * line.scale)));
    const seen = tracks.map((track) => cells(track, from, to));
    const opacity = tracks.map((track) => (track.n_events * reach / length > MOST_EVENTS ? 0.25 : 1));
    const untouched = lines.map(() => undefined);
    const changes = {
      x: [...x, ...seen.map((track) => track.x)],
      y: [...y, ...tracks.map(() => undefined)],
      opacity: [...lines.map(() => 1), ...opacity],
    };
    for (const name of ["z", "customdata", "text"]) changes[name] = [...untouched, ...seen.map((track) => track[name])];
    Plotly.restyle(plot, changes, [...lines, ...tracks].map((drawn) => drawn.trace)); // in one call, since each redraws everything
  }

  plot.on("plotly_relayout", (changed) => {
    if (Object.keys(changed).some((key) => key.startsWith("xaxis"))) refine();
  });
  refine();
})();
