"""How good labels are: boundaries matched one to one, segments compared by samples, classes of reads read by read.

No Lightning in here.
"""

from poreconv.matching import TOLERANCES, match_count, match_counts, nearest_distance
from poreconv.metrics.boundary import BoundaryMetric
from poreconv.metrics.read import ReadMetric
from poreconv.metrics.reliability import ReliabilityMetric
from poreconv.metrics.segment import SegmentMetric
from poreconv.metrics.values import to_dict

__all__ = [
    "TOLERANCES",
    "BoundaryMetric",
    "ReadMetric",
    "ReliabilityMetric",
    "SegmentMetric",
    "match_count",
    "match_counts",
    "nearest_distance",
    "to_dict",
]
