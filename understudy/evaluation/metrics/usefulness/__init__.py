"""Whether the synthetic table does the real one's work."""

from __future__ import annotations

from understudy.evaluation.metrics.base import Metric
from understudy.evaluation.metrics.usefulness.train_synthetic_test_real import (
    TRAIN_SYNTHETIC_TEST_REAL,
    TrainSyntheticTestReal,
)

__all__ = ["USEFULNESS", "TrainSyntheticTestReal", "UsefulnessResult"]

USEFULNESS: tuple[Metric, ...] = (TRAIN_SYNTHETIC_TEST_REAL,)

UsefulnessResult = TrainSyntheticTestReal
