"""The view model of column pairs: the strength of dependencies, and the least similar pairs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from understudy.evaluation.metrics.fidelity import (
    ColumnPairsResult,
    ContingencyResult,
    CorrelationsResult,
    MutualInformationResult,
)
from understudy.evaluation.page import elements, formatting
from understudy.evaluation.page.cells import Cell, Names
from understudy.evaluation.page.charts import heat_map
from understudy.evaluation.page.charts.heat_map import HeatMap, Legend, Matrix, draw_heat_map
from understudy.evaluation.page.elements import About, Chapter, Head, Measured, Reason, Table, numbers
from understudy.evaluation.scores import MetricScores

if TYPE_CHECKING:
    from understudy.evaluation.report import Report

METRICS = ("column_pairs", "mutual_information", "correlations", "contingency")
N_COLUMNS_IN_HEAT_MAP = 40
N_PAIRS_LISTED = 8


@dataclass(frozen=True)
class Figure:
    """A heat map and its title. The heat map shows only the first columns of a wide table."""

    title: str
    note: str
    map: HeatMap


@dataclass(frozen=True)
class Maps:
    """A large heat map with its legend, and small heat maps next to it.

    Parameters
    ----------
    small_legend : Legend or None
        The legend of the small maps; None if they share the legend of the large map.
    """

    title: str
    about: About
    large: Figure
    legend: Legend
    small: Sequence[Figure]
    small_legend: Legend | None = None


@dataclass(frozen=True)
class CorrelationsCard:
    """The correlations of numeric columns in both tables, and their differences."""

    card: Measured
    rank_score: str
    maps: Sequence[Figure]
    legend: Legend
    names: Names


@dataclass(frozen=True)
class PairsView:
    """The heat maps of all pairs, and the least similar pairs."""

    reasons: Sequence[Reason]
    relations: Maps | None
    differences: Maps | None
    weakest: Table | None
    correlations: CorrelationsCard | None
    contingency: Measured | None


def view(report: Report) -> PairsView:
    """Return the heat maps of all pairs and the least similar pairs."""
    pairs, contingency = (
        elements.scored_result(report, ColumnPairsResult),
        elements.scored_result(report, ContingencyResult),
    )
    return PairsView(
        reasons=elements.reasons(report, METRICS),
        relations=_relations(report),
        differences=None if pairs is None else _differences(*pairs),
        weakest=None if pairs is None else _weakest(*pairs),
        correlations=_correlations(report),
        contingency=None if contingency is None else elements.measured(contingency[0]),
    )


def _relations(report: Report) -> Maps | None:
    scored = elements.scored_result(report, MutualInformationResult)
    if scored is None:
        return None
    scores, result = scored
    gaps = _minus(result.synthetic, result.real)
    large = figure(
        result.columns, gaps, "Difference, synthetic minus real", limits=heat_map.CHANGES, has_names=True
    )
    largest = _largest(result.columns, gaps)
    return Maps(
        title=scores.title,
        about=elements.about(scores),
        large=Figure(large.title, ". ".join(note for note in (largest, large.note) if note), large.map),
        legend=Legend(
            heat_map.CHANGES, "upper row: stronger than real; lower row: weaker than real", is_signed=True
        ),
        small=[
            figure(result.columns, matrix, title, limits=heat_map.STRENGTHS)
            for title, matrix in (("Real", result.real), ("Synthetic", result.synthetic))
        ],
        small_legend=Legend(heat_map.STRENGTHS, "strength of the dependency, 0 to 1"),
    )


def _differences(scores: MetricScores, result: ColumnPairsResult) -> Maps:
    return Maps(
        title=scores.title,
        about=elements.about(scores),
        large=_gaps(result, "Synthetic rows compared with real rows", has_names=True),
        legend=Legend(heat_map.DIFFERENCES, "total variation distance"),
        small=[
            _gaps(other, title)
            for title, other in (
                ("Independent columns (baseline)", scores.independent),
                ("Real rows (baseline)", scores.real),
            )
            if isinstance(other, ColumnPairsResult)
        ],
    )


def _gaps(result: ColumnPairsResult, title: str, *, has_names: bool = False) -> Figure:
    gaps = [[None if one is None else 1 - one for one in row] for row in result.matrix]
    drawn = figure(result.columns, gaps, title, limits=heat_map.DIFFERENCES, has_names=has_names)
    mean = f"Mean similarity {formatting.decimal(result.score)}"
    return Figure(title, f"{mean}. {drawn.note}" if drawn.note else mean, drawn.map)


def _correlations(report: Report) -> CorrelationsCard | None:
    scored = elements.scored_result(report, CorrelationsResult)
    if scored is None:
        return None
    scores, result = scored
    return CorrelationsCard(
        card=elements.measured(scores),
        rank_score=formatting.decimal(result.spearman_score),
        maps=[
            figure(result.columns, matrix, title, limits=heat_map.STRENGTHS)
            for title, matrix in (
                ("Real", result.pearson_real),
                ("Synthetic", result.pearson_synthetic),
                ("Difference", _minus(result.pearson_synthetic, result.pearson_real)),
            )
        ],
        legend=Legend(heat_map.STRENGTHS, "upper row: positive; lower row: negative", is_signed=True),
        names=Names(tuple(result.columns[:N_COLUMNS_IN_HEAT_MAP])),
    )


def figure(
    columns: Sequence[str],
    matrix: Matrix,
    title: str,
    *,
    limits: Sequence[float],
    has_names: bool = False,
) -> Figure:
    """Return one heat map, with a note if it does not show all columns."""
    shown = columns[:N_COLUMNS_IN_HEAT_MAP]
    note = f"The first {len(shown)} of {len(columns)} columns" if len(shown) < len(columns) else ""
    squares = [row[: len(shown)] for row in matrix[: len(shown)]]
    label = f"{title}, all pairs of columns: {_in_words(shown, squares)}"
    return Figure(title, note, draw_heat_map(shown, squares, label, limits=limits, has_names=has_names))


def _minus(synthetic: Matrix, real: Matrix) -> Matrix:
    return [
        [None if left is None or right is None else left - right for left, right in zip(*rows, strict=True)]
        for rows in zip(synthetic, real, strict=True)
    ]


def _largest_cell(matrix: Matrix) -> tuple[float, int, int] | None:
    """Return the value with the largest magnitude and the indices of its two columns."""
    cells = [
        (value, i, j) for i, row in enumerate(matrix) for j, value in enumerate(row[:i]) if value is not None
    ]
    return max(cells, key=lambda cell: abs(cell[0]), default=None)


def _in_words(columns: Sequence[str], matrix: Matrix) -> str:
    largest = _largest_cell(matrix)
    if largest is None:
        return "it contains 0 values"
    value, i, j = largest
    return f"the largest value is {formatting.decimal(value)}, for {columns[j]} and {columns[i]}"


def _largest(columns: Sequence[str], gaps: Matrix) -> str:
    """Return a phrase that names the dependency with the largest change."""
    largest = _largest_cell(gaps)
    if largest is None:
        return ""
    value, i, j = largest
    return (
        f"Largest change: {columns[j]} and {columns[i]}, "
        f"{formatting.decimal(abs(value))} {'stronger' if value > 0 else 'weaker'} than real"
    )


def _weakest(scores: MetricScores, result: ColumnPairsResult) -> Table:
    others = [
        (title, other.matrix)
        for title, other in (("Independent columns", scores.independent), ("Real rows", scores.real))
        if isinstance(other, ColumnPairsResult)
    ]
    found = [
        (similarity, i, j)
        for i, row in enumerate(result.matrix)
        for j, similarity in enumerate(row[:i])
        if similarity is not None
    ]
    tables = [("Synthetic", result.matrix), *others]
    rows: list[list[Cell]] = [
        [
            Names((result.columns[j], result.columns[i]), separator=" & "),
            *(formatting.decimal(matrix[i][j]) for _, matrix in tables),
        ]
        for _, i, j in sorted(found)[:N_PAIRS_LISTED]
    ]
    return Table((Head("Pair"), *numbers(*(title for title, _ in tables))), rows)


CHAPTER = Chapter("pairs", "Column pairs", view)
