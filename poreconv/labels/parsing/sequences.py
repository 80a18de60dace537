"""Called sequences of reads from FASTA and FASTQ, one in memory at a time."""

import tempfile
from collections.abc import Sequence
from pathlib import Path

import pysam

from poreconv.errors import FormatError

SUFFIXES = (".fasta", ".fa", ".fastq", ".fq")
"""Of files of sequences; ``.gz`` may follow."""


def is_sequences(path: Path) -> bool:
    """Whether a file is one of sequences, by its name."""
    return Path(path.name.lower().removesuffix(".gz")).suffix in SUFFIXES


class Sequences:
    """Sequences by read id. They wait in a temporary file; memory holds the place of each.

    Args:
        files: FASTA or FASTQ, plain or gzip; of two sequences of one read the first counts.

    Raises:
        FormatError: A file is neither.
    """

    def __init__(self, files: Sequence[Path]) -> None:
        self._place: dict[str, tuple[int, int]] = {}
        self._text = tempfile.TemporaryFile()  # noqa: SIM115 - closed by `close`
        try:
            for path in files:
                self._add(path)
        except BaseException:
            self.close()
            raise

    def _add(self, path: Path) -> None:
        before = len(self._place)
        try:
            with pysam.FastxFile(str(path)) as records:
                for record in records:
                    letters = (record.sequence or "").encode("ascii", "replace")
                    self._place.setdefault(record.name or "", (self._text.tell(), len(letters)))
                    self._text.write(letters)
        except (OSError, ValueError) as exc:
            raise FormatError(f"{path}: no FASTA or FASTQ ({exc}); make or copy it again") from exc
        if len(self._place) == before:
            raise FormatError(f"{path}: no sequence in it that is not elsewhere; give a FASTA or FASTQ of the calls")

    def of(self, read_id: str) -> bytes | None:
        """The sequence of a read, 5' to 3', None if there is none."""
        if read_id not in self._place:
            return None
        offset, length = self._place[read_id]
        self._text.seek(offset)
        return self._text.read(length)

    def close(self) -> None:
        """Let go of the temporary file."""
        self._text.close()
