"""Events as Tombo's resquiggle writes them into a read's fast5 group; `poreconv.labels.sources.tombo` reads them."""

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from ont_fast5_api.fast5_read import Fast5Read

from poreconv.events.events import Events
from poreconv.events.targets import BASES
from poreconv.events.writers.table import ReadFacts
from poreconv.reads.read import Read
from poreconv.reads.scaling import SD_PER_MAD, med_mad

GROUP, TEMPLATE = "RawGenomeCorrected_000", "BaseCalled_template"

EVENTS = np.dtype(
    [("norm_mean", "<f8"), ("norm_stdev", "<f8"), ("start", "<u4"), ("length", "<u4"), ("base", "S1")]
)  # fmt: skip

CLIP = 5.0
"""Tombo's default ``outlier_threshold``: the largest distance from the median, in MADs; larger ones are clipped."""


class Resquiggle(NamedTuple):
    """What Tombo writes about one read."""

    attributes: dict[str, Any]
    """Attributes of the group, among them how the signal was normalised: ``(counts - shift) / scale``, clipped."""
    first_sample: int
    """``read_start_rel_to_raw``: where the first event starts, on the reversed signal for RNA."""
    events: NDArray[Any]
    """Rows of ``EVENTS``, 5' to 3'; ``start`` counts from ``first_sample``."""


def resquiggle_of(read: Read, events: Events) -> Resquiggle:
    """Convert events to Tombo's format: on the reversed signal for RNA, N for an event that is not a base.

    The median and the MAD are those of the whole read; Tombo fits both to the sequence in the end, so its own
    ``norm_mean`` differs from this one by a shift and a factor. Gaps between events are kept; Tombo has none. The
    alignment to a reference (``Alignment``) and the match score, which Tombo writes, are missing.

    Args:
        read: A read of at least one sample.
        events: At least one event; classes A, C, G, T, or others that become N.

    Raises:
        SignalError: The read is flat.

    Source:
        Stoiber et al. 2016, doi:10.1101/094672; layout and scale as in files that Tombo 1.5.1 wrote.
    """
    shift_pa, sd_pa = med_mad(read.pa)
    gain, offset = read.calibration.scale, read.calibration.offset
    shift, scale = shift_pa / gain - offset, abs(sd_pa / SD_PER_MAD / gain)
    rows = np.empty(len(events), EVENTS)
    level = np.clip((read.adc - shift) / scale, -CLIP, CLIP)
    rows["norm_mean"], rows["norm_stdev"] = _mean_and_sd(level, events)
    rows["start"], rows["length"], rows["base"] = events.start, events.duration, _letters(events)
    rna = ReadFacts.of(read).rna
    if rna:
        rows["start"] = len(read.adc) - events.end
        rows = rows[::-1]
    first_sample = int(rows["start"][0])
    rows["start"] -= np.uint32(first_sample)
    limits = {"lower_lim": -CLIP, "upper_lim": CLIP, "outlier_threshold": CLIP}
    normalisation = {"status": "success", "rna": rna, "norm_type": "median", "shift": shift, "scale": scale}
    return Resquiggle(normalisation | limits, first_sample, rows)


def _mean_and_sd(level: NDArray[np.float64], events: Events) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    edge = np.column_stack([events.start, events.end]).ravel()
    mean, square = (
        np.add.reduceat(np.append(values, 0), edge)[::2]
        / events.duration  # between starts and ends; the 0 ends the last
        for values in (level, level**2)
    )
    return mean, np.sqrt(np.maximum(square - mean**2, 0))


def _letters(events: Events) -> NDArray[np.bytes_]:
    letters = [name if name in BASES else "N" for name in events.classes]
    return np.array([*letters, "N"], "S1")[events.label]  # class -1 is the last


def add_resquiggle(written: Fast5Read, resquiggle: Resquiggle) -> None:
    """Add a resquiggle to a read in a fast5 file that is open for writing.

    Args:
        written: The read in the file.
        resquiggle: What `resquiggle_of` returns.
    """
    written.add_analysis("resquiggle", GROUP, {"name": "poreconv"})
    written.add_analysis_subgroup(GROUP, TEMPLATE, resquiggle.attributes)
    # Not add_analysis_dataset: version 4.1.3 uses names that numpy 2 no longer has.
    template = written.handle[f"Analyses/{GROUP}/{TEMPLATE}"]
    chunks = resquiggle.events.shape  # in one piece, smaller and faster to read
    table = template.create_dataset("Events", data=resquiggle.events, chunks=chunks, compression="gzip")
    table.attrs["read_start_rel_to_raw"] = resquiggle.first_sample
