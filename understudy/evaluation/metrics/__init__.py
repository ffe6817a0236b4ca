"""FAMILY: one metric a file, one line in the table.

A member's file holds its result, its `score` and its `Metric`; heavy libraries are imported inside the
functions that use them, so that the catalogue can be listed by a process that never computes a score.
"""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from understudy.evaluation.metrics.base import Metric, Unscored
from understudy.evaluation.metrics.column_pairs import COLUMN_PAIRS, ColumnPairs
from understudy.evaluation.metrics.column_shapes import COLUMN_SHAPES, ColumnShapes
from understudy.evaluation.metrics.exact_copies import EXACT_COPIES, ExactCopies
from understudy.evaluation.metrics.nearest_record import NEAREST_RECORD, NearestRecord
from understudy.evaluation.metrics.train_synthetic_test_real import (
    TRAIN_SYNTHETIC_TEST_REAL,
    TrainSyntheticTestReal,
)
from understudy.evaluation.metrics.two_sample import TWO_SAMPLE, TwoSample

__all__ = [
    "METRICS",
    "AnyResult",
    "ColumnPairs",
    "ColumnShapes",
    "ExactCopies",
    "NearestRecord",
    "TrainSyntheticTestReal",
    "TwoSample",
]

METRICS: dict[str, Metric] = {
    metric.name: metric
    for metric in (
        COLUMN_SHAPES,
        COLUMN_PAIRS,
        TWO_SAMPLE,
        TRAIN_SYNTHETIC_TEST_REAL,
        NEAREST_RECORD,
        EXACT_COPIES,
    )
}

AnyResult = Annotated[
    ColumnShapes | ColumnPairs | TwoSample | TrainSyntheticTestReal | NearestRecord | ExactCopies | Unscored,
    Field(discriminator="metric"),
]
