"""Each column's two distributions, the least alike first."""

from __future__ import annotations

from understudy.evaluation.excluded_columns import ExcludedColumn
from understudy.evaluation.metrics.fidelity import (
    ColumnAdherenceResult,
    ColumnCoverageResult,
    ColumnShapesResult,
)
from understudy.evaluation.metrics.fidelity.column_shapes import ColumnShapeScore
from understudy.evaluation.page import elements, formatting
from understudy.evaluation.page.charts import marks
from understudy.evaluation.page.charts.bars import bars
from understudy.evaluation.page.charts.histogram import histogram
from understudy.evaluation.page.elements import Chapter, Head
from understudy.evaluation.page.formatting import escape
from understudy.evaluation.report import Report
from understudy.evaluation.scores import MetricScores
from understudy.evaluation.statistics.distributions import (
    MISSING_LABEL,
    OTHER_LABEL,
    UNSEEN_LABEL,
    ColumnDistribution,
)

# More cards than this are folded away: the least alike columns come first.
N_CARDS_OPEN = 24
POOLED_LABELS = (OTHER_LABEL, UNSEEN_LABEL, MISSING_LABEL)
TITLE = "Column by column"
LEAD = (
    "How the values of each column are distributed, the least alike columns first. The score is 1 minus "
    "the largest gap between the two distributions (Kolmogorov-Smirnov for numbers and times, total "
    "variation for categories), or 1 minus the gap in missing values if that is larger."
)


def draw(report: Report) -> str:
    """Return a card a column."""
    found = elements.found(report, ColumnShapesResult)
    if found is None:
        return elements.section("columns", TITLE, LEAD, elements.reasons(report, ["column_shapes"]))
    scores, result = found
    others = _by_name(scores.independent), _by_name(scores.real)
    distributions = {shown.column: shown for shown in report.columns}
    cards = [
        _card(shape, [other.get(shape.column) for other in others], distributions[shape.column])
        for shape in sorted(result.columns, key=lambda shape: shape.score)
    ]
    legend = elements.legend(((marks.AREA, "real"), (marks.STEP, "synthetic")))
    grid = f"{_grid(cards[:N_CARDS_OPEN])}{_folded(cards[N_CARDS_OPEN:])}"
    body = f"{legend}{grid}{_reach(report)}{_left_out(report)}"
    return elements.section("columns", TITLE, LEAD, body)


def _grid(cards: list[str]) -> str:
    return f'<div class="grid">{"".join(cards)}</div>'


def _folded(cards: list[str]) -> str:
    return (
        elements.details(f"{len(cards)} more columns, all of them more alike", _grid(cards)) if cards else ""
    )


def _reach(report: Report) -> str:
    """Return whether values lie within the real ones, and reach as far."""
    within, reached = (
        elements.found(report, ColumnAdherenceResult),
        elements.found(report, ColumnCoverageResult),
    )
    cards = []
    if within is not None:
        cards.append(_measured(within[0], [(one.column, one.score) for one in within[1].columns]))
    if reached is not None:
        cards.append(_measured(reached[0], [(one.column, one.score) for one in reached[1].columns]))
    return f'<div class="gap">{elements.halves(cards)}</div>' if cards else ""


def _measured(scores: MetricScores, columns: list[tuple[str, float]]) -> str:
    rows = [
        [elements.name(column), formatting.decimal(score)]
        for column, score in sorted(columns, key=lambda one: one[1])
    ]
    heads = [Head("Column, the lowest first"), Head("Score", is_number=True)]
    table = elements.table(f"{escape(scores.title)}, column by column", heads, rows, is_hidden=True)
    return elements.measured(scores, elements.details("Column by column", table))


def _left_out(report: Report) -> str:
    """Return which columns are not scored, and why."""
    items = "".join(
        f"<li>{elements.name(one.column)}: {escape(one.reason)}{_copied(one)}</li>" for one in report.left_out
    )
    said = f'<p class="muted">Not scored, because they are generated:</p><ul>{items}</ul>'
    return elements.card(said, kind="gap small") if items else ""


def _copied(one: ExcludedColumn) -> str:
    share = "" if one.copied is None else formatting.percent(one.copied)
    return f"; {share} of the synthetic values are in the real table too" if share else ""


def _by_name(result: object) -> dict[str, ColumnShapeScore]:
    return {shape.column: shape for shape in result.columns} if isinstance(result, ColumnShapesResult) else {}


def _card(shape: ColumnShapeScore, others: list[ColumnShapeScore | None], shown: ColumnDistribution) -> str:
    notes = [
        f"{title} {formatting.score(other.score, 'column_shapes')}"
        for title, other in zip(("independent", "fresh real"), others, strict=True)
        if other is not None
    ]
    if shown.missing_real or shown.missing_synthetic:
        notes.append(
            f"missing {formatting.percent(shown.missing_real)} real, "
            f"{formatting.percent(shown.missing_synthetic)} synthetic"
        )
    footer = "".join(f"<span>{note}</span>" for note in notes)
    return (
        f'<article class="card column"><header><h3 class="name">{escape(shape.column)}'
        f'<span class="kind">{shape.kind.value}</span></h3>'
        f'<span class="score">{formatting.score(shape.score, "column_shapes")}</span></header>'
        f"<figure>{_drawing(shown)}</figure><footer>{footer}</footer></article>"
    )


def _drawing(shown: ColumnDistribution) -> str:
    if shown.form == "histogram":
        return histogram(shown)
    if shown.form == "hidden":
        return (
            '<p class="small muted">Not shown: too few known values to draw without showing single rows.</p>'
        )
    return f'<div class="bars">{_bars(shown)}</div>'


def _bars(shown: ColumnDistribution) -> str:
    # What stands for many values, or for none, has no bar: it would press all others flat.
    has_bar = [label not in POOLED_LABELS for label in shown.labels]
    shares = zip((*shown.real, *shown.synthetic), has_bar * 2, strict=True)
    longest = max([1e-9, *(share for share, is_drawn in shares if is_drawn)])
    rows = [
        (
            label,
            [("real", real / longest), ("synthetic", synthetic / longest)]
            if is_drawn
            else f"{formatting.percent(real)} real",
            f'<span class="visually-hidden">real {formatting.percent(real)}, synthetic </span>'
            f"{formatting.percent(synthetic)}",
        )
        for label, real, synthetic, is_drawn in zip(
            shown.labels, shown.real, shown.synthetic, has_bar, strict=True
        )
    ]
    return bars(rows, pooled=POOLED_LABELS)


CHAPTER = Chapter("columns", "Columns", draw)
