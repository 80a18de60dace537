"""Metrics of labels: boundaries matched one to one, segments compared sample by sample, classes compared read by read.

This package does not import Lightning.
"""

from poreconv.evaluation.metrics.boundary import BoundaryMetric
from poreconv.evaluation.metrics.read import ReadMetric
from poreconv.evaluation.metrics.reliability import ReliabilityMetric
from poreconv.evaluation.metrics.segment import SegmentMetric
from poreconv.events.matching import TOLERANCES, match_count, match_counts, nearest_distance

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
