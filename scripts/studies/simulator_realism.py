"""How much do simulated squiggles resemble real ones? Prints a Markdown table and draws a figure.

Usage: python -m scripts.studies.simulator_realism [--out simulator_realism.png] [--k 6] [--json simulator_realism.json]

The real reads are the lambda set with Tombo's bases (`dna_r941_lambda_tombo`, R9.4.1), looked for in $PORECONV_DATA,
else in ../shared/data. From its training reads, by the split that `poreconv prepare` makes, a pore model is estimated;
as many reads of random bases are simulated on it, with the simulator's own settings but for the length of the reads,
and both are measured alike, between their first and their last base.
"""

from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray
from scipy.signal import welch
from scipy.stats import ks_2samp

from poreconv.config import MoleculeConfig, PoreConfig, SimulateConfig, SourceConfig, SplitConfig, SquiggleConfig
from poreconv.dataset.splits import split_of
from poreconv.errors import LabelError
from poreconv.events.events import Events
from poreconv.events.levels import event_levels
from poreconv.labels.opening import open_labels
from poreconv.pore_models.estimation import bases_of, estimate_pore_model
from poreconv.pore_models.tables import write_pore_model
from poreconv.reads.read import Read
from poreconv.reads.readers import open_reads
from poreconv.simulate.squiggle import simulate
from scripts.studies.results import MarkdownTable, required_data, study_parser, write_results

SET = "dna_r941_lambda_tombo"
LAGS = 20
LEAST_FOR_SD = 6
"""Samples that an event needs for its SD to be compared."""
LONG = (26, 200)
"""Samples of the events whose residuals are correlated: enough for all lags, and no more than a stuck aligner's."""
WINDOW = 1024
"""Samples of a window of the power spectrum."""
BANDS_HZ = ((4, 40), (40, 400), (400, 1000), (1000, 2000))
SHOWN_LAGS = (1, 2, 5, 10)
PERCENTILES = (5, 50, 95, 99)

Labelled = list[tuple[Read, Events]]


@dataclass(frozen=True)
class Quantity:
    """One number of each event or boundary."""

    title: str
    unit: str
    bins: Sequence[float]
    """Of its histogram."""
    yscale: str = "linear"


QUANTITIES = {
    "dwell": Quantity("dwell", "samples", [i - 0.5 for i in range(1, 80)], "log"),
    "sd_pa": Quantity("SD within an event", "pA", np.linspace(0, 10, 80).tolist()),
    "jump_pa": Quantity("jump at a boundary", "pA", np.linspace(0, 50, 80).tolist()),
    "level_step_pa": Quantity("step between levels", "pA", np.linspace(0, 55, 80).tolist()),
}
"""Fields of `Measured` whose distributions are compared."""


@dataclass(frozen=True)
class Measured:
    """What is compared."""

    dwell: NDArray[np.float64]
    """Samples of each event."""
    sd_pa: NDArray[np.float64]
    """SD within each event of `LEAST_FOR_SD` samples or more."""
    jump_pa: NDArray[np.float64]
    """Absolute difference of the samples on both sides of each boundary."""
    level_step_pa: NDArray[np.float64]
    """Absolute difference of the mean levels on both sides."""
    correlation: NDArray[np.float64]
    """Of residuals within `LONG` events, around their own means, lags 0 to `LAGS`."""
    frequency_hz: NDArray[np.float64]
    power: NDArray[np.float64]
    """Power at each frequency, summing to 1."""

    def shares(self) -> list[float]:
        """Return the share of the power in each of `BANDS_HZ`."""
        at = self.frequency_hz
        return [float(self.power[(at >= low) & (at < high)].sum()) for low, high in BANDS_HZ]


def _real_reads(folder: Path) -> Labelled:
    """The set's training reads."""
    labels, split, pairs = open_labels("tombo", [], SourceConfig()), SplitConfig(), []
    with closing(labels), open_reads(folder) as reads:
        for read in reads:
            if split_of(split, read_id=read.read_id, run_id=read.run_id, channel=read.channel) != "train":
                continue
            try:
                events = labels.events(read)
            except LabelError:
                continue
            if events is not None:
                pairs.append((read, events))
    return pairs


def _simulated_reads(real: Labelled, k: int) -> Labelled:
    """As many reads, of about as many bases, on a pore model estimated from the real ones."""
    observed = [bases_of(read, events) for read, events in real]
    bases = round(np.mean([len(events) for _, events in real]))
    with TemporaryDirectory() as folder:
        path = Path(folder) / "estimated.model"
        write_pore_model(path, estimate_pore_model(lambda: observed, k))
        config = SquiggleConfig(pore=PoreConfig(pore_model=path), molecule=MoleculeConfig(bases_mean=bases))
        return [(made.read, made.events) for made in simulate(SimulateConfig(len(real)), config)]


def _measured(pairs: Labelled) -> Measured:
    columns = zip(*(_of_read(read, events) for read, events in pairs), strict=True)
    dwell, sd, jump, step, products, (frequency, *_), power = (list(column) for column in columns)
    total_products, total_power = np.sum(products, axis=0), np.sum(power, axis=0)
    correlation = total_products[0] / total_products[1]
    return Measured(
        dwell=np.concatenate(dwell),
        sd_pa=np.concatenate(sd),
        jump_pa=np.concatenate(jump),
        level_step_pa=np.concatenate(step),
        correlation=correlation / correlation[0],
        frequency_hz=frequency,
        power=total_power / total_power.sum(),
    )


def _of_read(read: Read, events: Events) -> tuple[NDArray[np.float64], ...]:
    pa = read.pa.astype(np.float64)
    level_pa, sd_pa = event_levels(read, events)
    joined = events.start[1:][events.start[1:] == events.end[:-1]]
    covered = pa[events.start[0] : events.end[-1]]
    frequency, density = welch(covered, read.sample_rate_hz, nperseg=min(WINDOW, len(covered)), nfft=WINDOW)
    return (
        events.duration.astype(np.float64),
        sd_pa[events.duration >= LEAST_FOR_SD],
        np.abs(pa[joined] - pa[joined - 1]),
        np.abs(np.diff(level_pa)),
        _products(pa, events),
        frequency,
        density * len(covered),
    )


def _products(pa: NDArray[np.float64], events: Events) -> NDArray[np.float64]:
    """Sums of products of residuals at each lag, and how many, over long events without their outer two samples."""
    sums = np.zeros((2, LAGS + 1))
    long = (events.duration >= LONG[0]) & (events.duration <= LONG[1])
    for start, end in zip(events.start[long] + 2, events.end[long] - 2, strict=True):
        residual = pa[start:end] - pa[start:end].mean()
        sums[0] += np.correlate(residual, residual, "full")[len(residual) - 1 :][: LAGS + 1]
        sums[1] += len(residual) - np.arange(LAGS + 1)
    return sums


def _results(real: Measured, simulated: Measured) -> dict[str, object]:
    """What is written: percentiles and distances of the distributions, correlations and power of both."""
    both = {"real": real, "simulated": simulated}
    distributions = {
        name: {
            "distance": float(ks_2samp(getattr(real, name), getattr(simulated, name)).statistic),
            **{which: np.percentile(getattr(one, name), PERCENTILES).tolist() for which, one in both.items()},
        }
        for name in QUANTITIES
    }
    return {
        "percentiles": PERCENTILES,
        "distributions": distributions,
        "correlation": {which: one.correlation.tolist() for which, one in both.items()},
        "bands_hz": BANDS_HZ,
        "power": {which: one.shares() for which, one in both.items()},
    }


def _print(real: Measured, simulated: Measured) -> None:
    table = MarkdownTable("quantity", "real", "simulated", "ratio of medians", "distance")
    for name, quantity in QUANTITIES.items():
        one, other = getattr(real, name), getattr(simulated, name)
        ratio, distance = np.median(other) / np.median(one), ks_2samp(one, other).statistic
        title = f"{quantity.title}, {quantity.unit}: median (5 %, 95 %, 99 %)"
        table.add(title, _spread(one), _spread(other), f"{ratio:.2f}", f"KS {distance:.3f}")
    lags = ", ".join(map(str, SHOWN_LAGS))
    at_lags = [", ".join(f"{one.correlation[lag]:.2f}" for lag in SHOWN_LAGS) for one in (real, simulated)]
    off = np.abs(real.correlation - simulated.correlation).max()
    table.add(f"correlation of residuals at lags {lags}", *at_lags, "", f"at most {off:.2f}")
    bands = ", ".join(f"{low}-{high}" for low, high in BANDS_HZ)
    shares = [", ".join(f"{share:.3f}" for share in one.shares()) for one in (real, simulated)]
    pairs = zip(real.shares(), simulated.shares(), strict=True)
    decibels = ", ".join(f"{10 * np.log10(other / one):+.1f}" for one, other in pairs)
    table.add(f"share of power in {bands} Hz", *shares, "", f"{decibels} dB")


def _spread(values: NDArray[np.float64]) -> str:
    low, middle, high, top = np.percentile(values, PERCENTILES)
    return f"{middle:.1f} ({low:.1f}, {high:.1f}, {top:.1f})"


def _draw(path: Path, real: Measured, simulated: Measured) -> None:
    figure = Figure(figsize=(14, 7), layout="constrained")
    panels: Iterator[Axes] = iter(figure.subplots(2, 3).flat)
    looks = ((real, "real", "black"), (simulated, "simulated", "tab:orange"))
    for name, quantity in QUANTITIES.items():
        panel = next(panels)
        for one, label, colour in looks:
            panel.hist(getattr(one, name), quantity.bins, density=True, histtype="step", label=label, color=colour)
        panel.set(title=quantity.title, xlabel=quantity.unit, yscale=quantity.yscale)
    correlation, power = panels
    for one, label, colour in looks:
        correlation.plot(one.correlation, "o-", label=label, color=colour)
        power.loglog(one.frequency_hz[1:], one.power[1:], label=label, color=colour)
    correlation.set(title="correlation of residuals within long events", xlabel="lag, samples")
    power.set(title="power spectrum, summing to 1", xlabel="Hz")
    for panel in figure.axes:
        panel.legend()
    figure.savefig(path, dpi=110)


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure, print, draw and write.

    Args:
        arguments: Of the command line; default: those of this process.
    """
    parser = study_parser("simulator_realism", __doc__)
    parser.add_argument("--out", type=Path, default=Path("simulator_realism.png"), help="the figure")
    parser.add_argument("--k", type=int, default=6, help="bases of the pore model; default: 6")
    chosen = parser.parse_args(arguments)
    reads = _real_reads(required_data(SET) / SET)
    real, simulated = _measured(reads), _measured(_simulated_reads(reads, chosen.k))
    _print(real, simulated)
    _draw(chosen.out, real, simulated)
    write_results(chosen, _results(real, simulated))


if __name__ == "__main__":
    main()
