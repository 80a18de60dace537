"""What decides, besides the filters, whether a read may go into a store."""

from typing import Protocol

from poreconv.reads.read import Read


class Guard(Protocol):
    """Admits or refuses reads, such as those that a model has seen in training. It pickles."""

    def admit(self, read: Read, reference: str) -> None:
        """Return if the read may go in.

        Args:
            read: The read.
            reference: Name of the sequence that it was aligned to; empty if that is not known.

        Raises:
            ReadDropped: It may not.
            MismatchError: No read like it may.
        """
        ...

    def to_json(self) -> str:
        """Describe the guard as JSON text: two guards that decide alike have the same."""
        ...
