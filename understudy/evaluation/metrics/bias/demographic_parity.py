"""Demographic parity of a model trained on synthetic rows, relative to a model trained on real rows."""

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
    gaps,
    judged_by_parity,
    parity_difference,
    parity_ratio,
    selected,
    share_interval,
)
from understudy.evaluation.models.prediction import Experiment, experiment
from understudy.evaluation.statistics.distributions import N_ROWS_SHOWN_MIN
from understudy.evaluation.statistics.groups import Groups, groups_of

Interval = tuple[float, float]


class GroupSelectionRates(BaseModel):
    """Rates of positive predictions by both models for one group."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    group: str
    n_test: int
    is_too_small: Annotated[
        bool, Field(description="Whether the group is not scored because it has fewer than 50 test rows.")
    ]
    synthetic: Annotated[
        float | None,
        Field(
            description="Share of the group's rows that are assigned to the class by the model trained on "
            "the evaluated rows."
        ),
    ]
    synthetic_interval: Interval | None
    real: float | None
    real_interval: Interval | None


class SelectionParity(BaseModel):
    """Differences between groups in the rate at which a model predicts the class."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    difference: Annotated[
        float,
        Field(
            description="Largest difference between two scored groups in the share of rows that are "
            "predicted to be in the class."
        ),
    ]
    interval: Interval
    ratio: Annotated[
        float | None,
        Field(
            description="Smallest share of a group divided by the largest. A value below 0.8 indicates "
            "adverse impact."
        ),
    ]


class ColumnParity(BaseModel):
    """Scores of one protected column, for the target class with the largest excess."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    column: str
    label: Annotated[str, Field(description="Class that counts as the positive prediction.")]
    synthetic: Annotated[
        SelectionParity, Field(description="Demographic parity of the model trained on the evaluated rows.")
    ]
    real: Annotated[
        SelectionParity, Field(description="Demographic parity of the same model trained on real rows.")
    ]
    excess: Annotated[
        float,
        Field(
            description="Parity difference of the model trained on the evaluated rows minus that of the "
            "model trained on real rows."
        ),
    ]
    excess_interval: Interval
    groups: list[GroupSelectionRates]
    n_groups_hidden: Annotated[
        int,
        Field(
            description="Number of values that are pooled into one group because they occur in fewer than 5 "
            "real rows or are not among the 12 most frequent."
        ),
    ]


class DemographicParityResult(MetricResult):
    """Increase in the demographic parity difference if the evaluated rows replace the real training rows."""

    metric: Literal["demographic_parity"] = "demographic_parity"
    target: str
    columns: list[ColumnParity]
    not_judged: Annotated[
        list[str],
        Field(
            description="Protected columns that are not scored because fewer than two of their groups have "
            "at least 50 test rows."
        ),
    ]


def score(comparison: Comparison) -> DemographicParityResult | UnscoredResult:
    """Return the largest increase in the demographic parity difference, relative to real training rows.

    Notes
    -----
    Both models predict the classes of the same real test rows. The difference follows Calders, Kamiran and
    Pechenizkiy (2009), and the ratio follows Feldman et al. (2015).
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
        return UnscoredResult(reason="needs a protected column with two groups of at least 50 test rows each")
    worst = max(columns, key=lambda column: column.excess)
    low, high = worst.excess_interval
    return DemographicParityResult(
        score=max(0.0, worst.excess),
        interval=(max(0.0, low), max(0.0, high)),
        target=outcome.target.name,
        columns=columns,
        not_judged=[name for name, column in by_name.items() if column is None],
        n_rows=outcome.n_rows,
    )


def _column(comparison: Comparison, outcome: Experiment, name: str) -> ColumnParity | None:
    assert outcome.real is not None
    groups = groups_of(comparison, name)
    rng = comparison.rng(f"demographic_parity {name}")
    # If the target were a protected column, it would be predicted from itself.
    if groups.position == outcome.target.column:
        return None
    by_class = [
        (crossing, gaps(crossing, judged_by_parity(crossing), parity_difference, rng))
        for crossing in crossings(outcome.target, outcome.test, (outcome.judged, outcome.real), groups)
        if judged_by_parity(crossing).sum() >= 2
    ]
    if not by_class:
        return None
    return _result(groups, *max(by_class, key=lambda pair: pair[1].excess))


def _result(groups: Groups, crossing: Crossing, measured: Gaps) -> ColumnParity:
    parities = [
        SelectionParity(
            difference=measured.differences[number],
            interval=measured.intervals[number],
            ratio=parity_ratio(crossing.model(number)[judged_by_parity(crossing)]),
        )
        for number in (0, 1)
    ]
    return ColumnParity(
        column=groups.column,
        label=crossing.label,
        synthetic=parities[0],
        real=parities[1],
        excess=measured.excess,
        excess_interval=measured.excess_interval,
        groups=[_group(groups, crossing, int(g)) for g in np.flatnonzero(crossing.n >= N_ROWS_SHOWN_MIN)],
        n_groups_hidden=groups.n_hidden,
    )


def _group(groups: Groups, crossing: Crossing, g: int) -> GroupSelectionRates:
    n = int(crossing.n[g])
    is_judged = bool(judged_by_parity(crossing)[g])
    shares = [float(selected(crossing.model(number))[g]) if is_judged else None for number in (0, 1)]
    intervals = [None if share is None else share_interval(share * n, n) for share in shares]
    return GroupSelectionRates(
        group=groups.labels[g],
        n_test=n,
        is_too_small=not is_judged,
        synthetic=shares[0],
        synthetic_interval=intervals[0],
        real=shares[1],
        real_interval=intervals[1],
    )


DEMOGRAPHIC_PARITY = Metric(
    name="demographic_parity",
    title="Demographic parity",
    summary="Increase in the demographic parity difference when a model is trained on synthetic instead of "
    "real rows. The difference is the largest gap between two groups in the rate of positive predictions. 0 "
    "means that the synthetic rows add no inequality.",
    concern="a model trained on these rows favors some groups more than a model trained on real rows does",
    source="Calders, Kamiran and Pechenizkiy 2009; Fairlearn: demographic_parity_difference, whose increase "
    "is the score",
    topic="bias",
    direction="lower",
    range=(0.0, 1.0),
    best=0.0,
    result=DemographicParityResult,
    score=score,
    needs=frozenset({Need.target, Need.protected}),
)
