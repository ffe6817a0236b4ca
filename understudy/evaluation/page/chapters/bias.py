"""The view model of the fairness chapter: protected groups, and models trained on the two tables."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from understudy.evaluation.metrics.bias import (
    BaseRatesResult,
    DemographicParityResult,
    EqualisedOddsResult,
    RebalancingResult,
    SegmentsResult,
)
from understudy.evaluation.metrics.bias.base_rates import ColumnBaseRates
from understudy.evaluation.metrics.bias.demographic_parity import ColumnParity
from understudy.evaluation.metrics.bias.equalised_odds import ColumnOdds
from understudy.evaluation.metrics.bias.rebalancing import ColumnRebalancing
from understudy.evaluation.metrics.bias.segments import ColumnSegments
from understudy.evaluation.page import elements, formatting
from understudy.evaluation.page.cells import Cell, Group, Noted, Segment, Styled
from understudy.evaluation.page.charts.whiskers import Estimate, Whiskers, reach, whiskers
from understudy.evaluation.page.elements import Chapter, Head, Measured, Reason, Table, numbers

if TYPE_CHECKING:
    from understudy.evaluation.report import Report

METRICS = ("base_rates", "demographic_parity", "equalised_odds", "segments", "rebalancing")
DRAWN = Head("Comparison", is_drawn=True)
Interval = tuple[float, float] | None
Pair = tuple[float | None, float | None]


@dataclass(frozen=True)
class GroupsTable:
    """The groups of a protected column.

    Parameters
    ----------
    label : str
        The outcome that is counted or predicted.
    n_pooled : int
        The number of rare values that are merged into one group.
    gaps : (str, str)
        The larger gap in error rates, for the model trained on real rows and for the model trained on
        synthetic rows.
    """

    column: str
    table: Table
    n_pooled: int
    label: str = ""
    gaps: tuple[str, str] = ("", "")


@dataclass(frozen=True)
class RebalancedTable:
    """Models trained on synthetic rows with and without weights; `weights` is the range of the weights."""

    column: str
    label: str
    table: Table
    weights: tuple[str, str]


@dataclass(frozen=True)
class Question:
    """A card with a score and one table for each protected column.

    Parameters
    ----------
    not_judged : sequence of str
        The columns that have too few rows.
    worst, worst_label : Segment and str
        The group that determines the score, and its outcome.
    """

    card: Measured
    tables: Sequence[GroupsTable]
    not_judged: Sequence[str] = ()
    worst: Segment | None = None
    worst_label: str = ""


@dataclass(frozen=True)
class Rebalanced:
    """The score of rebalancing with one table for each protected column."""

    card: Measured
    tables: Sequence[RebalancedTable]
    not_judged: Sequence[str]


@dataclass(frozen=True)
class BiasView:
    """The parts of the chapter, one for each metric, or only `reasons` if there are no protected columns."""

    reasons: Sequence[Reason]
    has_protected: bool
    rates: Question | None = None
    parity: Question | None = None
    odds: Question | None = None
    segments: Question | None = None
    target: str = ""
    rebalancing: Rebalanced | None = None


def view(report: Report) -> BiasView | None:
    """Return one part for each metric, with one table for each protected column."""
    reasons = elements.reasons(report, METRICS)
    if not report.options.protected:
        return BiasView(reasons, has_protected=False) if reasons else None
    segments = elements.scored_result(report, SegmentsResult)
    return BiasView(
        reasons,
        has_protected=True,
        rates=_rates(report),
        parity=_parity(report),
        odds=_odds(report),
        segments=_segments(report),
        target="" if segments is None else segments[1].target,
        rebalancing=_rebalancing(report),
    )


def _both(values: Pair, intervals: tuple[Interval, Interval]) -> list[Estimate]:
    named = zip(("real", "synthetic"), values, intervals, strict=True)
    return [Estimate(role, value, interval) for role, value, interval in named if value is not None]


def _drawn(estimates: Sequence[Sequence[Estimate]]) -> list[Whiskers]:
    """Return the charts of table rows on a common axis."""
    axis = reach(estimates)
    return [whiskers(row, axis) for row in estimates]


def _models(title: str) -> tuple[Head, ...]:
    """Return the column headers for a score, with one header for the model of each table."""
    return numbers(f"{title}, real", f"{title}, synthetic")


def _rates(report: Report) -> Question | None:
    scored = elements.scored_result(report, BaseRatesResult)
    if scored is None:
        return None
    scores, result = scored
    return Question(
        card=elements.measured(scores),
        tables=[_rates_table(column, result.measure) for column in result.columns],
        worst=Segment(result.worst_column, result.worst_group),
        worst_label=result.worst_label,
    )


def _rates_table(column: ColumnBaseRates, measure: str) -> GroupsTable:
    heads = (
        Head("Group"),
        Head(measure.capitalize()),
        *numbers("Real", "Synthetic"),
        DRAWN,
        *numbers("Change"),
    )
    rates = [(group, rate) for group in column.groups for rate in group.rates]
    drawn = _drawn(
        [
            _both((rate.real, rate.synthetic), (rate.real_interval, rate.synthetic_interval))
            for _, rate in rates
        ]
    )
    rows: list[list[Cell]] = [
        [
            Group(group.group, group.n_real, group.is_too_small),
            rate.label,
            formatting.decimal(rate.real),
            formatting.decimal(rate.synthetic),
            estimates,
            Noted(formatting.change(rate.change), formatting.span(rate.change_interval)),
        ]
        for (group, rate), estimates in zip(rates, drawn, strict=True)
    ]
    rows += [
        [Group(group.group, group.n_real, group.is_too_small), *[formatting.NONE] * 3, "", ""]
        for group in column.groups
        if not group.rates
    ]
    return GroupsTable(column.column, Table(heads, rows), column.n_groups_hidden)


def _parity(report: Report) -> Question | None:
    scored = elements.scored_result(report, DemographicParityResult)
    if scored is None:
        return None
    scores, result = scored
    tables = [_parity_table(column) for column in result.columns]
    return Question(elements.measured(scores), tables, result.not_judged)


def _parity_table(column: ColumnParity) -> GroupsTable:
    drawn = _drawn(
        [
            _both((group.real, group.synthetic), (group.real_interval, group.synthetic_interval))
            for group in column.groups
        ]
    )
    rows: list[list[Cell]] = [
        [
            Group(group.group, group.n_test, group.is_too_small),
            formatting.share(group.real),
            formatting.share(group.synthetic),
            estimates,
        ]
        for group, estimates in zip(column.groups, drawn, strict=True)
    ]
    rows.append(_last("Largest difference", column.real.difference, column.synthetic.difference))
    rows.append(_last("Ratio of lowest to highest", column.real.ratio, column.synthetic.ratio))
    table = Table((Head("Group"), *_models("Selection rate"), DRAWN), rows)
    return GroupsTable(column.column, table, column.n_groups_hidden, column.label)


def _last(title: str, real: float | None, synthetic: float | None) -> list[Cell]:
    return [Styled(title, "emphasis"), formatting.decimal(real), formatting.decimal(synthetic), ""]


def _odds(report: Report) -> Question | None:
    scored = elements.scored_result(report, EqualisedOddsResult)
    if scored is None:
        return None
    scores, result = scored
    tables = [_odds_table(column) for column in result.columns]
    return Question(elements.measured(scores), tables, result.not_judged)


def _odds_table(column: ColumnOdds) -> GroupsTable:
    heads = (Head("Group"), *_models("True positive rate"), *_models("False positive rate"))
    rows: list[list[Cell]] = [
        [
            Group(group.group, group.n_test, group.is_too_small),
            formatting.share(group.true_positive_real),
            formatting.share(group.true_positive_synthetic),
            formatting.share(group.false_positive_real),
            formatting.share(group.false_positive_synthetic),
        ]
        for group in column.groups
    ]
    gaps = (formatting.decimal(column.real), formatting.decimal(column.synthetic))
    return GroupsTable(column.column, Table(heads, rows), column.n_groups_hidden, column.label, gaps)


def _segments(report: Report) -> Question | None:
    scored = elements.scored_result(report, SegmentsResult)
    if scored is None:
        return None
    scores, result = scored
    return Question(
        card=elements.measured(scores),
        tables=[_segments_table(column, result.measure) for column in result.columns],
        worst=Segment(result.worst_column, result.worst_group),
    )


def _segments_table(column: ColumnSegments, measure: str) -> GroupsTable:
    heads = (Head("Group"), *numbers("Similarity"), *_models(measure), DRAWN)
    drawn = _drawn(
        [
            _both((segment.real, segment.synthetic), (segment.real_interval, segment.synthetic_interval))
            for segment in column.segments
        ]
    )
    rows: list[list[Cell]] = [
        [
            Group(segment.group, segment.n_test, segment.is_too_small),
            formatting.decimal(segment.shape),
            formatting.decimal(segment.real),
            formatting.decimal(segment.synthetic),
            estimates,
        ]
        for segment, estimates in zip(column.segments, drawn, strict=True)
    ]
    return GroupsTable(column.column, Table(heads, rows), column.n_groups_hidden)


def _rebalancing(report: Report) -> Rebalanced | None:
    scored = elements.scored_result(report, RebalancingResult)
    if scored is None:
        return None
    scores, result = scored
    return Rebalanced(
        elements.measured(scores), [_rebalanced(column) for column in result.columns], result.not_judged
    )


def _rebalanced(column: ColumnRebalancing) -> RebalancedTable:
    before, after = column.before, column.after
    rows = [
        [title, formatting.decimal(getattr(before, field)), formatting.decimal(getattr(after, field))]
        for title, field in (
            ("Demographic parity difference", "parity_difference"),
            ("Equalized odds difference", "odds_difference"),
            ("AUC", "auc"),
            ("Accuracy", "accuracy"),
        )
    ]
    low, high = (formatting.decimal(weight) for weight in column.weights)
    heads = (Head("Model trained on synthetic rows"), *numbers("Unweighted", "Weighted"))
    return RebalancedTable(column.column, column.label, Table(heads, rows), (low, high))


CHAPTER = Chapter("bias", "Bias and fairness", view)
