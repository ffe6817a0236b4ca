"""Reweighing: the effect of weights that make the target independent of a protected column."""

from __future__ import annotations

from typing import Annotated, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field

from understudy.evaluation.comparison import Comparison
from understudy.evaluation.metrics.base import Metric, MetricResult, Need, RealBaseline, UnscoredResult
from understudy.evaluation.models.group_fairness import (
    Gaps,
    crossings,
    gaps,
    judged_by_odds,
    judged_by_parity,
    odds_difference,
    parity_difference,
)
from understudy.evaluation.models.prediction import (
    Experiment,
    Predictions,
    experiment,
    measure,
    rows_judged,
    train_and_predict,
)
from understudy.evaluation.statistics.groups import groups_of

# Maximum number of protected columns. One model is trained for each column.
N_COLUMNS_MAX = 3

Interval = tuple[float, float]


class FairnessScores(BaseModel):
    """Fairness and predictive performance of a model."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    parity_difference: float
    parity_interval: Interval
    odds_difference: Annotated[
        float | None,
        Field(description="Equalized odds difference. Null if fewer than two groups have enough test rows."),
    ]
    odds_interval: Interval | None
    auc: float
    accuracy: float


class ColumnRebalancing(BaseModel):
    """Scores of one protected column, for the class with the largest parity difference before weighting."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    column: str
    label: Annotated[str, Field(description="Class that counts as the positive prediction.")]
    before: Annotated[
        FairnessScores,
        Field(description="Scores of the model trained on the evaluated rows without weights."),
    ]
    after: Annotated[
        FairnessScores, Field(description="Scores of the model trained on the same rows with weights.")
    ]
    reduction: Annotated[
        float,
        Field(description="Parity difference before weighting minus the parity difference after weighting."),
    ]
    reduction_interval: Interval
    weights: Annotated[
        tuple[float, float], Field(description="Smallest and largest weight of a synthetic row.")
    ]


class RebalancingResult(MetricResult):
    """Largest decrease in the demographic parity difference when the evaluated rows are weighted."""

    metric: Literal["rebalancing"] = "rebalancing"
    target: str
    columns: list[ColumnRebalancing]
    not_judged: Annotated[
        list[str],
        Field(
            description="Protected columns that are not scored: all columns after the third, and columns "
            "without two groups of at least 50 test rows."
        ),
    ]


def score(comparison: Comparison) -> RebalancingResult | UnscoredResult:
    """Return the largest decrease in a demographic parity difference when the evaluated rows are weighted.

    Notes
    -----
    The weight of a row is P(group) P(class) / P(group, class) (reweighing: Kamiran and Calders 2012).
    """
    outcome = experiment(comparison)
    if isinstance(outcome, str):
        return UnscoredResult(reason=outcome)
    if outcome.target.classes is None:
        return UnscoredResult(reason="needs a classification target")
    names = comparison.options.protected
    by_name = {name: _column(comparison, outcome, name) for name in names[:N_COLUMNS_MAX]}
    columns = [column for column in by_name.values() if column is not None]
    if not columns:
        return UnscoredResult(reason="needs a protected column with two groups of at least 50 test rows each")
    worst = max(columns, key=lambda column: column.reduction)
    low, high = worst.reduction_interval
    return RebalancingResult(
        score=max(0.0, worst.reduction),
        interval=(max(0.0, low), max(0.0, high)),
        target=outcome.target.name,
        columns=columns,
        not_judged=[name for name in names if by_name.get(name) is None],
        n_rows=outcome.n_rows,
    )


def _column(comparison: Comparison, outcome: Experiment, name: str) -> ColumnRebalancing | None:
    groups = groups_of(comparison, name)
    before = crossings(outcome.target, outcome.test, (outcome.judged, outcome.judged), groups)
    if groups.position == outcome.target.column or judged_by_parity(before[0]).sum() < 2:
        return None
    train = rows_judged(comparison)
    weights = reweighing(groups.assign(train.table.columns[groups.position]), train.classes)
    after = train_and_predict(outcome.target, train, outcome.test, seed=comparison.seed, weights=weights)
    rng = comparison.rng(f"rebalancing {name}")
    crossed = crossings(outcome.target, outcome.test, (outcome.judged, after), groups)
    by_class = [
        (crossing, gaps(crossing, judged_by_parity(crossing), parity_difference, rng)) for crossing in crossed
    ]
    crossing, parity = max(by_class, key=lambda pair: pair[1].differences[0])
    is_judged = judged_by_odds(crossing)
    odds = gaps(crossing, is_judged, odds_difference, rng) if is_judged.sum() >= 2 else None
    changes = (parity, odds)
    return ColumnRebalancing(
        column=groups.column,
        label=crossing.label,
        before=_fairness(outcome, outcome.judged, changes, 0),
        after=_fairness(outcome, after, changes, 1),
        reduction=parity.excess,
        reduction_interval=parity.excess_interval,
        weights=(float(weights.min()), float(weights.max())),
    )


def reweighing(groups: NDArray[np.int64], classes: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return weights with mean 1 that make the class and the group independent."""
    n = len(classes)
    cells = np.zeros((groups.max() + 1, classes.max() + 1))
    np.add.at(cells, (groups, classes), 1)
    expected = np.outer(cells.sum(axis=1), cells.sum(axis=0)) / n
    weights = np.divide(expected, cells, out=np.zeros_like(cells), where=cells > 0)[groups, classes]
    # Empty cells do not receive a weight, so the mean of the weights is not yet 1.
    return np.asarray(weights / weights.mean())


def _fairness(
    outcome: Experiment, model: Predictions, changes: tuple[Gaps, Gaps | None], number: int
) -> FairnessScores:
    parity, odds = changes
    return FairnessScores(
        parity_difference=parity.differences[number],
        parity_interval=parity.intervals[number],
        odds_difference=None if odds is None else odds.differences[number],
        odds_interval=None if odds is None else odds.intervals[number],
        auc=measure(outcome.target, outcome.test, model).value,
        accuracy=float(np.mean(model.classes == outcome.test.classes)),
    )


REBALANCING = Metric(
    name="rebalancing",
    title="Reweighing",
    summary="Decrease in a model's demographic parity difference when the synthetic rows are weighted so "
    "that the target does not depend on the protected column. 0 means no decrease. The score describes the "
    "effect of the weights, not the quality of the table.",
    concern="weights could reduce the inequality that a model learns from these rows",
    source="Kamiran and Calders 2012 and AIF360: Reweighing (weights); the score is specific to Understudy",
    topic="bias",
    direction="lower",
    range=(0.0, 1.0),
    best=0.0,
    result=RebalancingResult,
    score=score,
    needs=frozenset({Need.target, Need.protected}),
    real_baseline=RealBaseline.training,
)
