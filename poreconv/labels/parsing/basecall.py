"""Read the ``Basecall_1D_nnn`` groups of a fast5 file, and where in the signal each of them starts."""

from dataclasses import dataclass
from typing import Any

import h5py

from poreconv.errors import LabelError
from poreconv.labels.parsing.fast5 import analyses, text
from poreconv.reads.read import Read


@dataclass(frozen=True, slots=True)
class Segment:
    """The part of the signal that was basecalled."""

    first_sample: int
    """Raw index of its first sample."""
    duration: int
    """Samples."""


@dataclass(frozen=True, slots=True)
class Basecall:
    """One basecall of one read."""

    root: h5py.Group
    """The read's group."""
    group: h5py.Group
    """``Analyses/Basecall_1D_nnn``."""

    @property
    def template(self) -> h5py.Group:
        """``BaseCalled_template``, the group of its tables."""
        return self.group["BaseCalled_template"]

    @property
    def sequence(self) -> bytes:
        """Called bases, 5' to 3'; empty without a Fastq."""
        fastq = self.template.get("Fastq")
        lines = [] if fastq is None else text(fastq[()]).split("\n")
        return lines[1].strip().encode("ascii", "replace") if len(lines) > 1 else b""

    @property
    def stride(self) -> int | None:
        """Samples per block; None if the basecaller did not write it."""
        stride = _summary(self.group, "basecall_1d_template").get("block_stride")
        return None if stride is None else int(stride)

    @property
    def segment(self) -> Segment | None:
        """The segment in the Segmentation group that this basecall names; None without one."""
        name = text(self.group.attrs.get("segmentation", "")).rsplit("/", 1)[-1]
        group = self.root["Analyses"].get(name) if name else None
        found = {} if group is None else _summary(group, "segmentation")
        if "first_sample_template" not in found or "duration_template" not in found:
            return None
        return Segment(int(found["first_sample_template"]), int(found["duration_template"]))


def _summary(group: h5py.Group, step: str) -> dict[str, Any]:
    found = group.get(f"Summary/{step}")
    return {} if found is None else dict(found.attrs)


def basecalls_with(root: h5py.Group | None, table: str) -> list[Basecall]:
    """List the basecalls that have ``BaseCalled_template/<table>``, the newest first.

    Args:
        root: The read's group; None: there are no basecalls.
        table: Name of the table, such as ``Move``.
    """
    path = f"BaseCalled_template/{table}"
    return [Basecall(root, group) for group in analyses(root, "Basecall_1D") if path in group]


def needed_segment(read: Read, basecall: Basecall) -> Segment:
    """Return the segment of a basecall that must have one.

    Args:
        read: The read, for the error message.
        basecall: One of its basecalls.

    Raises:
        LabelError: The file does not contain the segment (``label_incomplete``), so the place of the first block is
            unknown.
    """
    segment = basecall.segment
    if segment is None:
        raise LabelError(
            f"{read.where}: {basecall.group.name} names no Segmentation with first_sample_template, so its first "
            "block can't be placed; basecall the read again with fast5 output",
            reason="label_incomplete",
        )
    return segment
