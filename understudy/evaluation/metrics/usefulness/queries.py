"""Aggregate query error: the difference between the two tables' answers to aggregate queries."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field

from understudy.evaluation.comparison import Comparison
from understudy.evaluation.encoding import is_missing
from understudy.evaluation.metrics.base import Metric, MetricResult, Need, RealBaseline, UnscoredResult
from understudy.evaluation.statistics.distributions import N_ROWS_SHOWN_MIN, TEMPORAL_KINDS
from understudy.evaluation.statistics.influence import Z_95
from understudy.evaluation.statistics.query_answers import (
    Answers,
    Grouping,
    Unanswerable,
    both_answers,
    described,
    grouping,
)
from understudy.parameters.evaluation_options import AggregateQuery
from understudy.tables.schema import ColumnKind

# Maximum number of groups per query. The largest groups are used. A query that groups by three columns can
# have thousands of groups.
N_GROUPS_SHOWN_MAX = 50
# Number of significant digits of an answer. More digits are not meaningful and could reveal single rows.
N_DIGITS = 4

Interval = tuple[float, float]
Measure = Literal["relative", "absolute", "in standard deviations"]


class QueryGroupAnswer(BaseModel):
    """Answers for one group of a query."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    group: Annotated[tuple[str, ...], Field(description="Values of the grouping columns.")]
    n_real: Annotated[
        int, Field(description="Number of real rows that the answer is computed from: 0 or at least 5.")
    ]
    real: float
    synthetic: Annotated[
        float | None,
        Field(description="Answer from the synthetic table. Null if the group contains no synthetic rows."),
    ]
    synthetic_interval: Annotated[
        Interval | None,
        Field(
            description="Confidence interval (95%) of the synthetic answer. The interval treats the "
            "synthetic rows as a random sample."
        ),
    ] = None
    difference_interval: Annotated[
        Interval | None,
        Field(
            description="Confidence interval (95%) of the difference between the synthetic answer and the "
            "real answer. The interval treats the rows of both tables as random samples."
        ),
    ] = None
    error: Annotated[float, Field(description="Error in the unit of `measure`, capped at 1.")]
    is_within: Annotated[
        bool | None,
        Field(description="Whether the interval of the synthetic answer contains the real answer."),
    ] = None


class QueryAnswers(BaseModel):
    """Results of one query on the real and on the synthetic table."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str
    description: Annotated[str, Field(description="The query in words.")]
    measure: Annotated[
        Measure,
        Field(
            description="Unit of the error: an absolute difference for shares, standard deviations for "
            "dates, times of day and timestamps, and a relative difference for other values."
        ),
    ]
    error: Annotated[float | None, Field(description="Mean error over the groups.")] = None
    groups: Annotated[
        list[QueryGroupAnswer],
        Field(description="Groups of the query, largest first. At most 50 are listed."),
    ] = []
    n_groups_hidden: Annotated[
        int, Field(description="Number of groups with too few real rows, which are neither shown nor scored.")
    ] = 0
    n_groups_left_out: Annotated[
        int, Field(description="Number of groups that are not among the 50 largest.")
    ] = 0
    n_groups_invented: Annotated[
        int, Field(description="Number of combinations of values that occur only in synthetic rows.")
    ] = 0
    reason: Annotated[str | None, Field(description="Reason why the query has no answer.")] = None


class QueriesResult(MetricResult):
    """Mean error of the queries that have an answer."""

    metric: Literal["queries"] = "queries"
    queries: list[QueryAnswers]


@dataclass(frozen=True)
class _Both:
    """Results of one query on the real and on the synthetic table, before rounding."""

    query: AggregateQuery
    grouping: Grouping
    real: Answers
    synthetic: Answers
    measure: Measure
    # Difference between the two answers that counts as an error of 1. None for relative errors, because the
    # difference then depends on the group.
    unit: float | None


def score(comparison: Comparison) -> QueriesResult | UnscoredResult:
    """Return the mean error of the answers, with each error capped at 1."""
    if not comparison.options.queries:
        return UnscoredResult(reason="needs queries")
    answers = [_answered(comparison, query) for query in comparison.options.queries]
    errors = [answer.error for answer in answers if answer.error is not None]
    if not errors:
        # The description is not used because it contains values from the query's conditions.
        name = comparison.options.queries[0].name
        which = "first query" if name is None else f"query {name!r}"
        return UnscoredResult(reason=f"has no answer to show: the {which} {answers[0].reason}")
    return QueriesResult(
        score=float(np.mean(errors)),
        queries=answers,
        n_rows={"real": comparison.real.n_rows, "synthetic": comparison.synthetic.n_rows},
    )


def _answered(comparison: Comparison, query: AggregateQuery) -> QueryAnswers:
    description = described(query)
    name = query.name or description
    measure, unit = _measure(comparison, query)
    try:
        groups = grouping(comparison, query)
        real, synthetic = both_answers(comparison, query, groups)
    except Unanswerable as error:
        return QueryAnswers(name=name, description=description, measure=measure, reason=str(error))
    return _shown(name, description, _Both(query, groups, real, synthetic, measure, unit))


def _measure(comparison: Comparison, query: AggregateQuery) -> tuple[Measure, float | None]:
    """Return the kind of error and its unit. A point in time has no zero, so its error cannot be relative."""
    if query.aggregate == "share":
        return "absolute", 1.0
    if query.column is None or query.aggregate == "distinct":
        return "relative", None
    i = comparison.encoder_index(query.column)
    if comparison.columns[i].kind in TEMPORAL_KINDS - {ColumnKind.duration}:
        values = comparison.real.columns[i]
        known = values[~is_missing(values)]
        return "in standard deviations", float(known.std()) or 1.0 if len(known) else 1.0
    return "relative", None


def _shown(name: str, description: str, both: _Both) -> QueryAnswers:
    may_be_shown = _may_be_shown(both.query, both.real)
    largest = np.argsort(-both.real.n, kind="stable")
    kept = largest[may_be_shown[largest]][:N_GROUPS_SHOWN_MAX]
    groups = [_group(both, int(g)) for g in kept]
    return QueryAnswers(
        name=name,
        description=description,
        measure=both.measure,
        error=float(np.mean([group.error for group in groups])) if groups else None,
        groups=groups,
        n_groups_hidden=int(np.sum(~may_be_shown)),
        n_groups_left_out=int(np.sum(may_be_shown)) - len(groups),
        n_groups_invented=both.grouping.n_only_synthetic,
        reason=None if groups else f"would be based on fewer than {N_ROWS_SHOWN_MIN} real rows",
    )


def _may_be_shown(query: AggregateQuery, real: Answers) -> NDArray[np.bool_]:
    """Return a mask of the real answers that can be shown: those based on enough rows or on no rows."""
    enough = (real.n >= N_ROWS_SHOWN_MIN) & ~((real.n_others > 0) & (real.n_others < N_ROWS_SHOWN_MIN))
    if query.quantile is not None:
        # A quantile with fewer rows above or below it is close to the value of a single row.
        return enough & (real.n * min(query.quantile, 1 - query.quantile) >= N_ROWS_SHOWN_MIN)
    return np.asarray(enough | ((real.n == 0) & np.isfinite(real.value)))


def _group(both: _Both, g: int) -> QueryGroupAnswer:
    real, synthetic = float(both.real.value[g]), float(both.synthetic.value[g])
    errors = (float(both.real.standard_error[g]), float(both.synthetic.standard_error[g]))
    interval = _around(synthetic, errors[1])
    difference = _around(synthetic - real, float(np.hypot(*errors)))
    return QueryGroupAnswer(
        group=both.grouping.labels[g],
        n_real=int(both.real.n[g]),
        real=_rounded(real),
        synthetic=None if np.isnan(synthetic) else _rounded(synthetic),
        synthetic_interval=None if interval is None else (_rounded(interval[0]), _rounded(interval[1])),
        difference_interval=(
            None if difference is None else (_rounded(difference[0]), _rounded(difference[1]))
        ),
        error=_error(both, real, synthetic),
        is_within=None if interval is None else interval[0] <= real <= interval[1],
    )


def _error(both: _Both, real: float, synthetic: float) -> float:
    if np.isnan(synthetic):
        return 1.0
    gap, unit = abs(synthetic - real), abs(real) if both.unit is None else both.unit
    if unit == 0:
        return float(gap > 0)
    return round(min(1.0, gap / unit), N_DIGITS)


def _around(value: float, error: float) -> Interval | None:
    if np.isnan(value) or np.isnan(error):
        return None
    return value - Z_95 * error, value + Z_95 * error


def _rounded(value: float) -> float:
    return float(f"{value:.{N_DIGITS}g}")


QUERIES = Metric(
    name="queries",
    title="Aggregate query error",
    summary="Mean error of the synthetic table's answers to the report's aggregate queries, compared with "
    "the real answers. 0 means that all answers are equal.",
    concern="the answers to queries differ from those of the real table",
    source="Specific to Understudy; Hurlbert 1971 (rarefaction of distinct values)",
    topic="usefulness",
    direction="lower",
    range=(0.0, 1.0),
    best=0.0,
    result=QueriesResult,
    score=score,
    needs=frozenset({Need.queries}),
    real_baseline=RealBaseline.bootstrap,
)
