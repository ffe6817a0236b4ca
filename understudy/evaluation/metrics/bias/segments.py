"""Worst-group performance of a model trained on synthetic rows."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Annotated, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field

from understudy.evaluation.comparison import Comparison
from understudy.evaluation.encoding import EncodedTable, Values, is_missing
from understudy.evaluation.metrics.base import Metric, MetricResult, Need, RealBaseline, UnscoredResult
from understudy.evaluation.metrics.fidelity.column_shapes import ks_complement, tv_complement
from understudy.evaluation.models.prediction import Experiment, Predictions, experiment
from understudy.evaluation.statistics.distributions import N_ROWS_SHOWN_MIN
from understudy.evaluation.statistics.groups import N_ROWS_JUDGED_MIN, Groups, groups_of
from understudy.evaluation.statistics.influence import Estimate, mean_area, r2

# Maximum number of rows per table for comparing columns. A group with one tenth of these rows still has 1,000
# rows.
N_ROWS_OF_SHAPES_MAX = 10_000
# Minimum number of test rows per class that a group must have for an AUC.
N_ROWS_OF_CLASS_MIN = 10

Interval = tuple[float, float]


class SegmentScore(BaseModel):
    """Scores of one group in a protected column."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    group: str
    n_test: int
    n_synthetic: Annotated[
        int, Field(description="Number of the group's rows in the scored sample of the synthetic table.")
    ]
    is_too_small: Annotated[
        bool,
        Field(
            description="Whether the group is not scored. A group needs at least 50 test rows and either two "
            "classes with at least 10 test rows each or a numeric target that is not constant."
        ),
    ]
    shape: Annotated[
        float | None,
        Field(
            description="Mean similarity of the real and synthetic column distributions in the group. "
            "1 is best."
        ),
    ] = None
    synthetic: Annotated[
        float | None, Field(description="AUC or R2 of the model trained on the evaluated rows.")
    ] = None
    synthetic_interval: Interval | None = None
    real: Annotated[float | None, Field(description="AUC or R2 of the same model trained on real rows.")] = (
        None
    )
    real_interval: Interval | None = None
    accuracy_synthetic: float | None = None
    accuracy_real: float | None = None


class ColumnSegments(BaseModel):
    """Scores of the groups in one protected column."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    column: str
    segments: list[SegmentScore]
    n_groups_hidden: Annotated[
        int,
        Field(
            description="Number of values that are pooled into one group because they occur in fewer than 5 "
            "real rows or are not among the 12 most frequent."
        ),
    ]


class SegmentsResult(MetricResult):
    """AUC or R2 of the model trained on the evaluated rows, in the group with the lowest score."""

    metric: Literal["segments"] = "segments"
    target: str
    measure: Literal["AUC", "R2"]
    worst_column: str
    worst_group: str
    columns: list[ColumnSegments]


@dataclass(frozen=True)
class _Tables:
    """The samples of both tables that are used to compare columns."""

    real: EncodedTable
    synthetic: EncodedTable


def score(comparison: Comparison) -> SegmentsResult | UnscoredResult:
    """Return the AUC or R2 in the group with the lowest value."""
    outcome = experiment(comparison)
    if isinstance(outcome, str):
        return UnscoredResult(reason=outcome)
    columns = [
        _column(comparison, outcome, groups_of(comparison, name)) for name in comparison.options.protected
    ]
    judged = [
        (segment.synthetic, segment, column)
        for column in columns
        for segment in column.segments
        if segment.synthetic is not None
    ]
    if not judged:
        return UnscoredResult(reason="needs a protected column with a group of at least 50 test rows")
    value, segment, column = min(judged, key=lambda entry: entry[0])
    return SegmentsResult(
        score=value,
        interval=segment.synthetic_interval,
        target=outcome.target.name,
        measure="R2" if outcome.target.classes is None else "AUC",
        worst_column=column.column,
        worst_group=segment.group,
        columns=columns,
        n_rows=outcome.n_rows,
    )


def _column(comparison: Comparison, outcome: Experiment, groups: Groups) -> ColumnSegments:
    tables = comparison.once("segments: tables", _drawn)
    assigned = groups.assign(outcome.test.table.columns[groups.position])
    n_test = np.bincount(assigned, minlength=len(groups.labels))
    return ColumnSegments(
        column=groups.column,
        segments=[
            _segment(outcome, groups, g, np.flatnonzero(assigned == g), tables)
            for g in map(int, np.flatnonzero(n_test >= N_ROWS_SHOWN_MIN))
        ],
        n_groups_hidden=groups.n_hidden,
    )


def _drawn(comparison: Comparison) -> _Tables:
    rng = comparison.rng("segments")
    return _Tables(
        comparison.real.draw(N_ROWS_OF_SHAPES_MAX, rng), comparison.synthetic.draw(N_ROWS_OF_SHAPES_MAX, rng)
    )


def _segment(
    outcome: Experiment, groups: Groups, g: int, rows: NDArray[np.int64], tables: _Tables
) -> SegmentScore:
    real, synthetic = (
        np.flatnonzero(groups.assign(table.columns[groups.position]) == g)
        for table in (tables.real, tables.synthetic)
    )
    judged = _estimate(outcome, outcome.judged, rows)
    of_real = None if outcome.real is None else _estimate(outcome, outcome.real, rows)
    low = -1.0 if outcome.target.classes is None else 0.0
    return SegmentScore(
        group=groups.labels[g],
        n_test=len(rows),
        n_synthetic=len(synthetic),
        is_too_small=judged is None,
        shape=(
            _shape(tables, real, synthetic) if min(len(real), len(synthetic)) >= N_ROWS_JUDGED_MIN else None
        ),
        synthetic=None if judged is None else judged.value,
        synthetic_interval=None if judged is None else judged.interval(low, 1.0),
        real=None if of_real is None else of_real.value,
        real_interval=None if of_real is None else of_real.interval(low, 1.0),
        accuracy_synthetic=None if judged is None else _accuracy(outcome, outcome.judged, rows),
        accuracy_real=None if of_real is None else _accuracy(outcome, outcome.real, rows),
    )


def _estimate(outcome: Experiment, model: Predictions, rows: NDArray[np.int64]) -> Estimate | None:
    """Return the AUC or R2 within a group, or None if the group has too few rows."""
    if len(rows) < N_ROWS_JUDGED_MIN:
        return None
    if outcome.target.classes is None:
        truth = outcome.test.truth[rows]
        return _of_subjects(r2(model.values[rows], truth), outcome, rows) if np.ptp(truth) > 0 else None
    classes = outcome.test.classes[rows]
    is_counted = np.bincount(classes)[classes] >= N_ROWS_OF_CLASS_MIN
    rows, classes = rows[is_counted], classes[is_counted]
    if len(np.unique(classes)) < 2:
        return None
    return _of_subjects(mean_area(model.values[rows], classes), outcome, rows)


def _of_subjects(estimate: Estimate, outcome: Experiment, rows: NDArray[np.int64]) -> Estimate:
    subjects = outcome.test.subjects
    return replace(estimate, subjects=None if subjects is None else subjects[rows])


def _accuracy(outcome: Experiment, model: Predictions | None, rows: NDArray[np.int64]) -> float | None:
    if model is None or outcome.target.classes is None:
        return None
    return float(np.mean(model.classes[rows] == outcome.test.classes[rows]))


def _shape(tables: _Tables, real: NDArray[np.int64], synthetic: NDArray[np.int64]) -> float:
    """Return the mean similarity of the two tables' column distributions within a group."""
    pairs = zip(tables.real.columns, tables.synthetic.columns, strict=True)
    return float(
        np.mean(
            [
                _similarity(real_values[real], synthetic_values[synthetic])
                for real_values, synthetic_values in pairs
            ]
        )
    )


def _similarity(real: Values, synthetic: Values) -> float:
    known = [values[~is_missing(values)] for values in (real, synthetic)]
    missing = 1 - abs(len(known[0]) / len(real) - len(known[1]) / len(synthetic))
    if not len(known[0]) or not len(known[1]):
        return float(missing)
    measure = tv_complement if real.dtype == np.int32 else ks_complement
    return float(min(missing, measure(known[0], known[1])))


SEGMENTS = Metric(
    name="segments",
    title="Worst-group performance",
    summary=(
        "Predictive performance of a model trained on synthetic rows, measured on the real rows of the "
        "protected group that it predicts worst. Compare it with the performance of the same model trained "
        "on real rows."
    ),
    concern="a model trained on these rows performs worse for one group",
    source="Sagawa et al. 2020 (worst-group accuracy), with AUC or R² instead of the accuracy",
    topic="bias",
    direction="higher",
    range=(-1.0, 1.0),
    best=1.0,
    result=SegmentsResult,
    score=score,
    needs=frozenset({Need.target, Need.protected}),
    real_baseline=RealBaseline.training,
)
