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
"""More bases than this between a sequence and its k-mers: it is another sequence."""


class _Record(NamedTuple):
    """One line of a file; the largest of a read wins."""

    primary: bool
    span: int
    """Samples between columns 3 and 4."""
    file: int
    offset: int
    """Byte at which the line starts."""


class Line(NamedTuple):
    """What one record says."""

    first: int
    """First sample."""
    end: int
    """Sample after the last."""
    target: tuple[bytes, ...]
    """Columns 7 to 9: number of k-mers of the sequence, first k-mer, k-mer after the last."""
    run_string: bytes


class ResquigglePaf:
    """Columns 1 to 4: read id, samples, first sample, sample after the last; tag ``ss``: a run string.

    One event per match, in signal order whichever strand it aligned to; extra samples (``I``) belong to no base and
    are not covered; skipped bases (``D``) give no event. A PAF has no sequence, so events have places only, unless the
    called sequences stand in a FASTA or FASTQ among the files (see `numbered`); a read without one has places only.

    Of several records for one read the longest span wins among those that aren't marked secondary (``tp:A:S``); the
    others are counted as ``other_records``. Memory holds the place of each record, not its string; gzip files are
    unpacked to a temporary file first.

    Source:
        https://hasindu2008.github.io/f5c/docs/output; Samarakoon et al. 2024, doi:10.1093/bioinformatics/btae501.
    """

    in_file = False

    def __init__(self, files: Sequence[Path], config: SourceConfig) -> None:
        """Index the files.

        Args:
            files: PAF files, plain or gzip; FASTA or FASTQ files of the called sequences.
            config: Not needed here.

        Raises:
            FormatError: A file is no PAF, or a record has no ``ss`` tag.
        """
        self.notes: Counter[str] = Counter()
        sequences = [path for path in files if is_sequences(path)]
        self.classes = BASES if sequences else ()
        self.base_offset = 0 if sequences else None
        self._best: dict[str, _Record] = {}
        self._others: Counter[str] = Counter()
        self._streams: list[IO[bytes]] = []
        with ExitStack() as stack:
            self._sequences = stack.enter_context(closing(Sequences(sequences))) if sequences else None
            for path in (path for path in files if path not in sequences):
                self._streams.append(stack.enter_context(open_plain(path)))
                self._index(path)
            self._files = stack.pop_all()

    def _index(self, path: Path) -> None:
        offset, file = 0, len(self._streams) - 1
        for number, line in enumerate(self._streams[file], start=1):
            if line.strip():
                self._add(*_parse(line, f"{path}: line {number}", file, offset))
            offset += len(line)

    def _add(self, read_id: str, record: _Record) -> None:
        best = self._best.get(read_id)
        if best is not None:
            self._others[read_id] += 1
        if best is None or record[:2] > best[:2]:
            self._best[read_id] = record

    def events(self, read: Read) -> Events | None:
        """Label one read; see `LabelSource.events`."""
        line = self.line(read)
        if line is None:
            return None
        sequence = self._sequences.of(read.read_id) if self._sequences else None
        if sequence is None:
            return run_events(read, line.run_string, line.first, line.end, self.classes)
        start, end, base = numbered(read, line, len(sequence))
        return fitted(read, start, end, label=base_index(sequence)[base], classes=self.classes) if len(start) else None

    def line(self, read: Read) -> Line | None:
        """Give a read's best record.

        Raises:
            LabelError: It is of another number of samples (``label_length``).
        """
        record = self._best.get(read.read_id)
        if record is None:
            return None
        if read.read_id in self._others:
            self.notes["other_records"] += self._others[read.read_id]
        stream = self._streams[record.file]
        stream.seek(record.offset)
        return _line(read, stream.readline())

    def close(self) -> None:
        """Close the files."""
        self._files.close()


def _parse(line: bytes, where: str, file: int, offset: int) -> tuple[str, _Record]:
    """Read id and place of one line."""
    columns = line.split(b"\t", 12)
    try:
        span = int(columns[3]) - int(columns[2])
        read_id = columns[0].decode()
    except (IndexError, ValueError) as exc:
        raise FormatError(f"{where}: no PAF record (read id, samples, start, end, ...); give a PAF file") from exc
    if len(columns) < 13 or TAG not in line:
        raise FormatError(f"{where}: no 'ss' tag; make the file with f5c resquiggle -c, or f5c eventalign -c")
    return read_id, _Record(b"\ttp:A:S" not in line, span, file, offset)


def numbered(read: Read, line: Line, n_bases: int) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
    """Tell which base of the called sequence each event of a record is for.

    The k-mers are shorter in number than the bases by k - 1, which tells k; the base of a k-mer that an event stands
    for is `kmer_base`. Columns 8 and 9 tell the first k-mer and the one after the last; RNA's, which the signal passes
    from the 3' end on, have the larger number first.

    Args:
        read: The read.
        line: Its record.
        n_bases: Length of the called sequence.

    Returns:
        First sample, sample after the last, and number of the base, 5' to 3', of each event in signal order.

    Raises:
        LabelError: The record is about another sequence (``label_sequence``), or doesn't fit the read.
    """
    runs = runs_between(read, line.run_string, line.first, line.end)
    start, end = ss.places(runs, line.first)
    check_fit(read, start, end)
    n_kmers, first, last = _kmers(read, line)
    k = n_bases - n_kmers + 1
    if not (1 <= k <= LONGEST_KMER and max(first, last) <= n_kmers and ss.n_bases(runs) == abs(last - first)):
        raise other_sequence(read, n_bases, f"the PAF has {n_kmers} k-mers, {abs(last - first)} of them aligned")
    number = ss.base_numbers(runs)
    kmer = first + number if first <= last else first - 1 - number
    return start, end, kmer + kmer_base(k, read.chemistry, rna=first > last)


def _kmers(read: Read, line: Line) -> tuple[int, int, int]:
    try:
        n_kmers, first, last = map(int, line.target)
    except ValueError as exc:
        raise LabelError(
            f"{read.where}: columns 7 to 9 of its PAF record are not three numbers; label the read again",
            reason="label_unreadable",
        ) from exc
    return n_kmers, first, last


def other_sequence(read: Read, n_bases: int, what: str) -> LabelError:
    """The drop of a read whose exact events are those of another basecall."""
    return LabelError(
        f"{read.where}: {what}, and its called sequence has {n_bases} bases; give the exact events of this very "
        "basecall, not clipped",
        reason="label_sequence",
    )


def _line(read: Read, line: bytes) -> Line:
    columns = line.split(b"\t", 9)
    if int(columns[1]) != len(read.adc):
        raise LabelError(
            f"{read.where}: the PAF says {int(columns[1])} samples, the read has {len(read.adc)}; label this very file",
            reason="label_length",
        )
    begin = line.index(TAG) + len(TAG)
    run_string = line[begin:].split(b"\t", 1)[0].rstrip()
    return Line(int(columns[2]), int(columns[3]), tuple(columns[6:9]), run_string)
