"""Which labels files offer to some reads, and how to ask for them."""

import shlex
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import takewhile
from pathlib import Path

from poreconv.labels.recognising import LabelFile
from poreconv.labels.sources import LABEL_SOURCES

EVENTALIGN, SITES, MOVES, CAPTURES = "eventalign", "bed_modified", "bam_moves", "captures"


@dataclass(frozen=True, slots=True)
class Offer:
    """Labels for some reads: what to give to ``poreconv prepare``."""

    source: str
    """Name in ``LABEL_SOURCES``."""
    task: str
    """The task that they are for."""
    files: tuple[Path, ...] = ()
    """Files for ``--labels_from``; none if the labels are in the reads' own files."""
    outside: str = ""
    """Class for ``--outside``; empty if the labels have several classes."""

    def command(self, paths: Iterable[Path], out: str) -> str:
        """Return the command that prepares a store, to be copied into a shell.

        Args:
            paths: Signal files and folders.
            out: Folder of the store.
        """
        files = ["--labels_from", *map(str, self.files)] if self.files else []
        words = ["poreconv", "prepare", *map(str, paths), "--labels", self.source, *files, "--task", self.task]
        outside = ["--outside", self.outside] if self.outside else []
        return shlex.join([*words, *outside, "--out", out])


def offers_of(files: Sequence[LabelFile], read_ids: Collection[str]) -> list[Offer]:
    """Return what files offer to some reads, in the order of ``LABEL_SOURCES``.

    Files of one source that label different reads belong together; of those that label the same reads each is an offer
    of its own, since two programs place a boundary differently.

    Args:
        files: What was recognised.
        read_ids: Ids of the reads.
    """
    fitting = [file for file in files if not file.read_ids or not file.read_ids.isdisjoint(read_ids)]
    of_source = {name: [file for file in fitting if file.source == name] for name in LABEL_SOURCES}
    moves = [file for file in of_source[MOVES] if file.aligned]
    found: list[Offer] = []
    for name, same in of_source.items():
        if name == EVENTALIGN:
            found += _eventalign(same)
        elif name == SITES:
            found += _sites(same, moves)
        elif name == CAPTURES:
            found += [_together(same)] if same else []
        else:
            found += _alone(same)
    return found


def _alone(files: Sequence[LabelFile]) -> Iterator[Offer]:
    """Files that need no others, grouped so that no two of a group label the same read."""
    groups: list[list[LabelFile]] = []
    for file in (file for file in files if file.read_ids):
        fits = (group for group in groups if all(file.read_ids.isdisjoint(other.read_ids) for other in group))
        group = next(fits, None)
        groups.append([file]) if group is None else group.append(file)
    for group in groups:
        yield _together(group)


def _together(files: Sequence[LabelFile]) -> Offer:
    first = files[0]
    return Offer(first.source, first.task, tuple(file.path for file in files), first.outside)


def _eventalign(files: Sequence[LabelFile]) -> Iterator[Offer]:
    """Tables that name their reads; each that numbers them, with the summary in its folder."""
    yield from _alone([file for file in files if not file.with_others])
    summaries = [file for file in files if file.with_others and file.read_ids]
    for file in (file for file in files if not file.read_ids):
        beside = [other.path for other in summaries if other.path.parent == file.path.parent]
        if len(beside) == 1:
            yield Offer(file.source, file.task, (file.path, beside[0]))


def _sites(beds: Sequence[LabelFile], moves: Sequence[LabelFile]) -> Iterator[Offer]:
    """BEDs of sites, each before the aligned BAM whose name has most in common with its own."""
    pairs: list[Path] = []
    for bed in beds:
        alike = {_alike(bed.path.name, file.path.name): file.path for file in moves}
        if alike and (max(alike) or len(moves) == 1):
            pairs += [bed.path, alike[max(alike)]]
    if pairs and len(set(pairs)) == len(pairs):
        yield Offer(beds[0].source, beds[0].task, tuple(pairs))


def _alike(name: str, other: str) -> int:
    """Number of characters that two names have in common at their start."""
    return sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], zip(name, other, strict=False)))
