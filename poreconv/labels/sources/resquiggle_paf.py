"""Labels from PAF files with an ``ss`` tag: f5c resquiggle, f5c eventalign -c, squigulator."""

from collections import Counter
from collections.abc import Sequence
from contextlib import ExitStack, closing
from pathlib import Path
from typing import IO, NamedTuple

import numpy as np
from numpy.typing import NDArray

from poreconv.config import SourceConfig
from poreconv.errors import FormatError, LabelError
from poreconv.events import run_strings as ss
from poreconv.events.events import Events
from poreconv.labels.bases import BASES, base_index, kmer_base
from poreconv.labels.fit import check_fit, fitted
from poreconv.labels.parsing.run_string import run_events, runs_between
from poreconv.labels.parsing.sequences import Sequences, is_sequences
from poreconv.labels.parsing.streams import open_plain
from poreconv.reads.read import Read

TAG = b"\tss:Z:"

LONGEST_KMER = 12
"""Largest plausible k; if the numbers of bases and k-mers give a larger one, the k-mers are of another sequence."""


class _Place(NamedTuple):
    """Where a record is stored; of the records of a read the one with the largest (primary, span) is used."""

    primary: bool
    """Whether it is not marked secondary."""
    span: int
    """Samples from column 3 to column 4."""
    file: int
    """Index of the open file."""
    offset: int
    """Byte at which the line starts."""


class PafRecord(NamedTuple):
    """The fields of one PAF record that are used."""

    first: int
    """First sample."""
    end: int
    """Sample after the last."""
    target: tuple[bytes, ...]
    """Columns 7 to 9: number of k-mers of the sequence, first k-mer, k-mer after the last."""
    run_string: bytes
    """Value of the tag ``ss``."""


class ResquigglePaf:
    """PAF: columns 1 to 4 are read id, samples, first sample, sample after the last; tag ``ss`` is a run string.

    There is one event per match, in signal order whichever strand the read aligned to. Extra samples (``I``) belong to
    no base and are not covered; skipped bases (``D``) give no event. A PAF has no sequence, so events have places only,
    unless a FASTA or FASTQ among the files contains the read's called sequence (see `numbered_events`).

    Of several records for one read, those not marked secondary (``tp:A:S``) come first, and of these the one with the
    longest span is used; the others are counted as ``other_records``. Memory holds the place of each record in its
    file, not its run string; gzip files are unpacked to a temporary file first.

    Source:
        https://hasindu2008.github.io/f5c/docs/output; Samarakoon et al. 2024, doi:10.1093/bioinformatics/btae501.
    """

    in_file = False

    def __init__(self, files: Sequence[Path], config: SourceConfig) -> None:
        """Index the files.

        Args:
            files: PAF files, plain or gzip; FASTA or FASTQ files of the called sequences.
            config: Not used.

        Raises:
            FormatError: A file is not a PAF, or a record has no ``ss`` tag.
        """
        self.notes: Counter[str] = Counter()
        sequences = [path for path in files if is_sequences(path)]
        self.classes = BASES if sequences else ()
        self.base_offset = 0 if sequences else None
        self._best: dict[str, _Place] = {}
        self._others: Counter[str] = Counter()
        self._streams: list[IO[bytes]] = []
        with ExitStack() as stack:
            self._sequences = stack.enter_context(closing(Sequences(sequences))) if sequences else None
            for path in (path for path in files if path not in sequences):
                self._streams.append(stack.enter_context(open_plain(path)))
                self._index(path)
            self._files = stack.pop_all()

    def _index(self, path: Path) -> None:
        file = len(self._streams) - 1
        offset = self._streams[file].tell()
        for number, line in enumerate(self._streams[file], start=1):
            if line.strip():
                self._add(*_indexed(line, f"{path}: line {number}", file, offset))
            offset += len(line)

    def _add(self, read_id: str, place: _Place) -> None:
        best = self._best.get(read_id)
        if best is not None:
            self._others[read_id] += 1
        if best is None or place[:2] > best[:2]:
            self._best[read_id] = place

    def events(self, read: Read) -> Events | None:
        """Label one read; see `LabelSource.events`.

        Args:
            read: Its record and called sequence are found by its id; its chemistry gives the base of a k-mer.
        """
        record = self.record(read)
        if record is None:
            return None
        sequence = self._sequences.of(read.read_id) if self._sequences else None
        if sequence is None:
            return run_events(read, record.run_string, record.first, record.end, self.classes)
        start, end, base = numbered_events(read, record, len(sequence))
        return fitted(read, start, end, label=base_index(sequence)[base], classes=self.classes) if len(start) else None

    def record(self, read: Read) -> PafRecord | None:
        """Return the record that is used for a read; None if it has none.

        Args:
            read: Its record is found by its id.

        Raises:
            LabelError: The record is about another number of samples (``label_length``).
        """
        place = self._best.get(read.read_id)
        if place is None:
            return None
        if read.read_id in self._others:
            self.notes["other_records"] += self._others[read.read_id]
        stream = self._streams[place.file]
        stream.seek(place.offset)
        return _parsed(read, stream.readline())

    def close(self) -> None:
        """Close the files."""
        self._files.close()


def _indexed(line: bytes, where: str, file: int, offset: int) -> tuple[str, _Place]:
    """Return the read id and place of one line; ``where`` names the line in messages."""
    columns = line.split(b"\t", 12)
    try:
        span = int(columns[3]) - int(columns[2])
        read_id = columns[0].decode()
    except (IndexError, ValueError) as exc:
        raise FormatError(f"{where}: not a PAF record (read id, samples, start, end, ...); give a PAF file") from exc
    if len(columns) < 13 or TAG not in line:
        raise FormatError(f"{where}: no 'ss' tag; make the file with f5c resquiggle -c, or f5c eventalign -c")
    return read_id, _Place(b"\ttp:A:S" not in line, span, file, offset)


def numbered_events(
    read: Read, record: PafRecord, n_bases: int
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
    """Find the base of the called sequence that each event of a record stands for.

    A sequence has k - 1 fewer k-mers than bases, which gives k; `kmer_base` gives the base of a k-mer that an event
    stands for. Columns 8 and 9 are the first k-mer and the one after the last; for RNA, whose 3' end is first in the
    signal, the larger number comes first.

    Args:
        read: The read that the record is about; its number of samples and chemistry are used.
        record: The PAF record; its target is the called sequence.
        n_bases: Length of the called sequence.

    Returns:
        First sample, sample after the last, and index of the base, 5' to 3', of each event; shape ``(n,)`` each, in
        signal order.

    Raises:
        LabelError: The record is about another sequence (``label_sequence``), can't be parsed (``label_unreadable``),
            or doesn't fit the read (see `runs_between` and `check_fit`).
    """
    runs = runs_between(read, record.run_string, record.first, record.end)
    start, end = ss.places(runs, record.first)
    check_fit(read, start, end)
    n_kmers, first, last = _kmers(read, record)
    k = n_bases - n_kmers + 1
    if not (1 <= k <= LONGEST_KMER and max(first, last) <= n_kmers and ss.n_bases(runs) == abs(last - first)):
        raise sequence_mismatch(
            read, n_bases, f"its PAF record has {n_kmers} k-mers, {abs(last - first)} of them aligned"
        )
    number = ss.base_numbers(runs)
    kmer = first + number if first <= last else first - 1 - number
    return start, end, kmer + kmer_base(k, read.chemistry, rna=first > last)


def _kmers(read: Read, record: PafRecord) -> tuple[int, int, int]:
    try:
        n_kmers, first, last = map(int, record.target)
    except ValueError as exc:
        raise LabelError(
            f"{read.where}: columns 7 to 9 of its PAF record are not three numbers; label the read again",
            reason="label_unreadable",
        ) from exc
    return n_kmers, first, last


def sequence_mismatch(read: Read, n_bases: int, problem: str) -> LabelError:
    """Make the error of a read whose exact events are not those of its called sequence (``label_sequence``).

    Args:
        read: The read that is dropped.
        n_bases: Length of its called sequence.
        problem: What differs; the first part of the message.
    """
    return LabelError(
        f"{read.where}: {problem}, and its called sequence has {n_bases} bases; give the exact events of the same "
        "basecall, and don't clip it",
        reason="label_sequence",
    )


def _parsed(read: Read, line: bytes) -> PafRecord:
    columns = line.split(b"\t", 9)
    if int(columns[1]) != len(read.adc):
        raise LabelError(
            f"{read.where}: {len(read.adc)} samples, {int(columns[1])} in its PAF record; give the PAF of this file",
            reason="label_length",
        )
    begin = line.index(TAG) + len(TAG)
    run_string = line[begin:].split(b"\t", 1)[0].rstrip()
    return PafRecord(int(columns[2]), int(columns[3]), tuple(columns[6:9]), run_string)
