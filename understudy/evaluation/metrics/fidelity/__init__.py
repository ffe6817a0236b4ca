"""Whether the synthetic table says what the real one says."""

from __future__ import annotations

from understudy.evaluation.metrics.base import Metric
from understudy.evaluation.metrics.fidelity.column_pairs import COLUMN_PAIRS, ColumnPairs
from understudy.evaluation.metrics.fidelity.column_shapes import COLUMN_SHAPES, ColumnShapes
from understudy.evaluation.metrics.fidelity.two_sample import TWO_SAMPLE, TwoSample

__all__ = ["FIDELITY", "ColumnPairs", "ColumnShapes", "FidelityResult", "TwoSample"]

FIDELITY: tuple[Metric, ...] = (
    COLUMN_SHAPES,
    COLUMN_PAIRS,
    TWO_SAMPLE,
)

FidelityResult = ColumnShapes | ColumnPairs | TwoSample
