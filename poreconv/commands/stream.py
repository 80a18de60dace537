"""A model and signal files -> how many channels of a live flow cell this machine labels, and how soon."""

import json
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
from poreconv.events.tabulation import check_out, finish, write_part
from poreconv.inference.labeller import load
from poreconv.inference.streaming.labeller import StreamingLabeller
from poreconv.inference.streaming.latency import Measured
from poreconv.inference.streaming.playback import FlowCell, reads_for
from poreconv.models.shipped import find_bundle
from poreconv.reads.read import Read
from poreconv.runtime.executors import as_is, cores, run_all
from poreconv.runtime.files import Parts, whole_file
from poreconv.runtime.ledger import Ledger
from poreconv.runtime.progress import progress_bar

TOLD_EVERY_S = 0.5
"""How often a process tells how far it is."""

STOP = "stop"
"""A file of this name ends all processes."""


@dataclass
class Streamed:
    """What `stream` measured."""

    config: FlowCellConfig
    total: Measured
    """Of all processes."""
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
    """What one process is to do."""

    number: int
    n_workers: int
    folder: Path
    """Where it tells what it measures, and where `STOP` is."""
    out: Path | None
    """The part that its events go into."""

    @property
    def told(self) -> Path:
        """What it measured so far."""
        return self.folder / f"{self.number}.json"


def stream(
    model: Path | str,
    paths: Path | str | Sequence[Path | str],
    *,
    out: Path | str | None = None,
    config: FlowCellConfig | None = None,
) -> Streamed:
    """Play reads as a live flow cell and label them while they come.

    Ctrl-C ends it; what was measured by then is the result.

    Args:
        model: The bundle that `train` wrote, or the name of a shipped model.
        paths: Signal files and folders: one, or several. Reads are played again if they are too few.
        out: Table of the events of each read that was played to its end, once; the suffix tells the format, see
            `convert`. The drop ledger goes to ``<out>.ledger.json``.
        config: Channels, speed, hop, ...

    Returns:
        What was measured.

    Raises:
        ConfigError: The model needs whole reads, ``out`` exists, or its suffix names no format.
        MismatchError: The model was not trained for such reads.
    """
    config = config or FlowCellConfig()
    if out is not None:
        check_out(Path(out))
    find_bundle(model)
    n_workers = min(config.workers or cores(), config.channels)
    with TemporaryDirectory() as folder:
        work = partial(_play, model, paths, config)
        if out is None:
            shares = [Share(number, n_workers, Path(folder), None) for number in range(n_workers)]
            return _run(work, shares, config)
        with Parts(Path(out), {"started": time.time()}) as parts:  # what a killed run left is of no use
            names = [parts.path(number, ".parquet") for number in range(n_workers)]
            shares = [Share(number, n_workers, Path(folder), name) for number, name in enumerate(names)]
            streamed = _run(work, shares, config)
            finish(parts, names, Path(out))
            return streamed


def _run(work: Callable[[Share], None], shares: list[Share], config: FlowCellConfig) -> Streamed:
    folder = shares[0].folder
    with _interrupt_touches(folder / STOP), _progress(shares, config):
        deque(run_all(partial(as_is, work), shares, WorkConfig(len(shares))), maxlen=0)
    told = [json.loads(share.told.read_text()) for share in shares]
    total = Measured()
    for one in told:
        total.merge(Measured.from_dict(one["measured"]))
    ledger = Ledger(kept=total.reads)
    ledger.merge(total.ledger)
    return Streamed(config, total, told[0]["sample_rate_hz"], told[0]["lookahead_s"], len(shares), ledger)


@contextmanager
def _interrupt_touches(stop: Path) -> Iterator[None]:
    """Let Ctrl-C end the processes in an orderly way, with what they measured."""
    before = signal.signal(signal.SIGINT, lambda *_: stop.touch())
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


@contextmanager
def _progress(shares: list[Share], config: FlowCellConfig) -> Iterator[None]:
    """Draw how far the slowest process is, while they run."""
    done = threading.Event()

    def watch(report: Callable[[float], None]) -> None:
        while not done.wait(TOLD_EVERY_S):
            told = [json.loads(share.told.read_text())["measured"] for share in shares if share.told.exists()]
            report(min((one["played_s"] / config.seconds for one in told), default=0.0))

    with progress_bar("stream") as report:
        watcher = threading.Thread(target=watch, args=(report,))
        watcher.start()
        try:
            yield
        finally:
            done.set()
            watcher.join()


def _play(
    model: Path | str,
    paths: Path | str | Sequence[Path | str],
    config: FlowCellConfig,
    share: Share,
) -> None:
    """Play one process's channels, and tell every now and then what was measured."""
    if multiprocessing.parent_process() is not None:
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # the first process tells when to stop
    measured = Measured()
    loading = measured.ledger if share.number == 0 else Ledger()  # all processes read the same files
    reads = reads_for(paths, config, loading)
    labeller = load(model, config.inference, threads=1)
    _warm_up(StreamingLabeller(labeller, config.stream, Ledger()), reads[0])
    streaming = StreamingLabeller(labeller, config.stream, measured.ledger)
    teller = _Teller(share, measured, streaming.chunking.margin, reads[0].sample_rate_hz)
    channels = range(share.number, config.channels, share.n_workers)
    played = FlowCell(streaming, reads, channels, config, measured, teller.stopped).play()
    if share.out is None:
        deque(played, maxlen=0)
    else:
        write_part(share.out, played, measured.ledger)
    teller.tell()


class _Teller:
    """Tells the first process every now and then what this one measured, and whether it wants an end."""

    def __init__(self, share: Share, measured: Measured, lookahead: int, rate_hz: float) -> None:
        self._share, self._measured = share, measured
        self._facts = {"sample_rate_hz": rate_hz, "lookahead_s": lookahead / rate_hz}
        self._told_at = time.perf_counter()

    def stopped(self) -> bool:
        if time.perf_counter() - self._told_at > TOLD_EVERY_S:
            self.tell()
        return (self._share.folder / STOP).exists()

    def tell(self) -> None:
        self._told_at = time.perf_counter()
        with whole_file(self._share.told) as partial:
            partial.write_text(json.dumps(self._facts | {"measured": self._measured.to_dict()}))


def _warm_up(streaming: StreamingLabeller, read: Read) -> None:
    """Label some samples, so that nothing is compiled or loaded once the clock runs."""
    streaming.start(read)
    streaming.push(read.adc[: 10 * streaming.chunking.hop])
    streaming.finish()


def render(streamed: Streamed) -> Table:
    """The table for the terminal."""
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
    yield "latency, s of signal: median, p95, p99", ", ".join(f"{one:.3f}" for one in quantiles)
    beyond = ", ".join(f"{max(one - lookahead_s, 0):.3f}" for one in quantiles)
    yield f"beyond the lookahead of {lookahead_s:.3f} s", beyond
    if streamed.config.speed != "max":
        yield "behind at the end, s of signal", f"{total.behind_s:.3f}"
    yield "reads labelled to their end", f"{total.reads:,}"
