"""Understudy learns a role from the real actor and stands in: synthetic tables, and how far to trust them.

model = understudy.fit("people.csv", seed=1)
rows = understudy.sample(model, 1_000, seed=2)
report = understudy.evaluate("people.csv", rows, options=understudy.EvaluationOptions(target="income"))
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from understudy.engine import (
        AggregateQuery,
        ColumnConstraint,
        ColumnRebalance,
        EvaluationOptions,
        Policy,
        PolicyThreshold,
        SampleCondition,
        SamplingConstraints,
        TargetShare,
        evaluate,
        fit,
        impute,
        load,
        sample,
        save,
    )

__all__ = [
    "AggregateQuery",
    "ColumnConstraint",
    "ColumnRebalance",
    "EvaluationOptions",
    "Policy",
    "PolicyThreshold",
    "SampleCondition",
    "SamplingConstraints",
    "TargetShare",
    "evaluate",
    "fit",
    "impute",
    "load",
    "sample",
    "save",
]


def __getattr__(name: str) -> Any:  # Any: whatever the module of public names holds
    # Loaded when first asked for: `import understudy` is part of the start of every process of the service.
    if name in __all__:
        return getattr(import_module("understudy.engine"), name)
    if name == "__version__":
        return import_module("importlib.metadata").version("understudy")
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
