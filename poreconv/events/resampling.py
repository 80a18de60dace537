"""Events at another sample rate."""

import numpy as np
from numpy.typing import NDArray

from poreconv.events.events import Events


def resample_events(events: Events, n_samples: int, n_new: int, ratio: float) -> Events:
    """Move events to another sample rate.

    A boundary lies half a sample before an event's first sample; the first sample at the new rate is the first one
    after that moment. So events that are moved to a higher rate and back are unchanged.

    Args:
        events: Events of one read.
        n_samples: Samples of the read at the events' rate.
        n_new: Samples of the read at the new rate.
        ratio: New rate / old rate.

    Returns:
        The events that still span a sample; at a lower rate, short ones may not.
    """

    def moved(place: NDArray[np.int64]) -> NDArray[np.int64]:
        new = np.clip(np.ceil((place - 0.5) * ratio), 0, n_new).astype(np.int64)
        return np.where(place == n_samples, n_new, new)

    start, end = moved(events.start), moved(events.end)
    kept = end > start
    return Events.of(
        start[kept],
        end[kept],
        label=events.label[kept],
        classes=events.classes,
        score=events.score[kept],
        value=events.value[kept],
        coverage=moved(events.coverage),
    )
