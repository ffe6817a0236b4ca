"""Groups of the protected columns: real beside synthetic, and what models make of them."""

from __future__ import annotations

from collections.abc import Sequence

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
from understudy.evaluation.page.charts import bars, marks
from understudy.evaluation.page.charts.bars import Estimate
from understudy.evaluation.page.elements import Chapter, Head
from understudy.evaluation.page.formatting import escape
from understudy.evaluation.report import Report

METRICS = ("base_rates", "demographic_parity", "equalised_odds", "segments", "rebalancing")
TITLE = "Bias"
LEAD = (
    "The groups of each protected column, in the real table beside the synthetic one. Inequality that is in "
    "the real table is not made here; what counts is whether the synthetic table, or a model that learns "
    "from it, adds to it."
)
TOO_SMALL = '<span class="muted small">too small to judge</span>'
LEGEND = (
    (marks.whisker("real"), "real, or trained on real rows"),
    (marks.whisker("synthetic"), "synthetic, or trained on synthetic rows"),
)
Interval = tuple[float, float] | None


def draw(report: Report) -> str:
    """Return a part a question, each with a table a protected column."""
    if not report.options.protected:
        reasons = elements.reasons(report, METRICS)
        return elements.section("bias", TITLE, LEAD, reasons) if reasons else ""
    parts = [_rates(report), _parity(report), _odds(report), _segments(report), _rebalancing(report)]
    body = f"{elements.reasons(report, METRICS)}{elements.legend(LEGEND)}{''.join(parts)}"
    return elements.section("bias", TITLE, LEAD, body)


def _both(
    real: float | None, synthetic: float | None, intervals: tuple[Interval, Interval]
) -> list[Estimate]:
    pairs = (("real", real, intervals[0]), ("synthetic", synthetic, intervals[1]))
    return [Estimate(role, value, interval) for role, value, interval in pairs if value is not None]


def _rates(report: Report) -> str:
    found = elements.found(report, BaseRatesResult)
    if found is None:
        return ""
    scores, result = found
    worst = (
        f"{elements.name(result.worst_column)}: {escape(result.worst_group)}, {escape(result.worst_label)}"
    )
    text = f"{escape(scores.summary)} Largest change: {worst}."
    tables = [_rates_table(column, result.measure) for column in result.columns]
    return elements.beside(elements.measured(scores, text=text), tables)


def _rates_table(column: ColumnBaseRates, measure: str) -> str:
    heads = [
        Head("Group"),
        Head(measure.capitalize()),
        Head("Real", is_number=True),
        Head("Synthetic", is_number=True),
        Head("Both on one axis", is_drawn=True),
        Head("Change", is_number=True),
    ]
    rates = [(group, rate) for group in column.groups for rate in group.rates]
    estimates = [
        _both(rate.real, rate.synthetic, (rate.real_interval, rate.synthetic_interval)) for _, rate in rates
    ]
    axis = bars.reach(estimates)
    rows = [
        [
            _group(group.group, group.n_real, is_too_small=group.is_too_small),
            escape(rate.label),
            formatting.decimal(rate.real),
            formatting.decimal(rate.synthetic),
            bars.whiskers(drawn, axis),
            f'{formatting.change(rate.change)}<br><span class="small muted">'
            f"{formatting.span(rate.change_interval)}</span>",
        ]
        for (group, rate), drawn in zip(rates, estimates, strict=True)
    ]
    rows += [
        [_group(group.group, group.n_real, is_too_small=group.is_too_small), *[formatting.NONE] * 3, "", ""]
        for group in column.groups
        if not group.rates
    ]
    return _table(f"Outcomes by {elements.name(column.column)}", heads, rows, column.n_groups_hidden)


def _table(caption: str, heads: Sequence[Head], rows: Sequence[Sequence[str]], n_hidden: int) -> str:
    pooled = (
        f'<p class="small muted">{n_hidden} rare {"value is" if n_hidden == 1 else "values are"} pooled.</p>'
        if n_hidden
        else ""
    )
    return elements.card(elements.long_table(caption, heads, rows, "rows") + pooled)


def _group(name: str, n: int, *, is_too_small: bool) -> str:
    note = TOO_SMALL if is_too_small else ""
    return f'{escape(name)} <span class="small muted number">{formatting.count(n)} rows</span> {note}'


def _parity(report: Report) -> str:
    found = elements.found(report, DemographicParityResult)
    if found is None:
        return ""
    scores, result = found
    text = (
        f"{escape(scores.summary)} A smallest share under 0.8 of the largest counts as a sign of adverse "
        f"impact (the four-fifths rule).{_not_judged(result.not_judged)}"
    )
    tables = [_parity_table(column) for column in result.columns]
    return elements.beside(elements.measured(scores, text=text), tables)


def _parity_table(column: ColumnParity) -> str:
    heads = [Head("Group"), *_models("Picked"), Head("Both on one axis", is_drawn=True)]
    estimates = [
        _both(one.real, one.synthetic, (one.real_interval, one.synthetic_interval)) for one in column.groups
    ]
    axis = bars.reach(estimates)
    rows = [
        [
            _group(one.group, one.n_test, is_too_small=one.is_too_small),
            formatting.share(one.real),
            formatting.share(one.synthetic),
            bars.whiskers(drawn, axis),
        ]
        for one, drawn in zip(column.groups, estimates, strict=True)
    ]
    rows.append(_last("Largest difference", column.real.difference, column.synthetic.difference))
    rows.append(_last("Smallest over largest share", column.real.ratio, column.synthetic.ratio))
    caption = f"Predicted {escape(column.label)} by {elements.name(column.column)}"
    return _table(caption, heads, rows, column.n_groups_hidden)


def _models(title: str) -> list[Head]:
    """Return the heads of what the models of either table do."""
    return [Head(f"{title}, {kind}", is_number=True) for kind in ("real", "synthetic")]


def _last(title: str, real: float | None, synthetic: float | None) -> list[str]:
    return [f"<em>{title}</em>", formatting.decimal(real), formatting.decimal(synthetic), ""]


def _not_judged(columns: Sequence[str]) -> str:
    names = ", ".join(elements.name(column) for column in columns)
    return f" Too few rows to judge: {names}." if names else ""


def _odds(report: Report) -> str:
    found = elements.found(report, EqualisedOddsResult)
    if found is None:
        return ""
    scores, result = found
    text = f"{escape(scores.summary)}{_not_judged(result.not_judged)}"
    tables = [_odds_table(column) for column in result.columns]
    return elements.beside(elements.measured(scores, text=text), tables)


def _odds_table(column: ColumnOdds) -> str:
    heads = [Head("Group"), *_models("True positives"), *_models("False positives")]
    rows = [
        [
            _group(one.group, one.n_test, is_too_small=one.is_too_small),
            formatting.share(one.true_positive_real),
            formatting.share(one.true_positive_synthetic),
            formatting.share(one.false_positive_real),
            formatting.share(one.false_positive_synthetic),
        ]
        for one in column.groups
    ]
    caption = (
        f"Errors about {escape(column.label)} by {elements.name(column.column)}: the larger gap is "
        f"{formatting.decimal(column.real)} (real), {formatting.decimal(column.synthetic)} (synthetic)"
    )
    return _table(caption, heads, rows, column.n_groups_hidden)


def _segments(report: Report) -> str:
    found = elements.found(report, SegmentsResult)
    if found is None:
        return ""
    scores, result = found
    worst = f"{elements.name(result.worst_column)}: {escape(result.worst_group)}"
    text = f"{escape(scores.summary)} The group served worst: {worst}."
    tables = [_segments_table(column, result) for column in result.columns]
    return elements.beside(elements.measured(scores, text=text), tables)


def _segments_table(column: ColumnSegments, result: SegmentsResult) -> str:
    heads = [
        Head("Group"),
        Head("Likeness", is_number=True),
        *_models(result.measure),
        Head("Both on one axis", is_drawn=True),
    ]
    estimates = [
        _both(one.real, one.synthetic, (one.real_interval, one.synthetic_interval)) for one in column.segments
    ]
    axis = bars.reach(estimates)
    rows = [
        [
            _group(one.group, one.n_test, is_too_small=one.is_too_small),
            formatting.decimal(one.shape),
            formatting.decimal(one.real),
            formatting.decimal(one.synthetic),
            bars.whiskers(drawn, axis),
        ]
        for one, drawn in zip(column.segments, estimates, strict=True)
    ]
    caption = f"Predicting {elements.name(result.target)} by {elements.name(column.column)}"
    return _table(caption, heads, rows, column.n_groups_hidden)


def _rebalancing(report: Report) -> str:
    found = elements.found(report, RebalancingResult)
    if found is None:
        return ""
    scores, result = found
    text = f"{escape(scores.summary)}{_not_judged(result.not_judged)}"
    tables = [_rebalanced(column) for column in result.columns]
    return elements.beside(elements.measured(scores, text=text), tables)


def _rebalanced(column: ColumnRebalancing) -> str:
    heads = [
        Head("Model of synthetic rows"),
        Head("As they are", is_number=True),
        Head("Weighted", is_number=True),
    ]
    before, after = column.before, column.after
    rows = [
        [title, formatting.decimal(getattr(before, field)), formatting.decimal(getattr(after, field))]
        for title, field in (
            ("Largest difference between groups", "parity_difference"),
            ("Larger gap in errors", "odds_difference"),
            ("AUC", "auc"),
            ("Accuracy", "accuracy"),
        )
    ]
    low, high = (formatting.decimal(weight) for weight in column.weights)
    note = f'<p class="small muted">Weights of synthetic rows: {low} to {high}.</p>'
    caption = f"Predicting {escape(column.label)}, weighted by {elements.name(column.column)}"
    return elements.card(elements.table(caption, heads, rows) + note)


CHAPTER = Chapter("bias", "Bias", draw)
