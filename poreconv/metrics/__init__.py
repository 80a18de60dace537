"""How good labels are: boundaries matched one to one, segments compared by samples, classes of reads read by read.

No Lightning in here.
"""

from poreconv.matching import TOLERANCES, match_count, match_counts, nearest_distance
from poreconv.metrics.boundary import BoundaryMetric
from poreconv.metrics.read import ReadMetric
from poreconv.metrics.reliability import ReliabilityMetric
from poreconv.metrics.segment import SegmentMetric

__all__ = [
    "TOLERANCES",
    "BoundaryMetric",
    "ReadMetric",
    "ReliabilityMetric",
    "SegmentMetric",
    "match_count",
    "match_counts",
    "nearest_distance",
]
