"""Equalized odds of a model trained on synthetic rows, relative to a model trained on real rows."""

from __future__ import annotations

from typing import Annotated, Literal

import numpy as np
from pydantic import BaseModel, ConfigDict, Field

from understudy.evaluation.comparison import Comparison
from understudy.evaluation.metrics.base import Metric, MetricResult, Need, UnscoredResult
from understudy.evaluation.models.group_fairness import (
    Crossing,
    Gaps,
    crossings,
    false_positive_rate,
    gaps,
    judged_by_odds,
    odds_difference,
    true_positive_rate,
)
from understudy.evaluation.models.prediction import Experiment, experiment
from understudy.evaluation.statistics.distributions import N_ROWS_SHOWN_MIN
from understudy.evaluation.statistics.groups import Groups, groups_of

Interval = tuple[float, float]


class GroupOdds(BaseModel):
    """True and false positive rates of both models for one group."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    group: str
    n_test: int
    is_too_small: Annotated[
        bool,
        Field(
            description="Whether the group is not scored because it has fewer than 50 test rows, or fewer "
            "than 20 test rows inside or outside the class."
        ),
    ]
    true_positive_synthetic: float | None
    true_positive_real: float | None
    false_positive_synthetic: float | None
    false_positive_real: float | None


class ColumnOdds(BaseModel):
    """Scores of one protected column, for the target class with the largest excess."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    column: str
    label: Annotated[str, Field(description="Class that counts as the positive prediction.")]
    synthetic: Annotated[
        float,
        Field(
            description="Equalized odds difference of the model trained on the evaluated rows: the larger of "
            "the gaps in true and in false positive rates."
        ),
    ]
    synthetic_interval: Interval
    real: Annotated[
        float, Field(description="Equalized odds difference of the same model trained on real rows.")
    ]
    real_interval: Interval
    excess: Annotated[
        float,
        Field(
            description="Equalized odds difference of the model trained on the evaluated rows minus that of "
            "the model trained on real rows."
        ),
    ]
    excess_interval: Interval
    groups: list[GroupOdds]
    n_groups_hidden: Annotated[
        int,
        Field(
            description="Number of values that are pooled into one group because they occur in fewer than 5 "
            "real rows or are not among the 12 most frequent."
        ),
    ]


class EqualisedOddsResult(MetricResult):
    """Increase in the equalized odds difference if the evaluated rows replace the real training rows."""

    metric: Literal["equalised_odds"] = "equalised_odds"
    target: str
    columns: list[ColumnOdds]
    not_judged: Annotated[
        list[str],
        Field(
            description="Protected columns that are not scored because fewer than two of their groups have "
            "enough test rows."
        ),
    ]


def score(comparison: Comparison) -> EqualisedOddsResult | UnscoredResult:
    """Return the largest increase in the equalized odds difference, relative to real training rows.

    Notes
    -----
    Both models predict the classes of the same real test rows. The measure follows Hardt, Price and Srebro
    (2016).
    """
    outcome = experiment(comparison)
    if isinstance(outcome, str):
        return UnscoredResult(reason=outcome)
    if outcome.target.classes is None:
        return UnscoredResult(reason="needs a classification target")
    if outcome.real is None:
        return UnscoredResult(reason="needs more real rows to train on")
    by_name = {name: _column(comparison, outcome, name) for name in comparison.options.protected}
    columns = [column for column in by_name.values() if column is not None]
    if not columns:
        return UnscoredResult(
            reason="needs a protected column with two groups that each have at least 50 test rows, at least "
            "20 of the class and 20 of other classes"
        )
    worst = max(columns, key=lambda column: column.excess)
    low, high = worst.excess_interval
    return EqualisedOddsResult(
        score=max(0.0, worst.excess),
        interval=(max(0.0, low), max(0.0, high)),
        target=outcome.target.name,
        columns=columns,
        not_judged=[name for name, column in by_name.items() if column is None],
        n_rows=outcome.n_rows,
    )


def _column(comparison: Comparison, outcome: Experiment, name: str) -> ColumnOdds | None:
    assert outcome.real is not None
    groups = groups_of(comparison, name)
    rng = comparison.rng(f"equalised_odds {name}")
    by_class = [
        (crossing, gaps(crossing, judged_by_odds(crossing), odds_difference, rng))
        for crossing in crossings(outcome.target, outcome.test, (outcome.judged, outcome.real), groups)
        if judged_by_odds(crossing).sum() >= 2
    ]
    if not by_class:
        return None
    return _result(groups, *max(by_class, key=lambda pair: pair[1].excess))


def _result(groups: Groups, crossing: Crossing, measured: Gaps) -> ColumnOdds:
    return ColumnOdds(
        column=groups.column,
        label=crossing.label,
        synthetic=measured.differences[0],
        synthetic_interval=measured.intervals[0],
        real=measured.differences[1],
        real_interval=measured.intervals[1],
        excess=measured.excess,
        excess_interval=measured.excess_interval,
        groups=[_group(groups, crossing, int(g)) for g in np.flatnonzero(crossing.n >= N_ROWS_SHOWN_MIN)],
        n_groups_hidden=groups.n_hidden,
    )


def _group(groups: Groups, crossing: Crossing, g: int) -> GroupOdds:
    is_judged = bool(judged_by_odds(crossing)[g])
    true, false = (
        [float(rate(crossing.model(number))[g]) if is_judged else None for number in (0, 1)]
        for rate in (true_positive_rate, false_positive_rate)
    )
    return GroupOdds(
        group=groups.labels[g],
        n_test=int(crossing.n[g]),
        is_too_small=not is_judged,
        true_positive_synthetic=true[0],
        true_positive_real=true[1],
        false_positive_synthetic=false[0],
        false_positive_real=false[1],
    )


EQUALISED_ODDS = Metric(
    name="equalised_odds",
    title="Equalized odds",
    summary="Increase in the equalized odds difference when a model is trained on synthetic instead of real "
    "rows. The difference is the largest gap between two groups in true or false positive rates. 0 means "
    "that the synthetic rows add no inequality.",
    concern="the error rates of a model trained on these rows differ more between groups than those of a "
    "model trained on real rows",
    source="Hardt, Price and Srebro 2016; Fairlearn: equalized_odds_difference, whose increase is the score",
    topic="bias",
    direction="lower",
    range=(0.0, 1.0),
    best=0.0,
    result=EqualisedOddsResult,
    score=score,
    needs=frozenset({Need.target, Need.protected}),
)
