"""Group base rates: the outcomes of protected groups in the two tables."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field

from understudy.evaluation.comparison import Comparison
from understudy.evaluation.encoding import EncodedTable, is_missing
from understudy.evaluation.metrics.base import Metric, MetricResult, Need, RealBaseline, UnscoredResult
from understudy.evaluation.models.prediction import Target, target_of
from understudy.evaluation.statistics.distributions import N_ROWS_SHOWN_MIN
from understudy.evaluation.statistics.groups import N_ROWS_JUDGED_MIN, Groups, groups_of
from understudy.evaluation.statistics.influence import Z_95, difference_of_shares, of_absolute, wilson

N_CLASSES_SHOWN = 10

Interval = tuple[float, float]
Measured = Literal["share of a class", "standardised mean", "share of the rows"]


class RateComparison(BaseModel):
    """One rate of a group in both tables."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    label: Annotated[
        str,
        Field(
            description="Class of the target, or the name of the measure if the rate "
            "does not belong to a class."
        ),
    ]
    real: float
    real_interval: Interval
    synthetic: float
    synthetic_interval: Interval
    change: Annotated[float, Field(description="Synthetic rate minus real rate.")]
    change_interval: Interval


class GroupBaseRates(BaseModel):
    """A group in a protected column, with its outcome rates."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    group: str
    n_real: int
    n_synthetic: int
    is_too_small: Annotated[
        bool,
        Field(
            description=(
                "Whether the group is not scored because it has fewer than 50 rows in one of the tables. "
                "Without a target, only its rows in the real table are counted."
            )
        ),
    ]
    rates: Annotated[
        list[RateComparison],
        Field(
            description=(
                "Rates of the outcomes. An outcome is listed only if at least 5 real rows of the group have "
                "it and at least 5 do not."
            )
        ),
    ] = []


class ColumnBaseRates(BaseModel):
    """Base rates of the groups in one protected column."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    column: str
    groups: list[GroupBaseRates]
    n_groups_hidden: Annotated[
        int,
        Field(
            description="Number of values that are pooled into one group because they occur in fewer than 5 "
            "real rows or are not among the 12 most frequent."
        ),
    ]


class BaseRatesResult(MetricResult):
    """Largest absolute difference between the real and the synthetic rate of an outcome in a group."""

    metric: Literal["base_rates"] = "base_rates"
    target: str | None
    measure: Measured
    worst_column: str
    worst_group: str
    worst_label: str
    columns: list[ColumnBaseRates]


@dataclass(frozen=True)
class _Side:
    """The groups and outcomes in one table, restricted to rows with a known outcome."""

    groups: NDArray[np.int64]
    values: NDArray[np.float64]


def score(comparison: Comparison) -> BaseRatesResult | UnscoredResult:
    """Return the largest change in a group's rate: its share of a class, mean target or share of rows."""
    target = None if comparison.target is None else target_of(comparison)
    columns = [
        _column(comparison, target, groups_of(comparison, name))
        for name in comparison.options.protected
        # If the target is also the protected column, each group is a class, and the rate of this class is
        # always 1.
        if name != comparison.target
    ]
    judged = [
        (rate, group, column)
        for column in columns
        for group in column.groups
        if not group.is_too_small
        for rate in group.rates
    ]
    if not judged:
        return UnscoredResult(
            reason="needs a protected column with a group of at least 50 rows in each table"
        )
    rate, group, column = max(judged, key=lambda entry: abs(entry[0].change))
    low, high = of_absolute(rate.change_interval)
    return BaseRatesResult(
        score=min(1.0, abs(rate.change)),
        interval=(min(low, 1.0), min(high, 1.0)),
        target=comparison.target,
        measure=_measured(target),
        worst_column=column.column,
        worst_group=group.group,
        worst_label=rate.label,
        columns=columns,
        n_rows={"real": comparison.real.n_rows, "synthetic": comparison.synthetic.n_rows},
    )


def _measured(target: Target | None) -> Measured:
    if target is None:
        return "share of the rows"
    return "standardised mean" if target.classes is None else "share of a class"


def _column(comparison: Comparison, target: Target | None, groups: Groups) -> ColumnBaseRates:
    sides = [_side(table, target, groups) for table in (comparison.real, comparison.synthetic)]
    if target is not None and target.classes is None:
        sides = _standardised(sides)
    counts = [np.bincount(side.groups, minlength=len(groups.labels)) for side in sides]
    shown = np.flatnonzero(counts[0] >= N_ROWS_SHOWN_MIN)
    return ColumnBaseRates(
        column=groups.column,
        groups=[_group(sides, counts, target, groups, int(g)) for g in shown],
        n_groups_hidden=groups.n_hidden,
    )


def _side(table: EncodedTable, target: Target | None, groups: Groups) -> _Side:
    assigned = groups.assign(table.columns[groups.position])
    if target is None:
        return _Side(assigned, np.zeros(table.n_rows))
    outcomes = table.columns[target.column]
    is_known = ~is_missing(outcomes)
    return _Side(assigned[is_known], target.encode(outcomes[is_known]))


def _standardised(sides: Sequence[_Side]) -> list[_Side]:
    """Return numeric outcomes, standardized with the mean and standard deviation of the real table."""
    known = sides[0].values
    centre, width = (float(known.mean()), float(known.std()) or 1.0) if len(known) else (0.0, 1.0)
    return [_Side(side.groups, (side.values - centre) / width) for side in sides]


def _group(
    sides: Sequence[_Side],
    counts: Sequence[NDArray[np.int64]],
    target: Target | None,
    groups: Groups,
    g: int,
) -> GroupBaseRates:
    n = (int(counts[0][g]), int(counts[1][g]))
    # Without a target, the rate of a group is its share of the rows. The rate is 0 if the group does not
    # occur in the synthetic table.
    is_too_small = min(n) < N_ROWS_JUDGED_MIN if target is not None else n[0] < N_ROWS_JUDGED_MIN
    rates = [] if is_too_small else _rates(sides, target, g)
    return GroupBaseRates(
        group=groups.labels[g], n_real=n[0], n_synthetic=n[1], is_too_small=is_too_small, rates=rates
    )


def _rates(sides: Sequence[_Side], target: Target | None, g: int) -> list[RateComparison]:
    if target is None:
        n_with = [float(np.sum(side.groups == g)) for side in sides]
        return _share("share of the rows", n_with, [float(len(side.groups)) for side in sides])
    inside = [side.values[side.groups == g] for side in sides]
    if target.classes is None:
        return [_mean(inside)]
    present = np.unique(sides[0].values).astype(np.int64)
    of = present[1:] if len(present) == 2 else present[:N_CLASSES_SHOWN]
    n = [float(len(values)) for values in inside]
    return [rate for k in of for rate in _share(target.labels[k], [float(np.sum(v == k)) for v in inside], n)]


def _share(label: str, n_with: Sequence[float], n: Sequence[float]) -> list[RateComparison]:
    if min(n_with[0], n[0] - n_with[0]) < N_ROWS_SHOWN_MIN:
        return []
    shares = [part / max(whole, 1.0) for part, whole in zip(n_with, n, strict=True)]
    return [
        RateComparison(
            label=label,
            real=shares[0],
            real_interval=wilson(n_with[0], n[0]),
            synthetic=shares[1],
            synthetic_interval=wilson(n_with[1], n[1]),
            change=shares[1] - shares[0],
            change_interval=difference_of_shares((n_with[1], n_with[0]), (n[1], n[0])),
        )
    ]


def _mean(inside: Sequence[NDArray[np.float64]]) -> RateComparison:
    means = [float(values.mean()) for values in inside]
    halves = [Z_95 * float(values.std(ddof=1)) / np.sqrt(len(values)) for values in inside]
    change, half = means[1] - means[0], float(np.hypot(*halves))
    return RateComparison(
        label="standardised mean",
        real=means[0],
        real_interval=(means[0] - halves[0], means[0] + halves[0]),
        synthetic=means[1],
        synthetic_interval=(means[1] - halves[1], means[1] + halves[1]),
        change=change,
        change_interval=(change - half, change + half),
    )


BASE_RATES = Metric(
    name="base_rates",
    title="Group base rates",
    summary="Largest change of a group's base rate from the real to the synthetic table: the share of a "
    "target class, or the mean of a numeric target, in each group of a protected column. Without a target: "
    "the group's share of the rows.",
    concern="a group has a different base rate in the synthetic table",
    source="Specific to Understudy; Newcombe 1998 (interval of a difference of shares)",
    topic="bias",
    direction="lower",
    range=(0.0, 1.0),
    best=0.0,
    result=BaseRatesResult,
    score=score,
    needs=frozenset({Need.protected}),
    real_baseline=RealBaseline.bootstrap,
)
