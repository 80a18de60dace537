"""Which reads of signal files are used: those of a list, or the first ones, to try a large run on a few reads."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from poreconv.config import FilesConfig
from poreconv.errors import ConfigError

NOT_OPENED = "files_not_opened"
"""Note in the drop ledger: files after the one with the last of the first N reads; their reads are not counted."""


@dataclass(frozen=True)
class Selection:
    """The reads that are asked for; the same ones in any number of processes."""

    ids: frozenset[str] | None = None
    """Their ids; None: any."""
    limit: int | None = None
    """Number of reads with such ids that are used, in file order, unusable reads and duplicates included; None: all."""

    @classmethod
    def of(cls, config: FilesConfig) -> Self:
        """Read the list of ids that the settings name.

        Args:
            config: List and limit.

        Raises:
            ConfigError: The list cannot be read, or is empty.
        """
        return cls(None if config.read_ids is None else _listed(config.read_ids), config.limit)

    def positions(self, read_ids: Sequence[str], left: int | None) -> list[int]:
        """Return which reads of a file are used.

        Args:
            read_ids: Ids of the file's reads, in file order.
            left: Most reads to use of this file and the following ones; None: all.
        """
        asked = range(len(read_ids)) if self.ids is None else [i for i, it in enumerate(read_ids) if it in self.ids]
        return list(asked[:left])


def _listed(path: Path) -> frozenset[str]:
    try:
        ids = frozenset(path.read_text(encoding="utf-8-sig").split())
    except (OSError, UnicodeDecodeError) as exc:
        raise ConfigError(f"{path}: not a list of read ids ({exc}); give a text file with one id per line") from exc
    if not ids:
        raise ConfigError(f"{path}: contains no read id; give a text file with one id per line")
    return ids


EVERY_READ = Selection()
