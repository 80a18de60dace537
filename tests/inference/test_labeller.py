import subprocess
import sys
from dataclasses import replace
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from poreconv.commands.label import label
from poreconv.config import DecodeConfig, InferenceConfig, LabelConfig
from poreconv.errors import ConfigError, MismatchError, SignalError, UntriedWarning
from poreconv.inference.backends.pytorch import TorchBackend
from poreconv.inference.decoding.temperature import softmax
from poreconv.inference.labeller import Labeller, load
from poreconv.models.architectures import ARCHITECTURES, Dense
from poreconv.models.networks.network import Network
from poreconv.reads.read import Read
from poreconv.reads.scaling import normalise_read
from poreconv.runtime.ledger import Ledger
from tests.support.models import FP32, TINY, bundle_at, labeller_of, random_network, recipe_for
from tests.support.signal_files import reads_made, write_multi

BOUNDED = [name for name in ARCHITECTURES if random_network(name).receptive_field is not None]

WAYS = {
    "batch_1": InferenceConfig(precision="32", batch_size=1, chunk_samples=2000),
    "batch_16": InferenceConfig(precision="32", batch_size=16, chunk_samples=2000),
    "batch_3": InferenceConfig(precision="32", batch_size=3, chunk_samples=777),
    "chunk_20000": InferenceConfig(precision="32", batch_size=1, chunk_samples=20_000),
}
"""Ways to run a model that must not matter."""


def noisy_steps(n_samples: int, seed: int = 0, **fields: Any) -> Read:
    """A read of any length."""
    rng = np.random.default_rng(seed)
    adc = rng.normal(500, 80, n_samples // 9 + 1).repeat(9)[:n_samples] + rng.normal(0, 8, n_samples)
    [template] = reads_made(1, seed)
    return replace(template, adc=adc.astype(np.int16), read_id=f"read-{n_samples}-{seed}", **fields)


def in_one_piece(network: Network, read: Read) -> NDArray[np.float32]:
    """The reference: the normalised read, zero-padded by the network's margin, through the network in one piece."""
    x_n = np.pad(normalise_read(read, clip=5.0), network.size.margin)
    with torch.inference_mode():
        logits_CT = network(torch.from_numpy(x_n)[None, None])[0].numpy()
    return softmax(logits_CT[:, network.size.margin : network.size.margin + len(read.adc)])


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("name", BOUNDED)
def test_labelling_is_seam_free(name: str, way: str) -> None:
    """Chunk length, batch size and the reads that share a batch don't change the probabilities."""
    reads = [noisy_steps(n, seed) for seed, n in enumerate((5000, 3, 1999, 2000, 2001, 64))]
    network = random_network(name)
    found = {
        read.read_id: probabilities_CT
        for read, probabilities_CT in labeller_of(name, WAYS[way]).with_probabilities(reads)
    }

    assert list(found) == [read.read_id for read in reads]
    for read in reads:
        np.testing.assert_allclose(found[read.read_id], in_one_piece(network, read), atol=1e-5, rtol=0)


@pytest.mark.parametrize("precision", ["32", "bf16"])
@pytest.mark.parametrize("name", ["unet", "strided", "resnet"])
def test_probabilities_are_the_same_bit_for_bit(name: str, precision: Any) -> None:
    """Batch size and chunk length change nothing at all, for such networks as are shipped, on one thread."""
    reads = [noisy_steps(n, seed) for seed, n in enumerate((4567, 900))]
    settings = ARCHITECTURES[name].settings()
    ways = [replace(WAYS[way], precision=precision) for way in ("batch_1", "batch_16", "chunk_20000")]
    found = [list(labeller_of(name, way, settings).with_probabilities(reads)) for way in ways]

    for one, *others in zip(*found, strict=True):
        assert all(np.array_equal(one[1], other[1]) for other in others)


@pytest.mark.parametrize("name", BOUNDED)
def test_tables_are_the_same_byte_for_byte(name: str, tmp_path: Path) -> None:
    """The events table depends neither on batch size nor on chunk length."""
    write_multi(tmp_path / "reads.fast5", [noisy_steps(n, seed) for seed, n in enumerate((12_123, 900, 5000))])
    model = bundle_at(tmp_path / "model.safetensors", name, decoding=DecodeConfig(0.1))
    for number, (batch_size, chunk_samples) in enumerate(product((1, 16), (2000, 20_000))):
        config = LabelConfig(
            inference=InferenceConfig(precision="32", batch_size=batch_size, chunk_samples=chunk_samples)
        )
        label(model, tmp_path / "reads.fast5", out=tmp_path / f"{number}.tsv", config=config)
    tables = [(tmp_path / f"{number}.tsv").read_bytes() for number in range(4)]

    assert len(tables[0].splitlines()) > 100
    assert [table == tables[0] for table in tables] == [True] * 4


@pytest.mark.parametrize("name", ARCHITECTURES)
def test_a_read_of_any_length_is_labelled(name: str) -> None:
    """A read of two samples, or of less than one chunk, has a probability for each class at each sample."""
    for n_samples in (2, 17, 400):
        read = noisy_steps(n_samples)
        probabilities_CT = labeller_of(name).probabilities(read)

        assert probabilities_CT.shape == (2, n_samples)
        np.testing.assert_allclose(probabilities_CT.sum(0), 1, atol=1e-6)


@pytest.mark.parametrize(
    ("name", "settings"),
    [("dense", Dense(window=401, hidden=4)), ("crnn", TINY["crnn"])],  # no chunk would suit both 401 and 64
)
def test_models_without_a_receptive_field_label_whole_reads(name: str, settings: Any) -> None:
    """A dense network, whose windows follow from the first sample, and one with a memory take a read in one piece."""
    read = noisy_steps(1900)
    found = labeller_of(name, InferenceConfig(precision="32", chunk_samples=64), settings).probabilities(read)

    np.testing.assert_allclose(found, in_one_piece(random_network(name, settings=settings), read), atol=1e-6)


def test_unusable_reads_are_dropped_by_name() -> None:
    """With a ledger, flat reads and empty ones are counted, and the others are labelled."""
    empty = replace(noisy_steps(9), adc=np.zeros(0, np.int16), read_id="empty")
    one = replace(noisy_steps(9), adc=np.full(1, 500, np.int16), read_id="one sample")
    flat = replace(noisy_steps(9), adc=np.full(50, 500, np.int16), read_id="flat")
    good = noisy_steps(100)
    ledger = Ledger()
    labelled = [read.read_id for read, _ in labeller_of("tcn").label([empty, one, flat, good], ledger)]

    assert labelled == [good.read_id]
    assert {drop.read_id: drop.reason for drop in ledger.named} == {
        "empty": "empty",
        "one sample": "flat",
        "flat": "flat",
    }


def test_an_unusable_read_raises_without_a_ledger() -> None:
    """Called on one flat read, a labeller raises an error that names the problem."""
    flat = noisy_steps(50)
    flat.adc[:] = 7

    with pytest.raises(SignalError, match="nine tenths of 50 samples"):
        labeller_of("tcn")(flat)


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"sample_rate_hz": 5000.0}, "5000 Hz, and the model was trained on 4000 Hz"),
        ({"kit": "SQK-RNA002"}, "rna002, and the model was trained on dna_r9.4.1"),
        ({"pore": "FLO-MIN114"}, "use dna_r10.4.1_boundary, which comes with poreconv"),
    ],
)
def test_reads_of_another_kind_are_refused(fields: dict[str, Any], message: str) -> None:
    """Another sample rate, molecule or pore family needs another model."""
    with pytest.raises(MismatchError, match=message):
        labeller_of("tcn")(noisy_steps(100, **fields))


def test_a_rate_of_little_difference_is_labelled() -> None:
    """A sample rate within 2 % is no mismatch."""
    assert labeller_of("tcn")(noisy_steps(100, sample_rate_hz=4050.0)).coverage.tolist() == [[0, 100]]


@pytest.mark.parametrize(
    ("fields", "chemistry"),
    [({"pore": "", "kit": "", "experiment": ""}, "unknown"), ({"pore": "FLO-MIN107"}, "dna_r9.5")],
)
def test_an_untried_chemistry_warns_once(fields: dict[str, Any], chemistry: str) -> None:
    """Reads of unknown chemistry, or of another pore version, are labelled, and the first of them warns."""
    labeller = labeller_of("tcn")
    with pytest.warns(UntriedWarning, match=f"chemistry {chemistry}, and the model was trained on dna_r9.4.1"):
        labeller(noisy_steps(100, **fields))

    assert labeller(noisy_steps(100, **fields)).coverage.tolist() == [[0, 100]]


def test_a_chunk_must_hold_more_than_its_context() -> None:
    """A chunk length that the model's context fills is refused, with the least that will do."""
    settings = replace(TINY["tcn"], dilations=(32, 64))

    with pytest.raises(ConfigError, match="this model needs 388 samples of context alone, raise it over 452"):
        labeller_of("tcn", InferenceConfig(chunk_samples=300), settings)


def test_bf16_is_close() -> None:
    """bf16 computes nearly the same probabilities."""
    read = noisy_steps(3000)
    fine = labeller_of("tcn").probabilities(read)
    coarse = labeller_of("tcn", InferenceConfig(precision="bf16")).probabilities(read)

    assert 0 < np.abs(fine - coarse).mean() < 0.02


def test_an_array_is_labelled_like_the_read() -> None:
    """Its counts, and its current in pA, have the events of the read; of an array nothing but the rate is known."""
    read, labeller = noisy_steps(3000), labeller_of("tcn")
    expected, expected_CT = labeller(read), labeller.probabilities(read)
    with pytest.warns(UntriedWarning, match="reads of chemistry unknown"):
        of_counts = labeller(read.adc, sample_rate_hz=4000)

    assert np.array_equal(of_counts.start, expected.start)
    assert np.array_equal(labeller(read.pa, 4000).start, expected.start)
    assert expected_CT.shape == (2, 3000)
    np.testing.assert_allclose(labeller.probabilities(read.pa, 4000), expected_CT, atol=1e-4)


def test_an_array_needs_a_rate_and_a_read_has_one() -> None:
    """Both messages name the argument; a rate that the model was not trained for is refused as in files."""
    read, labeller = noisy_steps(300), labeller_of("tcn")
    with pytest.raises(ConfigError, match=r"no sample rate; give it, such as labeller\(array, sample_rate_hz=4000\)$"):
        labeller(read.adc)
    with pytest.raises(ConfigError, match="has a sample rate of its own; leave sample_rate_hz out"):
        labeller.probabilities(read, 4000)
    with pytest.raises(MismatchError, match="5000 Hz"):
        labeller(read.adc, sample_rate_hz=5000)


def test_a_saved_model_labels_like_the_network(tmp_path: Path) -> None:
    """What `load` reads back gives the same events as the network that was saved."""
    read = noisy_steps(3000)
    here, loaded = labeller_of("tcn")(read), load(bundle_at(tmp_path / "model.safetensors"), FP32, "cpu")(read)

    assert np.array_equal(here.start, loaded.start)
    assert np.array_equal(here.score, loaded.score)


def test_labelling_starts_without_the_training_libraries() -> None:
    """Importing the labeller loads neither lightning nor torchmetrics, nor torch: an exported model needs none."""
    look = (
        "import sys, poreconv.inference.labeller;"
        " print({'lightning', 'torchmetrics'} & set(sys.modules), 'torch' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", look], capture_output=True, text=True, check=True)

    assert done.stdout.strip() == "set() False"


def test_scores_that_are_not_finite_are_a_named_drop() -> None:
    """Weights can be finite, and their sums too large for the arithmetic."""
    network, reads, ledger = random_network("tcn"), reads_made(2), Ledger()
    with torch.no_grad():
        network.head.weight.fill_(3e38)
    labeller = Labeller(TorchBackend(network, "32", "cpu"), recipe_for("tcn"), FP32)

    assert list(labeller.label(reads, ledger)) == []
    assert dict(ledger.counts) == {"not_finite": 2}
    with pytest.raises(SignalError, match="not finite"):
        labeller(reads[0])
