import pickle
from dataclasses import replace
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings, strategies as st

from poreconv.config import StreamConfig
from poreconv.errors import ConfigError, MismatchError, SignalError
from poreconv.events.events import Events, joined
from poreconv.events.matching import match_count
from poreconv.inference.backends.pytorch import TorchBackend
from poreconv.inference.labeller import Labeller, load
from poreconv.inference.streaming.labeller import StreamingLabeller
from poreconv.reads.read import Read
from poreconv.reads.readers import open_reads
from poreconv.reads.scaling import read_scale
from poreconv.runtime.ledger import Ledger
from tests.inference.test_labeller import BOUNDED, FP32, noisy_steps
from tests.inference.test_online import METHODS, assert_same
from tests.support.models import labeller_of, random_network, recipe_for

SHORT = StreamConfig(hop_samples=100, warmup_samples=200)


def streamed(
    streaming: StreamingLabeller, read: Read, step: int, scale_pa: tuple[float, float] | None = None
) -> Events:
    """Push a read in steps of so many samples."""
    streaming.start(read, scale_pa=scale_pa)
    parts = [streaming.push(read.adc[i : i + step]) for i in range(0, len(read.adc), step)]
    return joined([*parts, streaming.finish()])


@pytest.mark.parametrize("step", [7, 450, 5000])
@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("name", BOUNDED)
def test_with_the_whole_reads_scale_the_events_are_the_whole_reads(name: str, method: str, step: int) -> None:
    """With each architecture, up to the last digit: nothing is lost at seams, at the start or at the end."""
    labeller, read = labeller_of(name, decoding=METHODS[method]), noisy_steps(1501)
    found = streamed(StreamingLabeller(labeller, SHORT), read, step, read_scale(read))

    assert len(found) > 5
    assert_same(found, labeller(read))


@settings(deadline=None, max_examples=25)  # time is no matter of correctness
@given(st.lists(st.integers(0, 900), max_size=6))
def test_how_the_samples_come_does_not_matter(cuts: list[int]) -> None:
    """With the running scale too, any pieces give the same events."""
    labeller, read = labeller_of("strided"), noisy_steps(900)
    streaming = StreamingLabeller(labeller, SHORT)
    streaming.start(read)
    found = joined([*map(streaming.push, np.split(read.adc, sorted(cuts))), streaming.finish()])

    assert_same(found, streamed(StreamingLabeller(labeller, SHORT), read, 37))


def test_a_buffer_may_be_filled_again() -> None:
    """What was pushed is remembered, whatever becomes of the array that it came in."""
    labeller, read, buffer = labeller_of("tcn"), noisy_steps(1000), np.empty(50, np.int16)
    streaming, parts = StreamingLabeller(labeller, SHORT), []
    streaming.start(read)
    for i in range(0, 1000, 50):
        buffer[:] = read.adc[i : i + 50]
        parts.append(streaming.push(buffer))

    assert_same(joined([*parts, streaming.finish()]), streamed(StreamingLabeller(labeller, SHORT), read, 50))


def test_many_channels_are_as_one() -> None:
    """Each channel's events are those that it would have alone, whatever the others do, and whenever they begin."""
    labeller, reads = labeller_of("tcn"), [noisy_steps(600 + 150 * seed, seed) for seed in range(5)]
    streaming = StreamingLabeller(labeller, SHORT)
    parts: dict[int, list[Events]] = {channel: [] for channel in range(5)}
    for number in range(0, 1800, 50):
        begun = {
            channel: number - 80 * channel for channel in parts if 0 <= number - 80 * channel < len(reads[channel].adc)
        }
        for channel in [channel for channel, first in begun.items() if first < 50]:
            streaming.start(reads[channel], channel)
        now = {channel: reads[channel].adc[first // 50 * 50 :][:50] for channel, first in begun.items()}
        ended = [channel for channel, first in begun.items() if first // 50 * 50 + 50 >= len(reads[channel].adc)]
        for channel, events in streaming.push_all(now, ended).items():
            parts[channel].append(events)

    for channel, read in enumerate(reads):
        assert_same(joined(parts[channel]), streamed(StreamingLabeller(labeller, SHORT), read, 1000))


@pytest.mark.parametrize("warmup", [1, 700, 5000])
def test_a_short_reads_scale_is_its_own(warmup: int) -> None:
    """A read that ends within the warm-up is labelled as a whole one; of a longer one, the start is not."""
    labeller, read = labeller_of("tcn"), noisy_steps(1000)
    found = streamed(StreamingLabeller(labeller, replace(SHORT, warmup_samples=warmup)), read, 100)

    assert np.array_equal(found.score, labeller(read).score) == (warmup > 1000)


def test_memory_does_not_grow_with_the_read() -> None:
    """What is remembered of a channel is as large after 60,000 samples as after 3,000."""
    labeller = labeller_of("strided", decoding=METHODS["segmental"])
    streaming, read = StreamingLabeller(labeller, SHORT), noisy_steps(60_000)
    streaming.start(read)
    sizes = []
    for i in range(0, 60_000, 500):
        streaming.push(read.adc[i : i + 500])
        sizes.append(len(pickle.dumps(streaming._open[0].decoder)) + streaming._open[0].signal.nbytes)

    assert max(sizes[6:]) < 1.1 * max(sizes[:6])


@pytest.mark.parametrize("name", BOUNDED)
def test_latency_is_bounded_by_hop_and_lookahead(name: str) -> None:
    """A label waits for the rest of its hop, half the receptive field, and the sample after a peak."""
    labeller, read = labeller_of(name), noisy_steps(1500)
    streaming = StreamingLabeller(labeller, replace(SHORT, warmup_samples=1))
    streaming.start(read)
    waits = []
    for n, sample in enumerate(read.adc[:, None], start=1):
        streaming.push(sample)
        waits.append(n - streaming.certain())

    size = labeller.backend.size
    half = (size.receptive_field or 0) // 2

    assert max(waits) == streaming.chunking.hop + size.margin
    assert half <= size.margin < half + size.alignment


def test_the_hop_suits_the_chunks() -> None:
    """Of any hop, context included, come chunks whose length the architecture and the arithmetic like."""
    for hop in (1, 63, 100, 1000):
        cut = StreamingLabeller(labeller_of("unet"), StreamConfig(hop_samples=hop)).chunking

        assert cut.chunk_samples % 64 == 0
        assert 0 < cut.hop <= max(hop, 64)


def test_unusable_reads_are_dropped_by_name() -> None:
    """A flat read and an empty one go into the ledger; the channel takes its next read, others go on."""
    flat, empty, good = replace(noisy_steps(900), adc=np.full(900, 7, np.int16)), noisy_steps(0), noisy_steps(900)
    ledger = Ledger()
    streaming = StreamingLabeller(labeller_of("tcn"), SHORT, ledger)
    for channel, read in enumerate((flat, empty, good)):
        streaming.start(read, channel)
    found = streaming.push_all({0: flat.adc, 1: empty.adc, 2: good.adc}, ended=[0, 1, 2])
    streaming.start(good, channel=0)

    assert [len(found[channel].coverage) for channel in range(3)] == [0, 0, 1]
    assert [drop.reason for drop in ledger.named] == ["flat", "empty"]


def test_an_unusable_read_raises_without_a_ledger() -> None:
    """The error names the read."""
    streaming = StreamingLabeller(labeller_of("tcn"), SHORT)
    streaming.start(noisy_steps(9))

    with pytest.raises(SignalError, match="read read-9-0: no samples"):
        streaming.finish()


def test_misuse_is_refused() -> None:
    """Samples of a read that has not begun, a read begun before the last one ended, samples that are not counts."""
    streaming, read = StreamingLabeller(labeller_of("tcn"), SHORT), noisy_steps(9)
    with pytest.raises(ConfigError, match="channel 3: no read has begun"):
        streaming.push(read.adc, channel=3)
    streaming.start(read)
    with pytest.raises(ConfigError, match="read read-9-0 has not ended"):
        streaming.start(read)

    with pytest.raises(ConfigError, match="1-D float64; push int16 counts"):
        streaming.push(np.zeros(4))  # type: ignore[arg-type]  # that is the point


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"sample_rate_hz": 5000.0}, "5000 Hz; the model resamples whole reads to 4000 Hz"),
        ({"pore": "FLO-MIN114"}, "use dna_r10.4.1_boundary, which comes with poreconv"),
    ],
)
def test_reads_of_another_kind_are_refused(fields: dict[str, Any], message: str) -> None:
    """As of whole reads; and those that would have to be resampled."""
    streaming = StreamingLabeller(labeller_of("tcn", resampled_from_hz=(5000.0,)))

    with pytest.raises(MismatchError, match=message):
        streaming.start(noisy_steps(9, **fields))


def test_models_that_need_whole_reads_are_refused() -> None:
    """No bounded receptive field, or one label per read."""
    with pytest.raises(ConfigError, match="crnn has no bounded receptive field"):
        StreamingLabeller(labeller_of("crnn"))

    with pytest.raises(ConfigError, match="gives a whole read one class"):
        StreamingLabeller(labeller_of("tcn", task="read"))


@pytest.mark.real
@pytest.mark.parametrize("number", range(3))
def test_the_running_scale_costs_little_on_real_reads(real_data: Path, number: int) -> None:
    """After the warm-up F1 within one sample of the whole read's events is 0.98 or more; with their scale it is 1."""
    labeller, files = load("dna_r9.4.1_boundary"), sorted((real_data / "dna_r941_lambda_tombo").rglob("*.fast5"))
    with open_reads(files) as reads:
        read = [read for read in islice(reads, 20) if 20_000 < len(read.adc) < 80_000][number]
    whole, running = labeller(read).start, streamed(StreamingLabeller(labeller), read, 400).start
    whole, running = (start[start >= StreamConfig().warmup_samples] for start in (whole, running))
    f1 = 2 * match_count(whole, running, 1) / (len(whole) + len(running))

    assert f1 > 0.98
    assert_same(streamed(StreamingLabeller(labeller), read, 400, read_scale(read)), labeller(read))


def test_scores_that_are_not_finite_are_a_named_drop_as_for_whole_reads() -> None:
    """Of its channel, the read has no events; the other channels go on."""
    network, reads, ledger = random_network("tcn"), [noisy_steps(900), noisy_steps(901)], Ledger()
    with torch.no_grad():
        network.head.weight.fill_(3e38)
    labeller = Labeller(TorchBackend(network, "32", "cpu"), recipe_for("tcn"), FP32)
    streaming = StreamingLabeller(labeller, SHORT, ledger)
    for channel, read in enumerate(reads):
        streaming.start(read, channel)
    pushed = streaming.push_all({channel: read.adc for channel, read in enumerate(reads)})
    ended = [streaming.finish(channel) for channel in pushed]

    assert [len(events) for events in (*pushed.values(), *ended)] == [0, 0, 0, 0]
    assert dict(ledger.counts) == {"not_finite": 2}
    with pytest.raises(SignalError, match="not finite"):
        streamed(StreamingLabeller(labeller, SHORT), reads[0], 900)
