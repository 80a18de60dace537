// Draws the part of each line that is in view, from all of its samples: as `decimation.extremes` does, with more bins
// where one looks closer. Runs once, beside the figure that it belongs to.
(function () {
  const plot = document.getElementById("{plot_id}");
  const { lines, tracks, n_samples: length } = plot.layout.meta;
  const BINS = 6000; // three times the view, so that there is something to see while it is dragged
  const MOST_EVENTS = 1000; // more in view are thinner than a pixel: a pattern that means nothing, so it is drawn pale

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

  function refine() {
    const [left, right] = plot.layout.xaxis.range;
    const reach = right - left;
    const from = Math.max(0, Math.floor(left - reach)), to = Math.min(length, Math.ceil(right + reach));
    const x = lines.map((line) => extremes(line.samples, from, to));
    const y = lines.map((line, i) => x[i].map((at) => (line.samples[at] + line.offset) * line.scale));
    const opacity = tracks.map((track) => (track.n_events * reach / length > MOST_EVENTS ? 0.25 : 1));
    const kept = tracks.map(() => undefined); // one restyle, for each costs a drawing of everything
    const changes = { x: [...x, ...kept], y: [...y, ...kept], opacity: [...lines.map(() => 1), ...opacity] };
    Plotly.restyle(plot, changes, [...lines, ...tracks].map((one) => one.trace));
  }

  plot.on("plotly_relayout", (changed) => {
    if (Object.keys(changed).some((key) => key.startsWith("xaxis"))) refine();
  });
  refine();
})();
