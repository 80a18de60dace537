"""Signal files -> how the run went: a table of its reads, a summary, a page."""

from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from rich.markup import escape
from rich.table import Table

from poreconv.config import HealthConfig
from poreconv.errors import ReadDropped
from poreconv.evaluation.health.summary import RunHealth, summarised, summary_rows
from poreconv.evaluation.health.table import READ_ROWS, READS, ReadHealth, read_table
from poreconv.events.tabulation import ReadAnalysis, check_new, check_out, tabulate
from poreconv.inference.speed import SpeedModels
from poreconv.reads.current import Current
from poreconv.reads.read import Read
from poreconv.runtime.files import PAGE
from poreconv.runtime.ledger import Ledger
from poreconv.runtime.outputs import writes_out

UNTIMED = "reads_without_speed"
"""Note in the ledger: reads whose bases no model counts."""


@writes_out
def health(
    paths: Path | str | Sequence[Path | str],
    *,
    out: Path | str | None = None,
    config: HealthConfig | None = None,
    overwrite: bool = False,
) -> RunHealth:
    """Measure how a run went, from its signal alone: speed, open-pore current, noise, drift, stalls, blockades.

    The speed of a read is the number of its bases over its time in the pore. Bases are not called: a shipped model of
    boundaries counts them, and what it misses on average is added; see `SPEEDOMETERS`. Against moves of a basecaller,
    on other reads than those that the average is from, the median error of a read's speed is 3 % on R10.4.1 and 5 % on
    RNA004 (`scripts/studies/health_speed.py`). A killed command resumes when it is started again.

    Args:
        paths: Signal files and folders: one, or several.
        out: Table with a row per read, ``.tsv`` or ``.parquet``, columns as in ``READS``; the drop ledger is written to
            ``<out>.ledger.json`` and the page beside it, as ``.html``. Default: nowhere.
        config: Chemistry of reads whose files do not contain it; processes.
        overwrite: Replace ``out`` if it exists, and start anew where a command was killed.

    Returns:
        The summary.

    Raises:
        ConfigError: ``out`` or its page exists, or its suffix names no format; or there is no such chemistry.
        FormatError: There is no read in the files.
    """
    config = config or HealthConfig()
    if out is None:
        with TemporaryDirectory(prefix="poreconv-health-") as folder:
            return _measured(paths, Path(folder) / "reads.parquet", config, overwrite=False)
    out, page = Path(out), Path(out).with_suffix(PAGE)
    check_out(out, READ_ROWS, overwrite=overwrite)
    check_new(page, overwrite=overwrite)
    run = _measured(paths, out, config, overwrite=overwrite)
    from poreconv.evaluation.health.page import write_page  # draws, and takes long to import

    write_page(page, run)
    return run


def _measured(
    paths: Path | str | Sequence[Path | str], out: Path, config: HealthConfig, *, overwrite: bool
) -> RunHealth:
    models = SpeedModels.find(config.chemistry)
    ledger = tabulate(
        paths,
        out,
        _Measuring(models).opened,
        command="health",
        settings={**models.settings, "files": asdict(config.files)},
        files=config.files,
        work=config.work,
        kind=READ_ROWS,
        overwrite=overwrite,
    )
    return summarised(read_table(out, [name for name in READS.names if name != "read_id"]), ledger)


@dataclass(frozen=True)
class _Measuring:
    """What a process opens to measure reads; it pickles."""

    models: SpeedModels

    @contextmanager
    def opened(self) -> Iterator[ReadAnalysis]:
        """Yield the function that measures reads."""
        with self.models.opened() as timed:

            def measure(reads: Iterable[Read], ledger: Ledger) -> Iterator[tuple[Read, ReadHealth]]:
                currents = deque[tuple[str, Current]]()
                for read, model, passage in timed(_with_current(reads, currents, ledger), ledger):
                    while (current := currents.popleft())[0] != read.read_id:
                        pass  # it was dropped
                    if not model:
                        ledger.notes[UNTIMED] += 1
                    yield read, ReadHealth(model, passage, current[1])

            yield measure


def _with_current(reads: Iterable[Read], currents: deque[tuple[str, Current]], ledger: Ledger) -> Iterator[Read]:
    """Yield reads whose current can be measured, and queue what it is; the others are dropped."""
    for read in reads:
        try:
            current = Current.of(read)
        except ReadDropped as exc:
            ledger.drop(exc, read_id=read.read_id, source=read.source)
            continue
        currents.append((read.read_id, current))
        yield read


def render(run: RunHealth) -> Table:
    """Return the table for the terminal: one row per quantity.

    Args:
        run: What `health` returned.
    """
    cells = ", ".join(run.flow_cells) or "flow cell not known"
    title = f"{run.n_reads:,} reads of {len(run.channels):,} channels in {run.hours:.1f} h, {cells}"
    models = ", ".join(f"{name} ({n:,})" for name, n in run.models.items())
    table = Table(title=escape(title), caption=escape(f"bases counted by {models}" if models else "no speed is known"))
    for name in ("", "of the run", "quartiles of reads", "change per hour"):
        table.add_column(name, justify="right" if name else "left")
    for name, row in summary_rows(run):
        table.add_row(name, *row)
    return table
