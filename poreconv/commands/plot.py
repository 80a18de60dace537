"""A picture of one read: its current, its labels, and the events that a model finds."""

from collections.abc import Mapping, Sequence
from contextlib import closing
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from poreconv import plot
from poreconv.config import PlotConfig, SourceConfig
from poreconv.errors import ConfigError
from poreconv.events.events import Events
from poreconv.events.targets import values_of
from poreconv.inference.auto import finds_bases, found_model
from poreconv.inference.labeller import Labeller, load
from poreconv.labels.opening import LabelsAsked, choose_labels, events_of
from poreconv.models.own import Networks
from poreconv.plot.panels import PROBABILITY
from poreconv.plot.saving import STILL
from poreconv.reads.read import Read
from poreconv.reads.readers import ReadStream, open_reads
from poreconv.reads.selection import Selection
from poreconv.runtime.files import PAGE
from poreconv.runtime.outputs import writes_out


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
) -> Read:
    """Draw one read: as a picture, all of it and a part enlarged; as a page, all of it, to zoom and drag.

    Args:
        paths: Signal files and folders: one, or several.
        out: ``.png``, ``.svg``, ``.pdf``, or ``.html``, which works without a network; replaced if it exists.
        read_id: Id of the read; default: the first.
        labels: Names in ``LABEL_SOURCES``, or your own, see `prepare`; each becomes a track.
        labels_from: Files of the label sources; ``NAME=FILE`` if several sources read files.
        model: A bundle that `train` wrote, or the name of a shipped model, whose events and probabilities are drawn;
            ``auto``: the shipped model of base boundaries that fits the read.
        start: First sample of the enlarged part.
        end: Sample after its last. Without ``start`` and ``end``: around the boundary in the middle of the first track;
            on a page, the whole read.
        config: How files and label sources are read, and how the model runs.
        networks: The network of a bundle that was trained with the user's own; see `load`.

    Returns:
        The read.

    Raises:
        ConfigError: There is no such read, it has no such samples, or the suffix names no format.
        LabelError: A source has no label for the read, or a label that does not fit it.
        MismatchError: The model was not trained for such reads.
    """
    out = Path(out)
    if out.suffix not in (*STILL, PAGE):
        raise ConfigError(f"{out}: no picture format has this suffix; end the name in {', '.join((*STILL, PAGE))}")
    config = config or PlotConfig()
    selection, skip = Selection.of(config.files), config.files.skip_bad_files
    with open_reads(paths, selection=selection, skip_bad_files=skip) as reads:
        read = _chosen(reads, read_id)
        tracks = _labelled(read, labels, labels_from, config.sources)
    curves, quantity = _values(read, tracks), "value"
    if model is not None:
        fitting = found_model(model, finds_bases, config.inference, networks, config.fit).name_for(read)
        labeller = load(fitting, config.inference, networks=networks, fit=config.fit)
        quantity = labeller.recipe.asked.quantity
        events, found = _found(labeller, read)
        curves = found if quantity == PROBABILITY else curves | found
        tracks |= {"model": events} if labeller.recipe.asked.events_drawn else {}
    if out.suffix == PAGE:
        page = plot.interactive_squiggle(read, tracks, curves, quantity=quantity, start=start or 0, end=end)
        plot.save_page(page, out)
    else:
        plot.save(plot.overview(read, tracks, curves, quantity=quantity, start=start, end=end), out)
    return read


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
        raise ConfigError(f"{reads.files[0]}: no read that can be drawn ({reads.ledger.summary()}); give other files")
    return read


def _labelled(read: Read, labels: LabelsAsked, given: Sequence[Path | str], config: SourceConfig) -> dict[str, Events]:
    """Return the read's events by label source."""
    tracks: dict[str, Events] = {}
    for choice in choose_labels(labels, given) if labels else ():
        with closing(choice.open(config)) as source:
            tracks[choice.name] = events_of(source, read)
    return tracks


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
