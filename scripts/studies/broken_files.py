"""Good files of every format that poreconv reads, how each is read, and ways to damage a file."""

import hashlib
from array import array
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path

import numpy as np
import pysam
import pyslow5
from numpy.typing import ArrayLike
from ont_fast5_api.compression_settings import GZIP
from ont_fast5_api.fast5_file import Fast5File

from poreconv.config import SourceConfig
from poreconv.errors import ReadDropped
from poreconv.labels.opening import open_labels
from poreconv.models.architectures import Heartbeat
from poreconv.models.bundle import load_bundle, save_bundle
from poreconv.models.networks import build_network
from poreconv.models.networks.network import weights_of
from poreconv.models.recipe import Recipe
from poreconv.pore_models.model import random_pore_model
from poreconv.pore_models.tables import read_pore_model, write_pore_model
from poreconv.reads.read import Read
from poreconv.reads.readers import open_file, open_reads
from poreconv.reads.readers.writing import write_reads
from poreconv.runtime.ledger import Ledger
from scripts.studies.made_reads import made_reads

Found = dict[str, str]
"""What is in a file: name -> hash of its numbers."""

N_READS, N_SAMPLES, STRIDE = 4, 1200, 6


@dataclass(frozen=True)
class Form:
    """A format."""

    suffix: str
    write: Callable[[Path], None]
    read: Callable[[Path], Found]
    checked: bool = False
    """Whether a checksum covers the numbers and how they are coded, so that damage never changes them unnoticed."""


def reads() -> list[Read]:
    """Return the reads that are written."""
    return [replace(read, adc=read.adc[: N_SAMPLES + 100 * n]) for n, read in enumerate(islice(made_reads(N_READS), 9))]


def digest(*numbers: ArrayLike) -> str:
    """Return a hash of arrays or numbers."""
    return hashlib.sha1(b"".join(np.asarray(each).tobytes() for each in numbers), usedforsecurity=False).hexdigest()


def _signals(path: Path) -> Found:
    """Read a file of signals in order, and each read by its id."""
    found = {}
    with open_reads(path, ledger=Ledger()) as stream:
        for read in stream:
            found[read.read_id] = digest(read.adc)
    with open_file(path, Ledger()) as reader:
        for read_id in reader.read_ids:
            try:
                found[read_id] = digest(reader[read_id].adc)
            except ReadDropped:
                continue
    return found


def _write_signals(path: Path) -> None:
    write_reads(path, reads())


def _write_single(path: Path) -> None:
    read = reads()[0]
    with Fast5File(str(path), "w") as file:
        file.add_read(read.read_number, read.read_id, read.start_sample, len(read.adc), read.mux, 0.0)
        file.add_raw_data(read.adc, compression=GZIP)
        scale = {"offset": 10.0, "range": 1400.0, "digitisation": 8192.0, "sampling_rate": 4000.0}
        file.add_channel_info({"channel_number": np.bytes_("1"), **scale})
        file.set_tracking_id({"run_id": read.run_id})
        file.add_context_tags({"sequencing_kit": read.kit})


def _blow5(records: str, signal: str) -> Callable[[Path], None]:
    def write(path: Path) -> None:
        with closing(pyslow5.Open(str(path), "w", rec_press=records, sig_press=signal)) as file:
            file.write_header({"run_id": "a" * 40}, end_reason_labels=["unknown", "paused"])
            for read in reads():
                numbers = {"digitisation": 8192.0, "offset": 10.0, "range": 1400.0, "sampling_rate": 4000.0}
                record = {"read_id": read.read_id, "read_group": 0, **numbers}
                auxiliary = {"channel_number": "1", "read_number": read.read_number, "end_reason": 1}
                file.write_record(record | {"len_raw_signal": len(read.adc), "signal": read.adc}, auxiliary)

    return write


def _labels(source: str) -> Callable[[Path], Found]:
    def read(path: Path) -> Found:
        found = {}
        with closing(open_labels(source, [path], SourceConfig())) as labels:
            for each in reads():
                try:
                    events = labels.events(each)
                except ReadDropped:
                    continue
                if events is not None:
                    found[each.read_id] = digest(events.start, events.end, events.label)
        return found

    return read


def _write_alignments(path: Path) -> None:
    header = pysam.AlignmentHeader.from_dict({"HD": {"VN": "1.6"}})
    with pysam.AlignmentFile(str(path), "wb" if path.suffix == ".bam" else "w", header=header) as file:
        for read in reads():
            record, n_blocks = pysam.AlignedSegment(header), len(read.adc) // STRIDE - 2
            moves = [STRIDE, *([1, 0] * n_blocks)[:n_blocks]]
            record.query_name, record.flag = read.read_id, 4
            record.query_sequence = ("ACGGT" * n_blocks)[: sum(moves[1:])]
            record.set_tag("mv", array("b", moves))
            record.set_tag("ts", 7)
            file.write(record)


def _write_table(path: Path) -> None:
    rows = [
        f"{read.read_id}\t{start}\t{start + 50}\t{'ab'[start % 20 // 10]}" for read in reads() for start in (10, 400)
    ]
    path.write_text("\n".join(["read_id\tstart\tend\tlabel", *rows, ""]))


def _write_pore_model(path: Path) -> None:
    write_pore_model(path, random_pore_model(4, seed=0, mean_pa=90, sd_pa=14))


def _pore_model(path: Path) -> Found:
    model = read_pore_model(path)
    return {"levels": digest(model.level_mean, model.level_sd)}


def _write_bundle(path: Path) -> None:
    settings = Heartbeat(channels=4, layers=2)
    recipe = Recipe(
        task="boundary",
        classes=("inside", "boundary"),
        network="heartbeat",
        network_settings=vars(settings),
        sample_rate_hz=4000.0,
        chemistries=("dna_r9.4.1",),
        class_counts=(9, 1),
        mean_dwell=9.0,
    )
    save_bundle(path, build_network("heartbeat", settings, 2), recipe)


def _bundle(path: Path) -> Found:
    network, _ = load_bundle(path)
    return {name: digest(weight.numpy()) for name, weight in weights_of(network).items()}


FORMS = {
    "fast5": Form(".fast5", _write_signals, _signals),
    "fast5, single, gzip": Form(".fast5", _write_single, _signals),
    "pod5": Form(".pod5", _write_signals, _signals),
    "slow5": Form(".slow5", _write_signals, _signals),
    "blow5, zlib": Form(".blow5", _write_signals, _signals, checked=True),
    "blow5, zlib, ex-zd": Form(".blow5", _blow5("zlib", "ex_zd"), _signals, checked=True),
    "blow5, zstd": Form(".blow5", _blow5("zstd", "svb_zd"), _signals),
    "blow5, zstd, ex-zd": Form(".blow5", _blow5("zstd", "ex_zd"), _signals),
    "blow5, plain records": Form(".blow5", _blow5("none", "svb_zd"), _signals),
    "blow5, plain": Form(".blow5", _blow5("none", "none"), _signals),
    "bam": Form(".bam", _write_alignments, _labels("bam_moves"), checked=True),
    "sam": Form(".sam", _write_alignments, _labels("bam_moves")),
    "table of intervals": Form(".tsv", _write_table, _labels("intervals")),
    "pore model": Form(".npz", _write_pore_model, _pore_model, checked=True),
    "model": Form(".safetensors", _write_bundle, _bundle),
}
"""Name -> format."""


def damaged(content: bytes, rng: np.random.Generator) -> bytes:
    """Damage a file's content in one of several ways.

    Args:
        content: Of a good file.
        rng: Chooses how and where.
    """
    return DAMAGES[rng.integers(len(DAMAGES))](bytearray(content), rng)


def _bytes_changed(content: bytearray, rng: np.random.Generator) -> bytes:
    for place in rng.integers(0, len(content), rng.integers(1, 5)):
        content[place] = rng.integers(256)
    return bytes(content)


def _near_the_start(content: bytearray, rng: np.random.Generator) -> bytes:
    for place in rng.integers(0, min(len(content), 600), rng.integers(1, 4)):
        content[place] = rng.integers(256)
    return bytes(content)


def _number_set(content: bytearray, rng: np.random.Generator) -> bytes:
    size = (2, 4, 8)[rng.integers(3)]
    signed = 1 << 8 * size - 1
    number = (0, 1, signed, signed - 1, 2 * signed - 1)[rng.integers(5)]
    place = int(rng.integers(0, max(1, len(content) - size)))
    return bytes(content[:place]) + number.to_bytes(size, "little") + bytes(content[place + size :])


def _cut_off(content: bytearray, rng: np.random.Generator) -> bytes:
    return bytes(content[: rng.integers(0, len(content))])


def _piece_lost(content: bytearray, rng: np.random.Generator) -> bytes:
    start, size = int(rng.integers(0, len(content))), int(rng.integers(1, 300))
    return bytes(content[:start] + content[start + size :])


def _piece_twice(content: bytearray, rng: np.random.Generator) -> bytes:
    start, size = int(rng.integers(0, len(content))), int(rng.integers(1, 300))
    return bytes(content[: start + size] + content[start:])


def _piece_zeroed(content: bytearray, rng: np.random.Generator) -> bytes:
    start, size = int(rng.integers(0, len(content))), int(rng.integers(1, 600))
    return bytes(content[:start] + bytes(len(content[start : start + size])) + content[start + size :])


DAMAGES = [_bytes_changed, _near_the_start, _number_set, _cut_off, _piece_lost, _piece_twice, _piece_zeroed]
"""Ways to damage a file."""
