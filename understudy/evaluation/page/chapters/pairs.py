"""Pairs of columns: what they say of each other, how far they differ, and which differ most."""

from __future__ import annotations

from collections.abc import Sequence

from understudy.evaluation.metrics.fidelity import (
    ColumnPairsResult,
    ContingencyResult,
    CorrelationsResult,
    MutualInformationResult,
)
from understudy.evaluation.page import elements, formatting
from understudy.evaluation.page.charts import heat_map
from understudy.evaluation.page.charts.heat_map import Matrix
from understudy.evaluation.page.elements import Chapter, Head
from understudy.evaluation.page.formatting import escape
from understudy.evaluation.report import Report
from understudy.evaluation.scores import MetricScores

METRICS = ("column_pairs", "mutual_information", "correlations", "contingency")
N_COLUMNS_IN_HEAT_MAP = 40
N_PAIRS_LISTED = 8
TITLE = "Pairs of columns"
LEAD = "Whether columns belong together as they do in the real table. Each square is a pair of columns."
RELATIONS = (
    "How much each column tells of each other one: deep squares are strong relations. In the large map, "
    "what the synthetic table has too much of, and what it lost."
)
DIFFERENCES = (
    "How far the joint distribution of each pair is from the real one, by total variation on ten bins a "
    "column. Read the large map against the small ones."
)


def draw(report: Report) -> str:
    """Return the heat maps of all pairs, and the pairs that are least alike."""
    body = f"{elements.reasons(report, METRICS)}{_relations(report)}{_differences(report)}{_others(report)}"
    return elements.section("pairs", TITLE, LEAD, body)


def _relations(report: Report) -> str:
    found = elements.found(report, MutualInformationResult)
    if found is None:
        return ""
    scores, result = found
    gaps = _minus(result.synthetic, result.real)
    large = figure(
        result.columns, gaps, "Synthetic minus real", _largest(result.columns, gaps), heat_map.CHANGES
    )
    small = [
        figure(result.columns, matrix, title, "", heat_map.STRENGTHS, has_names=False)
        for title, matrix in (("Real", result.real), ("Synthetic", result.synthetic))
    ]
    key = heat_map.legend(
        heat_map.CHANGES, "upper row: stronger than real; lower row: weaker", is_signed=True
    )
    small.append(heat_map.legend(heat_map.STRENGTHS, "strength, 0 to 1"))
    head = f'<h3>{escape(scores.title)}</h3><p class="lead">{RELATIONS}</p>'
    return f"{head}{_split(large + key, small)}"


def _differences(report: Report) -> str:
    found = elements.found(report, ColumnPairsResult)
    if found is None:
        return ""
    scores, result = found
    small = [
        _gap_figure(other, title, has_names=False)
        for title, other in (("Independent columns", scores.independent), ("Fresh real rows", scores.real))
        if isinstance(other, ColumnPairsResult)
    ]
    large = _gap_figure(result, "Synthetic against real", has_names=True)
    key = heat_map.legend(heat_map.DIFFERENCES, "total variation")
    head = f'<h3 class="gap">{escape(scores.title)}</h3><p class="lead">{DIFFERENCES}</p>'
    return f"{head}{_split(large + key, small)}{elements.card(_weakest(scores, result), kind='gap')}"


def _others(report: Report) -> str:
    """Return the narrower scores: of numbers, and of categories."""
    cards = []
    correlations = elements.found(report, CorrelationsResult)
    if correlations is not None:
        scores, result = correlations
        rank = formatting.decimal(result.spearman_score)
        body = f'<p class="small muted">Pearson; by ranks (Spearman) the similarity is {rank}.</p>'
        cards.append(elements.measured(scores, body + _correlation_maps(result)))
    contingency = elements.found(report, ContingencyResult)
    if contingency is not None:
        cards.append(elements.measured(contingency[0]))
    return elements.halves(cards)


def _correlation_maps(result: CorrelationsResult) -> str:
    maps = "".join(
        figure(result.columns, matrix, title, "", heat_map.STRENGTHS, has_names=False)
        for title, matrix in (
            ("Real", result.pearson_real),
            ("Synthetic", result.pearson_synthetic),
            ("Difference", _minus(result.pearson_synthetic, result.pearson_real)),
        )
    )
    names = ", ".join(elements.name(column) for column in result.columns[:N_COLUMNS_IN_HEAT_MAP])
    key = heat_map.legend(heat_map.STRENGTHS, "upper row: positive; lower row: negative", is_signed=True)
    return f'<div class="thirds maps">{maps}</div>{key}<p class="small muted">In this order: {names}.</p>'


def _split(large: str, small: Sequence[str]) -> str:
    stack = "".join(small)
    return (
        f'<div class="split">{elements.card(large)}<div class="card stack">{stack}</div></div>'
        if stack
        else elements.card(large)
    )


def _gap_figure(result: ColumnPairsResult, title: str, *, has_names: bool) -> str:
    gaps = [[None if one is None else 1 - one for one in row] for row in result.matrix]
    note = f"mean similarity {formatting.decimal(result.score)}"
    return figure(result.columns, gaps, title, note, heat_map.DIFFERENCES, has_names=has_names)


def figure(
    columns: Sequence[str],
    matrix: Matrix,
    title: str,
    note: str,
    limits: Sequence[float],
    *,
    has_names: bool = True,
) -> str:
    """Return one heat map with its title; of wide tables the first columns."""
    shown = columns[:N_COLUMNS_IN_HEAT_MAP]
    if len(shown) < len(columns):
        note = f"{note}. The first {len(shown)} of {len(columns)} columns".removeprefix(". ")
    squares = [row[: len(shown)] for row in matrix[: len(shown)]]
    label = f"{title}, all pairs of columns: {_in_words(shown, squares)}"
    drawn = heat_map.draw(shown, squares, label, limits=limits, has_names=has_names)
    return (
        f'<figure class="{"heatmap named" if has_names else "heatmap"}"><figcaption>'
        f'<h4>{title}</h4><span class="small muted">{note}</span></figcaption>{drawn}</figure>'
    )


def _minus(synthetic: Matrix, real: Matrix) -> Matrix:
    return [
        [None if one is None or other is None else one - other for one, other in zip(*rows, strict=True)]
        for rows in zip(synthetic, real, strict=True)
    ]


def _deepest(matrix: Matrix) -> tuple[float, int, int] | None:
    """Return the number that is farthest from 0, and its two columns."""
    found = [
        (value, i, j) for i, row in enumerate(matrix) for j, value in enumerate(row[:i]) if value is not None
    ]
    return max(found, key=lambda one: abs(one[0]), default=None)


def _in_words(columns: Sequence[str], matrix: Matrix) -> str:
    """Say which square is the deepest; safe HTML without tags."""
    deepest = _deepest(matrix)
    if deepest is None:
        return "no pair has a number (0 squares)"
    value, i, j = deepest
    return f"the deepest is {escape(columns[j])} and {escape(columns[i])}, {formatting.decimal(value)}"


def _largest(columns: Sequence[str], gaps: Matrix) -> str:
    """Say which relation changed most; safe HTML without tags."""
    deepest = _deepest(gaps)
    if deepest is None:
        return ""
    value, i, j = deepest
    return (
        f"largest change: {escape(columns[j])} and {escape(columns[i])}, "
        f"{formatting.decimal(abs(value))} {'stronger' if value > 0 else 'weaker'} than real"
    )


def _weakest(scores: MetricScores, result: ColumnPairsResult) -> str:
    others = [
        (title, other.matrix)
        for title, other in (("Independent", scores.independent), ("Fresh real", scores.real))
        if isinstance(other, ColumnPairsResult)
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
            *(formatting.decimal(matrix[i][j]) for _, matrix in tables),
        ]
        for _, i, j in sorted(found)[:N_PAIRS_LISTED]
    ]
    return elements.table("The pairs least alike: similarity, 1 is equal", heads, rows)


CHAPTER = Chapter("pairs", "Pairs", draw)
