"""The view model of the chapter on quantities: paired differences, and tails of skewed columns."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

from understudy.evaluation.metrics.fidelity import PairedDifferencesResult, TailsResult
from understudy.evaluation.metrics.fidelity.paired_differences import PairDifference
from understudy.evaluation.metrics.fidelity.tails import ColumnTail
from understudy.evaluation.page import elements, formatting
from understudy.evaluation.page.cells import Cell, Names, Noted
from understudy.evaluation.page.elements import Chapter, Head, Measured, Reason, Table, numbers
from understudy.evaluation.statistics.written_values import written
from understudy.tables.notation import NumberNotation
from understudy.tables.schema import ColumnKind

if TYPE_CHECKING:
    from understudy.evaluation.report import Report

Format: TypeAlias = Callable[[float], str]

METRICS = ("paired_differences", "tails")
PAIR_HEADS = (Head("Difference"), *numbers("Median", "99% quantile", "Similarity"))
TAIL_HEADS = (
    Head("Column"),
    *numbers("Mean", "Standard deviation", "Extreme quantile", "Similarity"),
)


@dataclass(frozen=True)
class QuantityCard:
    """The score of a metric with its table."""

    card: Measured
    table: Table


@dataclass(frozen=True)
class QuantitiesView:
    """The content of the chapter on paired differences and tails."""

    reasons: Sequence[Reason]
    pairs: QuantityCard | None
    tails: QuantityCard | None


def view(report: Report) -> QuantitiesView | None:
    """Return the pairs and the columns, worst first, or None for reports without these metrics."""
    shown = QuantitiesView(elements.reasons(report, METRICS), _pairs(report), _tails(report))
    return shown if shown.reasons or shown.pairs or shown.tails else None


def _pairs(report: Report) -> QuantityCard | None:
    scored = elements.scored_result(report, PairedDifferencesResult)
    if scored is None:
        return None
    scores, result = scored
    rows = [
        _pair_row(pair, _format(report, pair.first) if pair.unit == "number" else formatting.seconds)
        for pair in result.pairs
    ]
    return QuantityCard(elements.measured(scores), Table(PAIR_HEADS, rows))


def _pair_row(pair: PairDifference, shown: Format) -> list[Cell]:
    return [
        Names((pair.second, pair.first), separator=f" {formatting.MINUS} "),
        _both(pair.median_real, pair.median_synthetic, shown),
        _both(pair.q99_real, pair.q99_synthetic, shown),
        formatting.decimal(pair.score),
    ]


def _tails(report: Report) -> QuantityCard | None:
    scored = elements.scored_result(report, TailsResult)
    if scored is None:
        return None
    scores, result = scored
    rows = [_tail_row(tail, _format(report, tail.column)) for tail in result.columns]
    return QuantityCard(elements.measured(scores), Table(TAIL_HEADS, rows))


def _tail_row(tail: ColumnTail, shown: Format) -> list[Cell]:
    return [
        Names((tail.column,)),
        _both(tail.mean_real, tail.mean_synthetic, shown),
        _both(tail.sd_real, tail.sd_synthetic, shown),
        _both(tail.quantile_real, tail.quantile_synthetic, shown),
        formatting.decimal(tail.score),
    ]


def _format(report: Report, column: str) -> Format:
    """Return a function that formats a column's numbers in its notation, or else in a short form."""
    shown = next((one for one in report.columns if one.column == column), None)
    if shown is None or not isinstance(shown.notation, NumberNotation):
        return formatting.number
    notation = shown.notation
    return lambda value: (written(notation, ColumnKind.float, [value]) or [formatting.number(value)])[0]


def _both(real: float | None, synthetic: float | None, shown: Format) -> Cell:
    """Return the synthetic value with the real value below it."""
    texts = [formatting.NONE if value is None else shown(value) for value in (synthetic, real)]
    return Noted(texts[0], f"real {texts[1]}")


CHAPTER = Chapter("quantities", "Quantities", view)
