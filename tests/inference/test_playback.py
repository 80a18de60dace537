import os
import signal
import threading
from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow.csv as pc
import pytest

from poreconv.cli.main import main
from poreconv.commands.stream import render, stream
from poreconv.config import DecodeConfig, FlowCellConfig, StreamConfig
from poreconv.errors import ConfigError, FormatError
from poreconv.events.events import Events
from poreconv.inference.streaming.labeller import StreamingLabeller
from poreconv.inference.streaming.latency import Measured
from poreconv.inference.streaming.playback import FlowCell, reads_for
from poreconv.runtime.ledger import Ledger
from poreconv.runtime.records import from_json, to_json
from tests.inference.test_labeller import noisy_steps
from tests.inference.test_online import assert_same
from tests.inference.test_streaming import streamed
from tests.support.models import bundle_at, labeller_of
from tests.support.signal_files import reads_made, write_multi

FAST = FlowCellConfig(
    channels=3, seconds=1.0, speed="max", workers=1, stream=StreamConfig(hop_samples=100, warmup_samples=200)
)


def played(
    config: FlowCellConfig, lengths: list[int], **more: Callable[[], bool]
) -> tuple[Measured, dict[str, Events]]:
    """Play reads of these lengths on all channels; a read twice fails."""
    labeller, measured, found = labeller_of("strided"), Measured(), {}
    streaming = StreamingLabeller(labeller, config.stream, measured.ledger)
    reads = [noisy_steps(n, seed) for seed, n in enumerate(lengths)]
    for read, events in FlowCell(streaming, reads, range(config.channels), config, measured, **more).play():
        assert read.read_id not in found
        assert_same(events, streamed(StreamingLabeller(labeller, config.stream), read, 1000))
        found[read.read_id] = events
    return measured, found


def test_each_read_that_ends_is_given_once() -> None:
    """Channels take turns at the reads; when these are used up they are played again, but not given again."""
    measured, found = played(FAST, [500, 900, 1300, 700, 30_000])

    assert sorted(found) == ["read-1300-2", "read-500-0", "read-700-3", "read-900-1"]
    assert measured.reads > 4
    assert 3 * 4000 - 3 * 100 < measured.n_samples <= 3 * 4000


def test_a_label_comes_after_hop_lookahead_and_push() -> None:
    """As fast as possible, no label is later than the signal that it waits for."""
    measured, _ = played(replace(FAST, stream=replace(FAST.stream, warmup_samples=1)), [40_000])
    cut = StreamingLabeller(labeller_of("strided"), FAST.stream).chunking
    wait_s = (cut.hop + cut.margin) / 4000 + 0.1

    assert 0 < measured.latency_s(0.5) <= measured.latency_s(1.0) <= wait_s + 0.001


def test_real_time_waits_for_the_samples() -> None:
    """At twice the speed half a second of signal takes a quarter of a second."""
    measured, _ = played(replace(FAST, speed=2.0, seconds=0.5), [40_000])

    assert measured.wall_s >= 0.25
    assert measured.samples_per_busy_s > measured.n_samples / measured.wall_s


def test_it_ends_when_asked_to() -> None:
    """What was measured by then stays."""
    asked: list[bool] = []
    measured, _ = played(FAST, [40_000], stopped=lambda: asked.append(True) or len(asked) > 4)

    assert measured.played_s == pytest.approx(0.4)


def test_flat_reads_are_dropped_and_the_channel_goes_on() -> None:
    """They are counted each time that they are played."""
    flat, good = noisy_steps(500, 1), noisy_steps(500, 2)
    flat.adc[:] = 9
    measured = Measured()
    streaming = StreamingLabeller(labeller_of("strided"), FAST.stream, measured.ledger)
    cell = FlowCell(streaming, [flat, good], [1], FAST, measured)  # of three channels: reads 1, 4, 7, ..., in turn
    found = [read.read_id for read, _ in cell.play()]

    assert found == [good.read_id]
    assert measured.ledger.counts["flat"] == 4
    assert measured.reads == 4


def test_as_many_reads_are_kept_as_are_played(tmp_path: Path) -> None:
    """Empty ones are dropped by name; without any read there is nothing to play."""
    reads = reads_made(6)
    write_multi(tmp_path / "reads.fast5", reads)
    short = FlowCellConfig(channels=2, seconds=len(reads[0].adc) / 4000)
    kept = reads_for(tmp_path, short, Ledger())

    assert 2 <= len(kept) < 6
    assert [read.read_id for read in kept] == [read.read_id for read in reads[: len(kept)]]
    (tmp_path / "none").mkdir()
    with pytest.raises(FormatError, match="no signal file"):
        reads_for(tmp_path / "none", short, Ledger())


def test_latencies_are_counted_by_sample() -> None:
    """Of samples that are labelled together the first waited longest; quantiles are right to a millisecond."""
    measured = Measured()
    measured.add_wait(0.4, n_samples=800, rate_hz=4000)
    measured.add_wait(0.2, n_samples=200, rate_hz=4000)

    assert measured.latency_s(0.2) == pytest.approx(0.2, abs=0.002)
    assert measured.latency_s(0.6) == pytest.approx(0.3, abs=0.002)
    assert measured.latency_s(1.0) == pytest.approx(0.4, abs=0.002)
    assert Measured().latency_s(0.5) == 0


def test_what_was_measured_comes_back_from_another_process() -> None:
    """As JSON types, and adds up."""
    one = Measured(n_samples=1000, played_s=2.0, samples_per_busy_s=500.0, reads=3)
    one.add_wait(0.3, 1000, 4000)
    again = from_json(to_json(one), Measured)
    again.merge(one)

    assert (again.n_samples, again.played_s, again.samples_per_busy_s, again.reads) == (2000, 2.0, 1000.0, 6)
    np.testing.assert_array_equal(again.waits.n_samples, 2 * one.waits.n_samples)


@pytest.fixture
def model(tmp_path: Path) -> Path:
    """A bundle of a random network."""
    return bundle_at(tmp_path / "model.safetensors", "strided", decoding=DecodeConfig(0.1))


@pytest.mark.parametrize("workers", [1, 2])
def test_the_table_has_each_read_that_ended(workers: int, model: Path, tmp_path: Path) -> None:
    """One process or two play the same reads, and write each once."""
    reads = reads_made(7)
    write_multi(tmp_path / "reads.fast5", reads)
    config = replace(FAST, workers=workers)
    streamed_ = stream(model, tmp_path / "reads.fast5", out=tmp_path / "events.tsv", config=config)
    table = pc.read_csv(tmp_path / "events.tsv", parse_options=pc.ParseOptions(delimiter="\t"))

    assert set(table["read_id"].to_pylist()) == {read.read_id for read in reads}
    assert table.num_rows == len(set(zip(table["read_id"].to_pylist(), table["start"].to_pylist(), strict=True)))
    assert streamed_.ledger.kept == streamed_.total.reads >= 7
    assert streamed_.total.samples_per_busy_s > 0
    assert any("channels that this machine holds" in str(cell) for cell in render(streamed_).columns[0].cells)


def test_an_interrupt_ends_it_with_what_was_measured(model: Path, tmp_path: Path) -> None:
    """Ctrl-C is no error."""
    write_multi(tmp_path / "reads.fast5", reads_made(3))
    threading.Timer(1.5, os.kill, (os.getpid(), signal.SIGINT)).start()
    config = replace(FAST, speed="real", seconds=60.0)
    streamed_ = stream(model, tmp_path / "reads.fast5", config=config)

    assert streamed_.total.played_s < 30


def test_it_stops_before_it_begins(model: Path, tmp_path: Path) -> None:
    """An output that exists, or a model that needs whole reads."""
    (tmp_path / "events.tsv").touch()
    write_multi(tmp_path / "reads.fast5", reads_made(3))
    with pytest.raises(ConfigError, match="exists already"):
        stream(model, tmp_path / "reads.fast5", out=tmp_path / "events.tsv", config=FAST)

    with pytest.raises(ConfigError, match="use poreconv label"):
        stream(bundle_at(tmp_path / "crnn.safetensors", "crnn"), tmp_path / "reads.fast5", config=FAST)


@pytest.mark.parametrize(("speed", "code"), [("max", 0), ("20", 0), ("fast", 2), ("-1", 1)])
def test_the_command_prints_what_was_measured(
    speed: str, code: int, model: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A table on stdout and the ledger on stderr; a speed is a number, or one of two words."""
    write_multi(tmp_path / "reads.fast5", reads_made(3))
    options = ["--speed", speed, "--channels", "2", "--seconds", "1", "--workers", "1", "--precision", "32"]
    with pytest.raises(SystemExit) if code else nullcontext() as left:
        main(["stream", str(model), str(tmp_path / "reads.fast5"), *options])
    printed = capsys.readouterr()

    assert (left.value.code if left else 0) == code
    assert ("channels that this machine holds" in printed.out) == (code == 0)
    assert ("reads in " in printed.err) == (code == 0)
