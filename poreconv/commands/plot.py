"""A picture of one read: its current, its labels, what a model finds in it."""

from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from poreconv import plot
from poreconv.config import BOUNDARY, SourceConfig
from poreconv.errors import ConfigError
from poreconv.events.events import Events
from poreconv.inference.labeller import load
from poreconv.labels.opening import assign_files, events_of, open_labels
from poreconv.plot.panels import Curves
from poreconv.plot.saving import STILL
from poreconv.reads.read import Read
from poreconv.reads.readers import ReadStream, open_reads

PAGE = ".html"


def plot_read(
    paths: Path | str | Sequence[Path | str],
    *,
    out: Path | str,
    read_id: str | None = None,
    labels: str | Sequence[str] = (),
    labels_from: Sequence[Path | str] = (),
    model: Path | str | None = None,
    start: int | None = None,
    end: int | None = None,
    config: SourceConfig | None = None,
) -> Read:
    """Draw one read: for paper, all of it and a part of it larger; as a page, all of it, to zoom and drag in.

    Args:
        paths: Signal files and folders: one, or several.
        out: ``.png``, ``.svg``, ``.pdf``, or ``.html``, which needs no network; replaced if it exists.
        read_id: Which read; default: the first.
        labels: Names in ``LABEL_SOURCES``; each is a track.
        labels_from: The label sources' files; ``NAME=FILE`` where several sources read files.
        model: A bundle that `train` wrote, or the name of a shipped model: draws its events and probabilities.
        start: First sample of the part to draw larger.
        end: Sample after its last. Without either: around the boundary in the middle of the first track; on a page,
            the whole read.
        config: How the label sources speak.

    Returns:
        The read.

    Raises:
        ConfigError: No such read, no such samples in it, or a suffix that is no format.
        LabelError: A source has no label for the read, or one that doesn't fit it.
        MismatchError: The model was not trained for such reads.
    """
    out = Path(out)
    if out.suffix not in (*STILL, PAGE):
        raise ConfigError(f"{out}: no format of pictures; end the name in {', '.join((*STILL, PAGE))}")
    with open_reads(paths) as reads:
        read = _chosen(reads, read_id)
        tracks = _labelled(read, [labels] if isinstance(labels, str) else labels, labels_from, config or SourceConfig())
    curves: Curves = {}
    if model is not None:
        tracks["model"], curves = _found(read, model)
    if out.suffix == PAGE:
        plot.save_page(plot.interactive_squiggle(read, tracks, curves, start=start or 0, end=end), out)
    else:
        plot.save(plot.overview(read, tracks, curves, start=start, end=end), out)
    return read


def _chosen(reads: ReadStream, read_id: str | None) -> Read:
    if read_id is not None:
        try:
            return reads[read_id]
        except KeyError as exc:
            known = reads.read_ids
            raise ConfigError(f"read {read_id}: not among the {len(known):,} here, such as {known[0]}") from exc
    read = next(iter(reads), None)
    if read is None:
        raise ConfigError(f"{reads.files[0]}: no read that can be drawn; {reads.ledger.summary()}")
    return read


def _labelled(read: Read, names: Sequence[str], given: Sequence[Path | str], config: SourceConfig) -> dict[str, Events]:
    """The events of each label source."""
    tracks: dict[str, Events] = {}
    for name, files in assign_files(names, given) if names else ():
        with closing(open_labels(name, files, config)) as source:
            tracks[name] = events_of(source, read)
    return tracks


def _found(read: Read, model: Path | str) -> tuple[Events, Curves]:
    """What a model finds, and how probable it takes each class to be at each sample of the read."""
    labeller = load(model)
    [(_, probabilities_CT)] = labeller.probabilities([read])
    classes = {BOUNDARY: "boundary"} if labeller.recipe.task == "boundary" else dict(enumerate(labeller.recipe.classes))
    curves = {name: _at_samples(probabilities_CT[i], len(read.adc)) for i, name in classes.items()}
    return labeller.decode(read, probabilities_CT), curves


def _at_samples(probability_T: NDArray[np.float32], n_samples: int) -> NDArray[np.float32]:
    """Probabilities at the read's own sample rate, where the model has another: those of the sample that is there."""
    return probability_T[np.arange(n_samples) * len(probability_T) // n_samples]
