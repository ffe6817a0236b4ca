"""Fit models on tables, sample synthetic rows, and evaluate their fidelity, usefulness and privacy.

>>> import pandas as pd
>>> import understudy
>>> people = pd.DataFrame({"age": range(20, 80), "city": ["Oslo", "Rome", "Lima"] * 20})
>>> model = understudy.fit(people, seed=1)
>>> rows = model.sample(60, seed=2)
>>> rows.shape
(60, 2)
>>> report = understudy.evaluate(people, rows, schema=model)
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from understudy.engine import (
        PRESETS,
        AggregateQuery,
        Column,
        ColumnConstraint,
        ColumnDomain,
        ColumnKind,
        ColumnRebalance,
        DatasetSchema,
        EvaluationOptions,
        Findings,
        IndependentParameters,
        Model,
        Policy,
        PolicyThreshold,
        Relationship,
        Report,
        SampleCondition,
        SamplingConstraints,
        TableSchema,
        TargetShare,
        TreeChainParameters,
        evaluate,
        fit,
        impute,
        infer_schema,
        load,
        sample,
        save,
        split,
    )

__all__ = [
    "PRESETS",
    "AggregateQuery",
    "Column",
    "ColumnConstraint",
    "ColumnDomain",
    "ColumnKind",
    "ColumnRebalance",
    "DatasetSchema",
    "EvaluationOptions",
    "Findings",
    "IndependentParameters",
    "Model",
    "Policy",
    "PolicyThreshold",
    "Relationship",
    "Report",
    "SampleCondition",
    "SamplingConstraints",
    "TableSchema",
    "TargetShare",
    "TreeChainParameters",
    "evaluate",
    "fit",
    "impute",
    "infer_schema",
    "load",
    "sample",
    "save",
    "split",
]


def __getattr__(name: str) -> Any:  # `Any` is a class, a function or a tuple.
    # The attribute is loaded on first access because every process of the service imports `understudy` at
    # its start.
    if name in __all__:
        return getattr(import_module("understudy.engine"), name)
    if name == "__version__":
        return import_module("importlib.metadata").version("understudy")
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
