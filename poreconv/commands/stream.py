"""A model and signal files -> how many channels of a live flow cell this machine can label, and how soon."""

import multiprocessing
import signal
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

from rich.table import Table

from poreconv.config import FlowCellConfig, WorkConfig
from poreconv.events.tabulation import TableKind, check_out, join_files, write_rows
from poreconv.inference.labeller import load
from poreconv.inference.streaming.labeller import StreamingLabeller
from poreconv.inference.streaming.latency import Measured
from poreconv.inference.streaming.playback import FlowCell, reads_for
from poreconv.inference.worker_model import TrainedModel, for_model
from poreconv.models.fitting import stated
from poreconv.models.own import Networks
from poreconv.reads.distinct import JobLedger
from poreconv.reads.read import Read
from poreconv.runtime.executors import cores, run_all, without_opening
from poreconv.runtime.files import whole_file
from poreconv.runtime.jobs import JobFolder
from poreconv.runtime.ledger import Ledger
from poreconv.runtime.outputs import writes_out
from poreconv.runtime.progress import progress_bar
from poreconv.runtime.records import from_json, to_json

PROGRESS_EVERY_S = 0.5
"""Seconds between two writes of a process's progress file."""

STOP = "stop"
"""Name of the file that ends all processes."""


@dataclass
class Streamed:
    """What `stream` measured."""

    config: FlowCellConfig
    total: Measured
    """Measurements of all processes together."""
    sample_rate_hz: float
    lookahead_s: float
    """Half the receptive field, in seconds of signal."""
    n_workers: int
    ledger: Ledger

    @property
    def channels_held(self) -> int:
        """Channels that this machine labels as fast as they are sequenced."""
        return int(self.total.samples_per_busy_s / self.sample_rate_hz)

    @property
    def samples_per_s(self) -> float:
        """Samples labelled per second, waiting for more of them included."""
        return self.total.n_samples / self.total.wall_s if self.total.wall_s else 0.0


@dataclass(frozen=True)
class Share:
    """One process's share of the channels."""

    number: int
    n_workers: int
    folder: Path
    """Folder of the progress files and of `STOP`."""
    out: Path | None
    """File that the process writes its events to; None: events are not written."""

    @property
    def progress_file(self) -> Path:
        """File with the process's measurements so far, a `ShareResult`."""
        return self.folder / f"{self.number}.json"


@dataclass(frozen=True)
class ShareResult:
    """Measurements of one process so far."""

    measured: Measured
    sample_rate_hz: float
    lookahead_s: float
    """Half the receptive field, in seconds of signal."""


@writes_out
def stream(
    model: Path | str,
    paths: Path | str | Sequence[Path | str],
    *,
    out: Path | str | None = None,
    config: FlowCellConfig | None = None,
    networks: Networks = None,
    overwrite: bool = False,
) -> Streamed:
    """Play reads as a live flow cell, and label them while they arrive.

    Ctrl-C ends it; the result is what was measured until then.

    Args:
        model: The bundle that `train` wrote, or the name of a shipped model.
        paths: Signal files and folders: one, or several. Reads are played again if there are too few.
        out: Table of the events of each read that was played to its end, each read once; the suffix names the format,
            see `convert`. The drop ledger is written to ``<out>.ledger.json``. Default: events are not written.
        config: Channels, speed, hop and so on.
        networks: The network of a bundle that was trained with the user's own; see `load`.
        overwrite: Replace ``out`` if it exists.

    Returns:
        The measurements.

    Raises:
        ConfigError: The model needs whole reads, ``out`` exists, or its suffix names no format.
        MismatchError: No read is of a kind that the model was trained for; some are dropped.
    """
    config = config or FlowCellConfig()
    trained = TrainedModel.find(model, config.inference, networks, config.fit).settled()
    kind = trained.recipe.asked.table()
    if out is not None:
        check_out(Path(out), kind, overwrite=overwrite)
    n_workers = min(for_model(WorkConfig(config.workers), trained).workers or cores(), config.channels)
    with TemporaryDirectory() as folder:
        work = partial(_play, trained, paths, config, kind)
        if out is None:
            shares = [Share(number, n_workers, Path(folder), None) for number in range(n_workers)]
            return _run(work, shares, config)
        with JobFolder(Path(out), {"started": time.time()}) as jobs, _never_resumed(jobs):
            files = [jobs.path(number, ".parquet") for number in range(n_workers)]
            shares = [Share(number, n_workers, Path(folder), file) for number, file in enumerate(files)]
            streamed = _run(work, shares, config)
            join_files(jobs, files, Path(out), kind, trained.settings)
            return streamed


@contextmanager
def _never_resumed(jobs: JobFolder) -> Iterator[None]:
    """Remove all results if the command ends early."""
    try:
        yield
    except BaseException:
        jobs.remove()
        raise


def _read_result(share: Share) -> ShareResult:
    return from_json(share.progress_file.read_bytes(), ShareResult)


def _run(work: Callable[[Share], None], shares: list[Share], config: FlowCellConfig) -> Streamed:
    folder = shares[0].folder
    with _interrupt_touches(folder / STOP), _progress(shares, config):
        deque(run_all(partial(without_opening, work), shares, WorkConfig(len(shares))), maxlen=0)
    results = [_read_result(share) for share in shares]
    total = Measured()
    for result in results:
        total.merge(result.measured)
    ledger = Ledger(kept=total.reads)
    ledger.merge(total.ledger)
    return Streamed(config, total, results[0].sample_rate_hz, results[0].lookahead_s, len(shares), ledger)


@contextmanager
def _interrupt_touches(stop: Path) -> Iterator[None]:
    """Let Ctrl-C create the file that ends the processes, so that their measurements are kept."""
    before = signal.signal(signal.SIGINT, lambda *_: stop.touch())
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


@contextmanager
def _progress(shares: list[Share], config: FlowCellConfig) -> Iterator[None]:
    """Show how far the slowest process is, while they run."""
    done = threading.Event()

    def watch(progress: Callable[[float], None]) -> None:
        while not done.wait(PROGRESS_EVERY_S):
            results = [_read_result(share) for share in shares if share.progress_file.exists()]
            progress(min((result.measured.played_s / config.seconds for result in results), default=0.0))

    with progress_bar("stream") as progress:
        watcher = threading.Thread(target=watch, args=(progress,))
        watcher.start()
        try:
            yield
        finally:
            done.set()
            watcher.join()


def _play(
    model: TrainedModel,
    paths: Path | str | Sequence[Path | str],
    config: FlowCellConfig,
    kind: TableKind,
    share: Share,
) -> None:
    """Play one process's channels, and write its progress file from time to time."""
    if multiprocessing.parent_process() is not None:
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # the first process creates `STOP`
    measured = Measured()
    loading = measured.ledger if share.number == 0 else Ledger()  # all processes read the same files
    reads = [stated(read, model.fit) for read in reads_for(paths, config, loading, model.check)]
    labeller = load(model.model, model.running, threads=1, networks=model.networks, fit=model.fit)
    _warm_up(StreamingLabeller(labeller, config.stream, Ledger()), reads[0])
    streaming = StreamingLabeller(labeller, config.stream, measured.ledger)
    progress_file = _ProgressFile(share, measured, streaming.chunking.margin, reads[0].sample_rate_hz)
    channels = range(share.number, config.channels, share.n_workers)
    played = FlowCell(streaming, reads, channels, config, measured, progress_file.stopped).play()
    if share.out is None:
        deque(played, maxlen=0)
    else:
        write_rows(share.out, played, JobLedger(analysis=measured.ledger), kind)
    progress_file.write()


class _ProgressFile:
    """Writes a process's progress file from time to time, and checks whether the process is to stop."""

    def __init__(self, share: Share, measured: Measured, lookahead: int, rate_hz: float) -> None:
        self._share = share
        self._result = ShareResult(measured, rate_hz, lookahead / rate_hz)
        self._written_at = time.perf_counter()

    def stopped(self) -> bool:
        if time.perf_counter() - self._written_at > PROGRESS_EVERY_S:
            self.write()
        return (self._share.folder / STOP).exists()

    def write(self) -> None:
        self._written_at = time.perf_counter()
        with whole_file(self._share.progress_file) as partial:
            partial.write_text(to_json(self._result), encoding="utf-8")


def _warm_up(streaming: StreamingLabeller, read: Read) -> None:
    """Label some samples, so that nothing is compiled or loaded while time is measured."""
    streaming.start(read)
    streaming.push(read.counts[: 10 * streaming.chunking.hop])
    streaming.finish()


def render(streamed: Streamed) -> Table:
    """Return the table for the terminal.

    Args:
        streamed: What `stream` returned.
    """
    config, total = streamed.config, streamed.total
    table = Table(
        title=f"{config.channels:,} channels at {streamed.sample_rate_hz:g} Hz, speed {config.speed},"
        f" {total.played_s:.1f} s of signal each, {streamed.n_workers} processes",
        show_header=False,
    )
    for name, value in _rows(streamed):
        table.add_row(name, value)
    return table


def _rows(streamed: Streamed) -> Iterator[tuple[str, str]]:
    total, lookahead_s = streamed.total, streamed.lookahead_s
    yield "samples per second", f"{streamed.samples_per_s:,.0f}"
    yield "samples per busy second", f"{total.samples_per_busy_s:,.0f}"
    yield "channels that this machine holds", f"{streamed.channels_held:,}"
    quantiles = [total.latency_s(share) for share in (0.5, 0.95, 0.99)]
    yield "latency, s of signal: median, p95, p99", ", ".join(f"{latency_s:.3f}" for latency_s in quantiles)
    beyond = ", ".join(f"{max(latency_s - lookahead_s, 0):.3f}" for latency_s in quantiles)
    yield f"beyond the lookahead of {lookahead_s:.3f} s", beyond
    if streamed.config.speed != "max":
        yield "behind at the end, s of signal", f"{total.behind_s:.3f}"
    yield "reads labelled to their end", f"{total.reads:,}"
