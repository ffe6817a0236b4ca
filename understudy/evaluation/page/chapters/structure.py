"""The view model of the chapter on structure: entities, value-level rules, codes and labels, and notation."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from understudy.evaluation.metrics.fidelity import (
    CodeLabelsResult,
    EntityStructureResult,
    NotationResult,
    ValueRulesResult,
)
from understudy.evaluation.metrics.fidelity.entity_structure import EntityColumn
from understudy.evaluation.page import elements, formatting
from understudy.evaluation.page.cells import Cell, Names, Noted
from understudy.evaluation.page.elements import Chapter, Head, Measured, Reason, Table, numbers

if TYPE_CHECKING:
    from understudy.evaluation.report import Report

METRICS = ("entity_structure", "value_rules", "code_labels", "notation")
SHARES = numbers("Real", "Synthetic")
PROPERTIES = {
    "notation": "can be parsed in the notation of the column",
    "decimals": "number of decimals",
    "width": "number of digits",
    "resolution": "resolution of times",
    "form": "sequence of letters, digits and punctuation",
}


@dataclass(frozen=True)
class StructureCard:
    """The score of one metric, and a table with details.

    Parameters
    ----------
    caption : str
        The caption of the table.
    noun : str
        The plural noun for the rows of the table.
    """

    card: Measured
    caption: str
    noun: str
    table: Table


@dataclass(frozen=True)
class StructureView:
    """The content of the chapter on structure."""

    reasons: Sequence[Reason]
    cards: Sequence[StructureCard]


def view(report: Report) -> StructureView | None:
    """Return one card for each score, or None for reports without these metrics."""
    made = (_entities(report), _rules(report), _labels(report), _notation(report))
    shown = StructureView(elements.reasons(report, METRICS), [card for card in made if card is not None])
    return shown if shown.reasons or shown.cards else None


def _entities(report: Report) -> StructureCard | None:
    scored = elements.scored_result(report, EntityStructureResult)
    if scored is None:
        return None
    scores, result = scored
    rows = [row for entity in result.entities for row in _entity_rows(entity)]
    return StructureCard(
        elements.measured(scores),
        "Properties of entities, worst entity first",
        "properties",
        Table((Head("Entity"), Head("Property"), *SHARES), rows),
    )


def _entity_rows(entity: EntityColumn) -> Iterator[list[Cell]]:
    name = Names((entity.column,))
    yield [
        name,
        Noted("rows per entity", f"similarity {formatting.decimal(entity.rows_similarity)}"),
        formatting.number(entity.rows_per_entity_real),
        formatting.number(entity.rows_per_entity_synthetic),
    ]
    for attribute in entity.attributes:
        yield [
            name,
            Noted(attribute.column, "one value per entity"),
            formatting.percent(attribute.constant_real),
            formatting.share(attribute.constant_synthetic),
        ]
    for combination in entity.unique:
        yield [
            name,
            Noted(" and ".join(combination.columns), "repeated rows"),
            formatting.percent(0),
            formatting.percent(combination.duplicated),
        ]


def _rules(report: Report) -> StructureCard | None:
    scored = elements.scored_result(report, ValueRulesResult)
    if scored is None:
        return None
    scores, result = scored
    rows: list[list[Cell]] = [
        [rule.sentence, formatting.percent(rule.kept_real), formatting.share(rule.kept_synthetic)]
        for rule in result.rules
    ]
    n_rules = formatting.plural(result.n_rules, "rule", "rules")
    caption = f"Share of rows that satisfy a rule, {n_rules} in total"
    return StructureCard(elements.measured(scores), caption, "rules", Table((Head("Rule"), *SHARES), rows))


def _labels(report: Report) -> StructureCard | None:
    scored = elements.scored_result(report, CodeLabelsResult)
    if scored is None:
        return None
    scores, result = scored
    rows: list[list[Cell]] = [
        [
            Names(tuple(pair.columns)),
            formatting.count(pair.n_levels),
            formatting.percent(pair.matched_real),
            formatting.percent(pair.matched_synthetic),
        ]
        for pair in result.pairs
    ]
    heads = (Head("Columns"), *numbers("Values"), *SHARES)
    return StructureCard(
        elements.measured(scores), "Share of rows that agree, worst pair first", "pairs", Table(heads, rows)
    )


def _notation(report: Report) -> StructureCard | None:
    scored = elements.scored_result(report, NotationResult)
    if scored is None:
        return None
    scores, result = scored
    rows: list[list[Cell]] = [
        [
            Names((column.column,)),
            PROPERTIES[column.property],
            formatting.percent(column.real),
            formatting.percent(column.synthetic),
        ]
        for column in result.columns
    ]
    return StructureCard(
        elements.measured(scores),
        "Share of values with the property of the column, worst column first",
        "columns",
        Table((Head("Column"), Head("Property"), *SHARES), rows),
    )


CHAPTER = Chapter("structure", "Structure", view)
