"""Whether the synthetic table does the real one's work."""

from __future__ import annotations

from understudy.evaluation.metrics.base import Metric
from understudy.evaluation.metrics.usefulness.augmentation import AUGMENTATION, Augmentation
from understudy.evaluation.metrics.usefulness.queries import QUERIES, Queries
from understudy.evaluation.metrics.usefulness.rare_class import RARE_CLASS, RareClass
from understudy.evaluation.metrics.usefulness.train_synthetic_test_real import (
    TRAIN_SYNTHETIC_TEST_REAL,
    TrainSyntheticTestReal,
)

__all__ = ["USEFULNESS", "Augmentation", "Queries", "RareClass", "TrainSyntheticTestReal", "UsefulnessResult"]

USEFULNESS: tuple[Metric, ...] = (TRAIN_SYNTHETIC_TEST_REAL, RARE_CLASS, AUGMENTATION, QUERIES)

UsefulnessResult = TrainSyntheticTestReal | RareClass | Augmentation | Queries
