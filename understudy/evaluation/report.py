"""Scores of a synthetic against a real table, each beside the same score of two references."""

from __future__ import annotations

import platform
from dataclasses import replace
from importlib.metadata import version
from typing import Annotated, Literal, cast

import numpy as np
import pyarrow as pa
from pydantic import BaseModel, ConfigDict, Field

from understudy.evaluation.baseline import draw_independent
from understudy.evaluation.comparison import N_ROWS_MAX_OTHER, Comparison, compare, encode
from understudy.evaluation.distributions import Distribution, distribution
from understudy.evaluation.left_out import LeftOut, leave_out, select
from understudy.evaluation.metrics import METRICS, AnyResult
from understudy.evaluation.metrics.base import (
    Direction,
    Metric,
    MetricResult,
    StandIn,
    Topic,
    Unscored,
    missing_need,
)
from understudy.progress import Progress, no_progress
from understudy.tables.schema import Schema


class TableSize(BaseModel):
    """How large a table is, and how much of it was looked at."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    n_rows: int
    n_rows_used: Annotated[
        int, Field(description="Rows drawn for the scores; a metric may draw fewer, see its `n_rows`.")
    ]


class MetricScores(BaseModel):
    """A metric's score of the synthetic table, and of what it is read against."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str
    title: str
    summary: str
    topic: Topic
    direction: Direction
    range: tuple[float, float]
    best: float
    synthetic: AnyResult
    baseline: Annotated[
        AnyResult | None, Field(description="Of columns drawn independently: what costs nothing to reach.")
    ] = None
    real: Annotated[
        AnyResult | None,
        Field(description="Of real rows in the place of synthetic ones: what cannot be beaten."),
    ] = None


class SummaryRow(BaseModel):
    """One headline score."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str
    label: str
    value: float | None
    interval: tuple[float, float] | None = None
    baseline: float | None
    real: float | None
    best: float
    explanation: str
    reason: Annotated[str | None, Field(description="Why there is no value.")] = None


class Report(BaseModel):
    """How far a synthetic table may be trusted; the same tables and seed give the same report."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    schema_version: Literal["1"] = "1"
    versions: Annotated[dict[str, str], Field(description="Of the software that computed the scores.")]
    seed: int
    target: str | None
    tables: Annotated[dict[str, TableSize], Field(description="By role: real, synthetic, holdout, baseline.")]
    metrics: list[MetricScores]
    columns: list[Distribution]
    left_out: Annotated[
        list[LeftOut],
        Field(description="Columns that no score speaks of: identifiers, texts, personal fields."),
    ] = []

    def scores(self, name: str) -> MetricScores:
        """Return the scores of a metric."""
        return next(scores for scores in self.metrics if scores.name == name)

    def summary(self) -> list[SummaryRow]:
        """Return the headline scores, one row a metric."""
        return [_summary_row(scores) for scores in self.metrics]


def evaluate(
    real: pa.Table,
    synthetic: pa.Table,
    schema: Schema,
    *,
    holdout: pa.Table | None = None,
    target: str | None = None,
    seed: int = 0,
    progress: Progress = no_progress,
) -> Report:
    """Score a synthetic against a real table.

    Parameters
    ----------
    real : pyarrow.Table
        The rows that were learnt from; as all tables, not changed.
    schema : Schema
        Columns that all tables have.
    holdout : pyarrow.Table, optional
        Real rows that nothing was learnt from; without them some scores cannot be given.
    target : str, optional
        A column that a model shall predict.

    Raises
    ------
    InvalidInput
        If a table has no rows or does not conform to the schema, or the target is not in the schema.
    """
    progress("scoring", 0.0)
    schema, left_out = leave_out(real, synthetic, schema, target)
    real, synthetic = (select(table, schema, left_out) for table in (real, synthetic))
    holdout = None if holdout is None else select(holdout, schema, left_out)
    comparison = compare(real, synthetic, schema, holdout=holdout, target=target, seed=seed)
    references = _references(comparison, real, schema)
    metrics = []
    for i, metric in enumerate(METRICS.values(), start=1):
        metrics.append(_score(metric, comparison, references))
        progress("scoring", i / len(METRICS))
    tables = {
        "real": comparison.real,
        "synthetic": comparison.synthetic,
        "baseline": references["baseline"].synthetic,
    }
    if comparison.holdout is not None:
        tables["holdout"] = comparison.holdout
    return Report(
        versions=_versions(),
        seed=seed,
        target=target,
        tables={
            role: TableSize(n_rows=table.n_rows_total, n_rows_used=table.n_rows)
            for role, table in tables.items()
        },
        metrics=metrics,
        columns=[distribution(comparison, i) for i in range(len(comparison.columns))],
        left_out=left_out,
    )


def _references(comparison: Comparison, real: pa.Table, schema: Schema) -> dict[str, Comparison]:
    """Return the comparisons in which something else takes the synthetic table's place."""
    n_rows = min(comparison.synthetic.n_rows, N_ROWS_MAX_OTHER)
    independent = draw_independent(real, schema, n_rows, seed=comparison.seed)
    baseline = encode(comparison.encoder, independent, role="baseline", seed=comparison.seed)
    stand_ins = {"baseline": baseline, StandIn.training: comparison.real}
    if comparison.holdout is not None:
        # As many rows as the synthetic table has, if there are: small samples differ more by chance.
        stand_ins[StandIn.holdout] = comparison.holdout.draw(
            comparison.synthetic.n_rows, comparison.rng("real stand-in")
        )
    return {role: replace(comparison, synthetic=table) for role, table in stand_ins.items()}


def _score(metric: Metric, comparison: Comparison, references: dict[str, Comparison]) -> MetricScores:
    real = references.get(metric.stand_in) if metric.stand_in else None
    synthetic = _result(metric, comparison)
    is_scored = isinstance(synthetic, MetricResult)
    return MetricScores(
        name=metric.name,
        title=metric.title,
        summary=metric.summary,
        topic=metric.topic,
        direction=metric.direction,
        range=metric.range,
        best=metric.best,
        synthetic=synthetic,
        baseline=_result(metric, references["baseline"]) if is_scored else None,
        real=_result(metric, real) if is_scored and real is not None else None,
    )


def _result(metric: Metric, comparison: Comparison) -> AnyResult:
    """Return the score, or why there is none: one metric must not cost the report."""
    unmet = missing_need(metric, comparison)
    if unmet is not None:
        return unmet
    try:
        result = cast(AnyResult, metric.score(comparison))
    except (ValueError, ArithmeticError) as error:
        return Unscored(reason=f"could not be computed on these tables ({type(error).__name__})")
    if result.score is not None and not np.isfinite(result.score):
        return Unscored(reason="is not defined on these tables")
    return result


def _summary_row(scores: MetricScores) -> SummaryRow:
    found = scores.synthetic
    return SummaryRow(
        name=scores.name,
        label=scores.title,
        value=found.score,
        interval=None if isinstance(found, Unscored) else found.interval,
        baseline=None if scores.baseline is None else scores.baseline.score,
        real=None if scores.real is None else scores.real.score,
        best=scores.best,
        explanation=scores.summary,
        reason=found.reason if isinstance(found, Unscored) else None,
    )


def _versions() -> dict[str, str]:
    names = ("understudy", "numpy", "pyarrow", "scikit-learn")
    return {"python": platform.python_version()} | {name: version(name) for name in names}
