"""The public Python API, exported by `understudy`, for frames, Arrow tables and files."""

from __future__ import annotations

from understudy.engine.evaluation import evaluate
from understudy.engine.fitting import PRESETS, fit, infer_schema
from understudy.engine.functions import impute, load, sample, save
from understudy.engine.model import Model
from understudy.engine.splitting import split
from understudy.evaluation.report import Report
from understudy.parameters.constraints import (
    ColumnConstraint,
    ColumnRebalance,
    SampleCondition,
    SamplingConstraints,
    TargetShare,
)
from understudy.parameters.evaluation_options import AggregateQuery, EvaluationOptions
from understudy.parameters.policy import Policy, PolicyThreshold
from understudy.synthesizers import IndependentParameters, TreeChainParameters
from understudy.tables.domains import ColumnDomain
from understudy.tables.findings import Findings
from understudy.tables.schema import Column, ColumnKind, DatasetSchema, Relationship, TableSchema

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
