"""Usefulness metrics: the suitability of synthetic rows for machine learning and aggregate queries."""

from __future__ import annotations

from understudy.evaluation.metrics.base import Metric
from understudy.evaluation.metrics.usefulness.augmentation import AUGMENTATION, AugmentationResult
from understudy.evaluation.metrics.usefulness.queries import QUERIES, QueriesResult
from understudy.evaluation.metrics.usefulness.rare_class import RARE_CLASS, RareClassResult
from understudy.evaluation.metrics.usefulness.train_synthetic_test_real import (
    TRAIN_SYNTHETIC_TEST_REAL,
    TrainSyntheticTestRealResult,
)

__all__ = [
    "USEFULNESS",
    "AugmentationResult",
    "QueriesResult",
    "RareClassResult",
    "TrainSyntheticTestRealResult",
]

USEFULNESS: tuple[Metric, ...] = (TRAIN_SYNTHETIC_TEST_REAL, RARE_CLASS, AUGMENTATION, QUERIES)
