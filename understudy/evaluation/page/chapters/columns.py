"""The view model of column distributions, least similar columns first."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from understudy.evaluation.excluded_columns import ExcludedColumn
from understudy.evaluation.metrics.fidelity import (
    ColumnAdherenceResult,
    ColumnCoverageResult,
    ColumnShapesResult,
)
from understudy.evaluation.metrics.fidelity.column_shapes import ColumnShapeScore
from understudy.evaluation.page import elements, formatting
from understudy.evaluation.page.cells import Cell, Names
from understudy.evaluation.page.charts.bars import Bar, track
from understudy.evaluation.page.charts.histogram import Histogram, draw_histogram
from understudy.evaluation.page.elements import Chapter, Head, Measured, Reason, Table, numbers
from understudy.evaluation.scores import MetricScores
from understudy.evaluation.statistics.distributions import (
    MISSING_LABEL,
    OTHER_LABEL,
    UNSEEN_LABEL,
    ColumnDistribution,
)

if TYPE_CHECKING:
    from understudy.evaluation.report import Report

POOLED_LABELS = (OTHER_LABEL, UNSEEN_LABEL, MISSING_LABEL)
HEADS = (Head("Column (lowest score first)"), *numbers("Score"))


@dataclass(frozen=True)
class ColumnCard:
    """One column with its score, notes and chart. A column with too few values has no chart."""

    column: str
    kind: str
    score: str
    histogram: Histogram | None
    bars: Sequence[Bar]
    notes: Sequence[str]


@dataclass(frozen=True)
class ColumnsView:
    """The charts and scores of columns, scores of adherence and coverage, and the columns without a score.

    Parameters
    ----------
    is_scored : bool
        Whether the columns were scored. If not, `reasons` contains the reason.
    reach : sequence of (card, table)
        The scores of column adherence and column coverage.
    excluded : sequence of (column, reason)
        The columns that were not scored.
    """

    # Number of cards that are shown without expanding the list.
    N_CARDS_OPEN: ClassVar[int] = 24

    is_scored: bool
    reasons: Sequence[Reason] = ()
    cards: Sequence[ColumnCard] = ()
    reach: Sequence[tuple[Measured, Table]] = ()
    excluded: Sequence[tuple[str, str]] = ()


def view(report: Report) -> ColumnsView:
    """Return one card for each column."""
    scored = elements.scored_result(report, ColumnShapesResult)
    if scored is None:
        return ColumnsView(is_scored=False, reasons=elements.reasons(report, ["column_shapes"]))
    scores, result = scored
    others = {"independent": _by_name(scores.independent), "real rows": _by_name(scores.real)}
    distributions = {shown.column: shown for shown in report.columns}
    return ColumnsView(
        is_scored=True,
        cards=[
            _card(shape, others, distributions[shape.column])
            for shape in sorted(result.columns, key=lambda shape: shape.score)
        ],
        reach=_reach(report),
        excluded=[(left_out.column, _excluded(left_out)) for left_out in report.left_out],
    )


def _reach(report: Report) -> list[tuple[Measured, Table]]:
    within, reached = (
        elements.scored_result(report, ColumnAdherenceResult),
        elements.scored_result(report, ColumnCoverageResult),
    )
    cards = []
    if within is not None:
        cards.append(_measured(within[0], {column.column: column.score for column in within[1].columns}))
    if reached is not None:
        cards.append(_measured(reached[0], {column.column: column.score for column in reached[1].columns}))
    return cards


def _measured(scores: MetricScores, columns: Mapping[str, float]) -> tuple[Measured, Table]:
    rows: list[list[Cell]] = [
        [Names((column,)), formatting.decimal(score)]
        for column, score in sorted(columns.items(), key=lambda item: item[1])
    ]
    return elements.measured(scores), Table(HEADS, rows)


def _excluded(left_out: ExcludedColumn) -> str:
    """Return the reason why a column is not scored, with the share of its values that are copies."""
    if left_out.copied is None:
        return left_out.reason
    share = formatting.percent(left_out.copied)
    return f"{left_out.reason}; {share} of the synthetic values also occur in the real table"


def _by_name(result: object) -> dict[str, ColumnShapeScore]:
    return {shape.column: shape for shape in result.columns} if isinstance(result, ColumnShapesResult) else {}


def _card(
    shape: ColumnShapeScore, others: Mapping[str, Mapping[str, ColumnShapeScore]], shown: ColumnDistribution
) -> ColumnCard:
    notes = [
        f"{title} {formatting.score(columns[shape.column].score, 'column_shapes')}"
        for title, columns in others.items()
        if shape.column in columns
    ]
    if shown.missing_real or shown.missing_synthetic:
        notes.append(
            f"missing {formatting.percent(shown.missing_real)} real, "
            f"{formatting.percent(shown.missing_synthetic)} synthetic"
        )
    return ColumnCard(
        column=shape.column,
        kind=shape.kind.value,
        score=formatting.score(shape.score, "column_shapes"),
        histogram=draw_histogram(shown) if shown.form == "histogram" else None,
        bars=_bars(shown) if shown.form not in ("histogram", "hidden") else (),
        notes=notes,
    )


def _bars(shown: ColumnDistribution) -> list[Bar]:
    # Labels that represent several values or missing values have no bar, because a large bar would make all
    # other bars tiny.
    has_bar = [label not in POOLED_LABELS for label in shown.labels]
    shares = zip((*shown.real, *shown.synthetic), has_bar * 2, strict=True)
    longest = max([1e-9, *(share for share, is_drawn in shares if is_drawn)])
    return [
        Bar(
            label,
            [track("real", real / longest), track("synthetic", synthetic / longest)] if is_drawn else (),
            formatting.percent(synthetic),
            text="" if is_drawn else f"{formatting.percent(real)} real",
            spoken=f"real {formatting.percent(real)}, synthetic ",
            is_pooled=not is_drawn,
        )
        for label, real, synthetic, is_drawn in zip(
            shown.labels, shown.real, shown.synthetic, has_bar, strict=True
        )
    ]


CHAPTER = Chapter("columns", "Columns", view)
