"""Labels from PAF files with an ``ss`` tag: f5c resquiggle, f5c eventalign -c, squigulator."""

from collections import Counter
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import IO, NamedTuple

from poreconv.config import LabelConfig
from poreconv.errors import FormatError, LabelError
from poreconv.events import Events
from poreconv.labels._run_string import run_events
from poreconv.labels._streams import open_plain
from poreconv.read import Read

TAG = b"\tss:Z:"


class _Record(NamedTuple):
    """One line of a file; the largest of a read wins."""

    primary: bool
    span: int
    """Samples between columns 3 and 4."""
    file: int
    offset: int
    """Byte at which the line starts."""


class ResquigglePaf:
    """Columns 1 to 4: read id, samples, first sample, sample after the last; tag ``ss``: a run string (`poreconv.ss`).

    One event per match, in signal order whichever strand it aligned to; extra samples (``I``) belong to no base and
    are not covered; skipped bases (``D``) give no event. A PAF has no sequence, so events have places only. Of several
    records for one read the longest span wins among those that aren't marked secondary (``tp:A:S``); the others are
    counted as ``other_records``. Memory holds the place of each record, not its string; gzip files are unpacked to a
    temporary file first.

    Source:
        https://hasindu2008.github.io/f5c/docs/output; Samarakoon et al. 2024, doi:10.1093/bioinformatics/btae501.
    """

    in_file = False
    classes: tuple[str, ...] = ()
    base_offset: int | None = None

    def __init__(self, files: Sequence[Path], config: LabelConfig) -> None:
        """Index the files.

        Args:
            files: PAF files, plain or gzip.
            config: Not needed here.

        Raises:
            FormatError: A file is no PAF, or a record has no ``ss`` tag.
        """
        self.notes: Counter[str] = Counter()
        self._best: dict[str, _Record] = {}
        self._others: Counter[str] = Counter()
        self._streams: list[IO[bytes]] = []
        with ExitStack() as stack:
            for path in files:
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
        record = self._best.get(read.read_id)
        if record is None:
            return None
        if read.read_id in self._others:
            self.notes["other_records"] += self._others[read.read_id]
        stream = self._streams[record.file]
        stream.seek(record.offset)
        return _events(read, stream.readline())

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


def _events(read: Read, line: bytes) -> Events | None:
    _, samples, first, end = line.split(b"\t", 4)[:4]
    if int(samples) != len(read.adc):
        raise LabelError(
            f"{read.where}: the PAF says {int(samples)} samples, the read has {len(read.adc)}; label this very file",
            reason="label_length",
        )
    begin = line.index(TAG) + len(TAG)
    return run_events(read, line[begin:].split(b"\t", 1)[0].rstrip(), int(first), int(end))
