"""Labelled reads -> a pore model: the level, noise and dwell of each k-mer."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from rich.table import Table

from poreconv.config import KmersConfig, require
from poreconv.events.tabulation import check_new
from poreconv.events.targets import BASES
from poreconv.labels.opening import LabelsAsked, choose_labels, events_of, kept_reads, opened
from poreconv.labels.sources import LabelSource
from poreconv.pore_models.estimation import PASSES, Bases, bases_of, estimate_pore_model
from poreconv.pore_models.model import PoreModel
from poreconv.pore_models.tables import MAX_K, check_table_name, write_pore_model
from poreconv.reads.read import Read
from poreconv.reads.readers import ReadStream, find_files, open_reads
from poreconv.reads.selection import Selection
from poreconv.runtime.ledger import Ledger
from poreconv.runtime.outputs import writes_out
from poreconv.runtime.progress import Progress, progress_bar


@writes_out
def kmers(
    paths: Path | str | Sequence[Path | str],
    *,
    labels: LabelsAsked,
    k: int,
    out: Path | str,
    labels_from: Sequence[Path | str] = (),
    config: KmersConfig | None = None,
    overwrite: bool = False,
) -> tuple[PoreModel, Ledger]:
    """Estimate a pore model from labelled reads, which are read five times.

    Args:
        paths: Signal files and folders: one, or several.
        labels: Name in ``LABEL_SOURCES`` of a source with bases, or your own, see `prepare`; or several: for each read
            the first that has a label is used.
        k: Bases that set one level: 5 for RNA002, 6 for R9.4.1, 9 for R10.4.1.
        out: ``model.txt`` or ``.model`` (nanopolish and f5c text), ``.levels`` or ``.npz``.
        labels_from: Files of the label sources; ``NAME=FILE`` if several sources read files.
        config: How files and label sources are read.
        overwrite: Replace ``out`` if it exists.

    Returns:
        The model, and the drop ledger.

    Raises:
        ConfigError: ``out`` exists or its suffix names no format, ``k`` is out of range, or the labels have no bases.
        StoreError: No read has enough bases.
    """
    out, config = Path(out), config or KmersConfig()
    require(1 <= k <= MAX_K, f"k: {k}; must be 1 to {MAX_K}")
    check_table_name(out)
    check_new(out, overwrite=overwrite)
    files = find_files(paths)
    chosen = choose_labels(labels, labels_from)
    with opened(chosen, config.sources) as source, progress_bar("kmers") as progress:
        names = ", ".join(choice.name for choice in chosen)
        require(source.classes == BASES, f"labels {names}: without bases; use a source with a sequence, such as tombo")
        passes = Passes(files, source, config, progress)
        model = replace(estimate_pore_model(passes, k), sample_rate_hz=passes.sample_rate_hz)
    write_pore_model(out, model)
    return model, passes.ledger


class Passes:
    """The labelled bases of the reads; each call reads them once.

    Args:
        files: Signal files.
        source: Their labels.
        config: Which reads are used, and whether to skip bad files.
        progress: Called with the share of all passes that is done.
    """

    def __init__(self, files: Sequence[Path], source: LabelSource, config: KmersConfig, progress: Progress) -> None:
        self._files, self._source, self._config, self._progress = files, source, config, progress
        self._calls, self._total, self._selection = 0, 0, Selection.of(config.files)
        self.ledger = Ledger()
        """Ledger of the last pass; every pass reads the same reads."""
        self._rates: set[float] = set()

    @property
    def sample_rate_hz(self) -> float | None:
        """Sample rate of the reads; None if they have several."""
        return next(iter(self._rates)) if len(self._rates) == 1 else None

    def __call__(self) -> Iterator[list[Bases]]:
        """Yield the labelled bases of each read."""
        self._calls += 1
        ledger = self.ledger = Ledger()
        skip = self._config.files.skip_bad_files
        with open_reads(self._files, ledger=ledger, skip_bad_files=skip, selection=self._selection) as reads:
            for _, pieces in kept_reads(self._counted(reads), self._source, ledger, self._bases):
                ledger.kept += 1
                yield pieces

    def _counted(self, reads: ReadStream) -> Iterator[Read]:
        """Yield the reads of a pass, and show how far it is."""
        self._total, n_passes = self._total or max(len(reads), 1), PASSES + 2
        for done, read in enumerate(reads, start=1):
            yield read
            share = (self._calls - 1 + done / self._total) / n_passes
            self._progress(share, f"pass {self._calls} of {n_passes}, {done:,} of {self._total:,} reads")

    def _bases(self, read: Read) -> list[Bases]:
        self._rates.add(read.sample_rate_hz)
        return bases_of(read, events_of(self._source, read))


def render(model: PoreModel) -> Table:
    """Return the table for the terminal: what was estimated, and from how many events.

    Args:
        model: What `kmers` estimated.
    """
    table = Table(title=f"{model.k}-mers with {model.centre} bases before the one that an event is for")
    for name in ("k-mers", "seen", "10 times", "events", "level pA", "spread pA", "noise pA", "dwell samples"):
        table.add_column(name, justify="right")
    count, noise, dwell = model.count, model.noise_mean, model.dwell_mean
    if count is not None and noise is not None and dwell is not None:
        numbers = (len(count), int((count > 0).sum()), int((count >= 10).sum()), int(count.sum()))
        means = (model.level_mean.mean(), model.level_mean.std(), noise.mean(), dwell.mean())
        table.add_row(*[f"{number:,}" for number in numbers], *[f"{mean:.2f}" for mean in means])
    return table
