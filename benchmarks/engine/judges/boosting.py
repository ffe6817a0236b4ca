"""Boosted trees for judges. XGBoost is imported locally, because only the extra `bench` installs it."""

from __future__ import annotations

import os
from typing import Any


def make_classifier(seed: int) -> Any:
    """Return a classifier that is not yet fitted."""
    from xgboost import XGBClassifier

    return XGBClassifier(**_parameters(seed))


def make_regressor(seed: int) -> Any:
    """Return a regressor that is not yet fitted."""
    from xgboost import XGBRegressor

    return XGBRegressor(**_parameters(seed))


def _parameters(seed: int) -> dict[str, Any]:
    return {
        "n_estimators": 200,
        "max_depth": 6,
        "learning_rate": 0.1,
        "tree_method": "hist",
        "n_jobs": len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count(),
        "random_state": seed,
    }
