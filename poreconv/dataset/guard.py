"""The guard of a store, which decides, besides the filters, whether a read may go in."""

from typing import Protocol

from poreconv.reads.read import Read


class Guard(Protocol):
    """Admits or refuses reads, such as those that a model has seen in training; must pickle."""

    def admit(self, read: Read, reference: str) -> None:
        """Return if the read may go in.

        Args:
            read: The read.
            reference: Name of the sequence that the read was aligned to; empty if that is not known.

        Raises:
            ReadDropped: The read may not go in.
        """
        ...

    def to_json(self) -> str:
        """Describe the guard as JSON text; two guards with the same text decide alike."""
        ...
