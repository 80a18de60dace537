"""Read called sequences from FASTA and FASTQ files, one in memory at a time."""

import tempfile
from collections.abc import Sequence
from pathlib import Path

import pysam

from poreconv.errors import FormatError

SUFFIXES = (".fasta", ".fa", ".fastq", ".fq")
"""Suffixes of sequence files; ``.gz`` may follow."""


def is_sequences(path: Path) -> bool:
    """Return whether a file is FASTA or FASTQ, by its name.

    Args:
        path: The file; it is not opened.
    """
    return Path(path.name.lower().removesuffix(".gz")).suffix in SUFFIXES


class Sequences:
    """Sequences by read id, stored in a temporary file; memory holds the place of each.

    Args:
        files: FASTA or FASTQ files, plain or gzip. Of several sequences of one read the first is used.

    Raises:
        FormatError: A file is neither, or contains no sequence that the files before it lack.
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
            raise FormatError(f"{path}: not a FASTA or FASTQ ({exc}); create or copy it again") from exc
        if len(self._place) == before:
            raise FormatError(f"{path}: no new sequence in it; give a FASTA or FASTQ of the basecalls")

    def of(self, read_id: str) -> bytes | None:
        """Return the sequence of a read, 5' to 3'; None if there is none.

        Args:
            read_id: Id of the read.
        """
        if read_id not in self._place:
            return None
        offset, length = self._place[read_id]
        self._text.seek(offset)
        return self._text.read(length)

    def close(self) -> None:
        """Remove the temporary file."""
        self._text.close()
