"""Events as BED6 in the coordinates of the reads, for genome tools that cut, count and intersect intervals."""

import re
from collections import Counter
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.csv as pc

from poreconv.errors import FormatError

NAME = re.compile("[!-~]{1,255}")
"""Valid fields of BED, which end at white space."""

TOP_SCORE = 1000


class BedWriter:
    """Writes ``read_id, start, end, label, score, strand``: 1000 times the score in whole numbers, and no strand.

    BED v1 allows letters, digits and ``_`` in the name of the sequence; tools also accept the hyphens of usual read
    ids.

    Source:
        GA4GH BED v1, https://samtools.github.io/hts-specs/BEDv1.pdf, after https://genome.ucsc.edu/FAQ/FAQformat.
    """

    def __init__(self, path: Path) -> None:
        options = pc.WriteOptions(include_header=False, delimiter="\t", quoting_style="none")
        columns = ("read_id", pa.string()), ("start", pa.int64()), ("end", pa.int64())
        self._schema = pa.schema([*columns, ("name", pa.string()), ("score", pa.int64()), ("strand", pa.string())])
        self.notes: Counter[str] = Counter()
        self._path = path
        self._writer = pc.CSVWriter(path, self._schema, write_options=options)

    def write(self, table: pa.Table) -> None:
        """Add rows.

        Args:
            table: Rows as `Writer.write` takes them.

        Raises:
            FormatError: A read id or label that a field of BED cannot hold.
        """
        for column in ("read_id", "label"):
            for text in table[column].unique().to_pylist():
                self._check(column, text)
        score = np.clip(np.round(TOP_SCORE * table["score"].to_numpy()), 0, TOP_SCORE).astype(np.int64)
        strand = pa.repeat(".", len(table))
        columns = [*(table[name] for name in ("read_id", "start", "end", "label")), score, strand]
        self._writer.write_table(pa.table(columns, schema=self._schema))

    def _check(self, column: str, text: str) -> None:
        if not NAME.fullmatch(text) or (column == "read_id" and text.startswith("#")):
            raise FormatError(
                f"{self._path}: {column} {text!a}: a field of BED has 1 to 255 printable ASCII characters without "
                "spaces, and a line that begins with # is a comment; write .parquet instead"
            )

    def close(self) -> None:
        """Finish the file."""
        self._writer.close()
