"""A picture of a read: its current, its labels, and the events that a model finds."""

import warnings
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack, closing
from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from poreconv import plot
from poreconv.config import PlotConfig
from poreconv.errors import ConfigError, ReadDropped
from poreconv.events.events import Events
from poreconv.events.targets import values_of
from poreconv.inference.auto import finds_bases, found_model
from poreconv.inference.labeller import Labeller, load
from poreconv.labels.opening import LabelsAsked, choose_labels, events_of
from poreconv.labels.sources import LabelSource
from poreconv.models.own import Networks
from poreconv.plot.panels import PROBABILITY
from poreconv.plot.saving import STILL
from poreconv.reads.read import Read
from poreconv.reads.readers import ReadStream, open_reads
from poreconv.reads.selection import Selection
from poreconv.runtime.files import PAGE
from poreconv.runtime.outputs import writes_out


@dataclass(frozen=True)
class _Drawn:
    """A read, and what is drawn below it."""

    read: Read
    tracks: dict[str, Events]
    curves: dict[str, NDArray[np.float32]]
    quantity: str = "value"


@writes_out
def plot_read(
    paths: Path | str | Sequence[Path | str],
    *,
    out: Path | str,
    read_id: str | None = None,
    labels: LabelsAsked = (),
    labels_from: Sequence[Path | str] = (),
    model: Path | str | None = None,
    start: int | None = None,
    end: int | None = None,
    config: PlotConfig | None = None,
    networks: Networks = None,
) -> list[Read]:
    """Draw one read: as a picture, all of it and a part enlarged; as a page to zoom and drag, also several.

    Args:
        paths: Signal files and folders: one, or several.
        out: ``.png``, ``.svg``, ``.pdf``, or ``.html``, which works offline; replaced if it exists.
        read_id: Id of the read; default: the first. A page has all reads that ``config.files.read_ids`` or
            ``config.files.limit`` choose, if one of these is given.
        labels: Names in ``LABEL_SOURCES``, or your own, see `prepare`; each becomes a track.
        labels_from: Files of the label sources; ``NAME=FILE`` if several sources read files.
        model: A bundle that `train` wrote, or the name of a shipped model, whose events and probabilities are drawn;
            ``auto``: the shipped model of base boundaries that fits the read.
        start: First sample of the enlarged part.
        end: Sample after its last. Without ``start`` and ``end``: around the boundary in the middle of the first track.
        config: How files and label sources are read, and how the model runs.
        networks: The network of a bundle that was trained with the user's own; see `load`.

    Returns:
        The reads that were drawn. Of several, those that cannot be labelled are left out, with a warning.

    Raises:
        ConfigError: There is no such read, it has no such samples, or the suffix names no format.
        LabelError: A source has no label for the read, or a label that does not fit it.
        MismatchError: The model was not trained for such reads.
    """
    out, config = Path(out), config or PlotConfig()
    if out.suffix not in (*STILL, PAGE):
        raise ConfigError(f"{out}: no picture format has this suffix; end the name in {', '.join((*STILL, PAGE))}")
    several = out.suffix == PAGE and read_id is None and (config.files.read_ids or config.files.limit)
    selection, skip = Selection.of(config.files), config.files.skip_bad_files
    choices = choose_labels(labels, labels_from) if labels else ()
    with open_reads(paths, selection=selection, skip_bad_files=skip) as reads, ExitStack() as opened:
        sources = {each.name: opened.enter_context(closing(each.open(config.sources))) for each in choices}
        labelled = partial(_labelled, sources=sources, find=_labellers(model, config, networks))
        drawn = _all(reads, labelled) if several else [labelled(_chosen(reads, read_id))]
    if out.suffix == PAGE:
        figures = [
            plot.interactive_squiggle(each.read, each.tracks, each.curves, quantity=each.quantity, start=start, end=end)
            for each in drawn
        ]
        plot.save_page(figures, out)
    else:
        [each] = drawn
        picture = plot.overview(each.read, each.tracks, each.curves, quantity=each.quantity, start=start, end=end)
        plot.save(picture, out)
    return [each.read for each in drawn]


def _chosen(reads: ReadStream, read_id: str | None) -> Read:
    if read_id is not None:
        try:
            return reads[read_id]
        except KeyError as exc:
            known = reads.read_ids
            example = f"; choose one, such as {known[0]}" if known else ""
            raise ConfigError(f"read {read_id}: not among these {len(known):,} reads{example}") from exc
    read = next(iter(reads), None)
    if read is None:
        raise _none_drawn(reads)
    return read


def _all(reads: ReadStream, labelled: Callable[[Read], _Drawn]) -> list[_Drawn]:
    drawn = []
    for read in reads:
        try:
            drawn.append(labelled(read))
        except ReadDropped as exc:
            reads.ledger.drop(exc, read_id=read.read_id, source=read.source)
            warnings.warn(f"left out: {exc}", stacklevel=4)
    if not drawn:
        raise _none_drawn(reads)
    return drawn


def _none_drawn(reads: ReadStream) -> ConfigError:
    return ConfigError(f"{reads.files[0]}: no read that can be drawn ({reads.ledger.summary()}); give other files")


def _labellers(model: Path | str | None, config: PlotConfig, networks: Networks) -> Callable[[Read], Labeller] | None:
    """Return a function that returns the labeller of a read; None without a model."""
    if model is None:
        return None
    found = found_model(model, finds_bases, config.inference, networks, config.fit)
    loaded = cache(partial(load, config=config.inference, networks=networks, fit=config.fit))
    return lambda read: loaded(found.name_for(read))


def _labelled(read: Read, *, sources: Mapping[str, LabelSource], find: Callable[[Read], Labeller] | None) -> _Drawn:
    """Take the read's events from each label source, and from a model."""
    tracks = {name: events_of(source, read) for name, source in sources.items()}
    curves = _values(read, tracks)
    if find is None:
        return _Drawn(read, tracks, curves)
    labeller = find(read)
    asked = labeller.recipe.asked
    events, found = _found(labeller, read)
    curves = found if asked.quantity == PROBABILITY else curves | found
    return _Drawn(read, tracks | ({"model": events} if asked.events_drawn else {}), curves, asked.quantity)


def _values(read: Read, tracks: Mapping[str, Events]) -> dict[str, NDArray[np.float32]]:
    """Return the values of the labels that have some."""
    with_values = {name: events for name, events in tracks.items() if np.isfinite(events.value).any()}
    return {name: values_of(events, len(read.adc)) for name, events in with_values.items()}


def _found(labeller: Labeller, read: Read) -> tuple[Events, dict[str, NDArray[np.float32]]]:
    """Return the events that a model finds, and its probability of each class at each sample of the read."""
    probabilities_CT = labeller.probabilities(read)
    classes = labeller.recipe.asked.tracks(labeller.recipe.classes)
    curves = {name: _at_samples(probabilities_CT[i], len(read.adc)) for i, name in classes.items()}
    return labeller.decode(read, probabilities_CT), curves


def _at_samples(probability_T: NDArray[np.float32], n_samples: int) -> NDArray[np.float32]:
    """Return probabilities at the read's own sample rate: at each sample those of the model's sample there."""
    return probability_T[np.arange(n_samples) * len(probability_T) // n_samples]
