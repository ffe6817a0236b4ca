"""Pairs of columns: how far they differ, and which differ most."""

from __future__ import annotations

from understudy.evaluation.metrics.fidelity import ColumnPairs
from understudy.evaluation.page import elements, formatting
from understudy.evaluation.page.charts import heat_map
from understudy.evaluation.page.charts.heat_map import Matrix
from understudy.evaluation.page.elements import Chapter, Head
from understudy.evaluation.report import Report
from understudy.evaluation.scores import MetricScores

N_COLUMNS_IN_HEAT_MAP = 40
N_PAIRS_LISTED = 8
TITLE = "Pairs of columns"
LEAD = (
    "Whether columns belong together as they do in the real table. Each square is a pair of columns; the "
    "deeper its colour, the more their joint distribution differs from the real one (total variation on "
    "ten shared bins a column, 0 is equal). Read the large map against the small ones."
)


def draw(report: Report) -> str:
    """Return the heat maps of all pairs, and the pairs that are least alike."""
    found = elements.found(report, ColumnPairs)
    if found is None:
        return elements.section("pairs", TITLE, LEAD, elements.reasons(report, ["column_pairs"]))
    scores, result = found
    body = f"{_differences(scores, result)}{elements.card(_weakest(scores, result), kind='gap')}"
    return elements.section("pairs", TITLE, LEAD, body)


def _differences(scores: MetricScores, result: ColumnPairs) -> str:
    small = [
        _figure(other, title, note, has_names=False)
        for other, title, note in (
            (scores.independent, "Independent columns", "What is lost when no relation is learnt."),
            (scores.real, "Fresh real rows", "What chance alone makes differ: nothing can be paler."),
        )
        if isinstance(other, ColumnPairs)
    ]
    large = _figure(result, "Synthetic", "", has_names=True)
    scale = heat_map.legend(heat_map.DIFFERENCES, "Total variation from the real table")
    return (
        f'<div class="split">{elements.card(f"{large}{scale}")}'
        f'<div class="stack">{"".join(elements.card(figure) for figure in small)}</div></div>'
    )


def _figure(result: ColumnPairs, title: str, note: str, *, has_names: bool) -> str:
    names = result.columns[:N_COLUMNS_IN_HEAT_MAP]
    if len(names) < len(result.columns):
        note = f"{note} The first {len(names)} of {len(result.columns)} columns.".strip()
    score = formatting.score(result.score, "column_pairs")
    label = f"{title}: differences of all pairs of columns; their mean similarity is {score}"
    drawn = heat_map.draw(
        names, _gaps(result.matrix, len(names)), label, limits=heat_map.DIFFERENCES, has_names=has_names
    )
    return (
        f'<figure class="{"heatmap named" if has_names else "heatmap"}"><figcaption><h3>{title} '
        f'<span class="muted number">{score}</span></h3>'
        f'<span class="small muted">{note}</span></figcaption>{drawn}</figure>'
    )


def _gaps(matrix: Matrix, n: int) -> Matrix:
    return [[None if one is None else 1 - one for one in row[:n]] for row in matrix[:n]]


def _weakest(scores: MetricScores, result: ColumnPairs) -> str:
    others = [
        (title, other.matrix)
        for title, other in (("Independent", scores.independent), ("Fresh real", scores.real))
        if isinstance(other, ColumnPairs)
    ]
    found = [
        (similarity, i, j)
        for i, row in enumerate(result.matrix)
        for j, similarity in enumerate(row[:i])
        if similarity is not None
    ]
    tables = [("Synthetic", result.matrix), *others]
    heads = [Head("Pair"), *(Head(title, is_number=True) for title, _ in tables)]
    rows = [
        [
            f"{elements.name(result.columns[j])} &amp; {elements.name(result.columns[i])}",
            *(formatting.score(matrix[i][j], "column_pairs") for _, matrix in tables),
        ]
        for _, i, j in sorted(found)[:N_PAIRS_LISTED]
    ]
    return elements.table("The pairs least alike: similarity, 1 is equal", heads, rows)


CHAPTER = Chapter("pairs", "Pairs", draw)
