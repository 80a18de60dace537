"""How good labels are: boundaries matched one to one, segments compared sample by sample. No Lightning in here."""

from poreconv.matching import TOLERANCES, match_count, match_counts, nearest_distance
from poreconv.metrics.boundary import BoundaryMetric
from poreconv.metrics.reliability import ReliabilityMetric
from poreconv.metrics.segment import SegmentMetric

__all__ = [
    "TOLERANCES",
    "BoundaryMetric",
    "ReliabilityMetric",
    "SegmentMetric",
    "match_count",
    "match_counts",
    "nearest_distance",
]
