"""Events at another sample rate."""

import numpy as np
from numpy.typing import NDArray

from poreconv.events.events import Events


def resample_events(events: Events, n_samples: int, n_new: int, ratio: float) -> Events:
    """Give events the places that they have at another sample rate.

    A boundary lies half a sample before an event's first; the new first sample is the first after the same moment. So
    events that went to a higher rate and back are where they were.

    Args:
        events: Of a read of ``n_samples``.
        n_samples: Its samples at the events' rate.
        n_new: Its samples at the new rate.
        ratio: New rate / old rate.

    Returns:
        The events that still have a sample; at a lower rate short ones may have none.
    """

    def moved(place: NDArray[np.int64]) -> NDArray[np.int64]:
        new = np.clip(np.ceil((place - 0.5) * ratio), 0, n_new).astype(np.int64)
        return np.where(place == n_samples, n_new, new)

    start, end = moved(events.start), moved(events.end)
    there = end > start
    return Events.of(
        start[there],
        end[there],
        label=events.label[there],
        classes=events.classes,
        score=events.score[there],
        coverage=moved(events.coverage),
    )
