"""Order and training rows of the columns that belong to entities."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pyarrow as pa

from understudy.synthesizers.entities.detection import FoundGroup, first_rows_of
from understudy.synthesizers.entities.groups import Entities
from understudy.synthesizers.entities.position_search import FittedRows, find_positions
from understudy.synthesizers.entities.positions import Counter, Position
from understudy.synthesizers.entities.rules import without_columns
from understudy.synthesizers.tree_chain.chain import Arranged, Encoded
from understudy.synthesizers.tree_chain.difference_columns import DrawnTable
from understudy.synthesizers.tree_chain.encoding import encode_values
from understudy.synthesizers.tree_chain.level_lookups import with_level_sources
from understudy.synthesizers.tree_chain.rule_enforcement import RuleEnforcer
from understudy.transformers.table import TableTransformer


def add_positions(drawn: DrawnTable, found: list[FoundGroup]) -> DrawnTable:
    """Return a table with the columns that number the rows of entities, or are distinct within an entity."""
    own = FittedRows(drawn.rows, drawn.transformer, drawn.codes)
    excluded = {*drawn.rules.derived, *(measured.name for measured in drawn.rules.measured)}
    positions = find_positions(own, drawn.entities, found, excluded)
    names = drawn.transformer.schema.names
    counters = {names[own.column] for own in positions if isinstance(own, Counter)}
    encoded = tuple(_with_codes(position, drawn, found) for position in positions)
    entities = replace(drawn.entities, positions=encoded)
    return replace(drawn, entities=entities, rules=without_columns(drawn.rules, counters))


def _with_codes(position: Position, drawn: DrawnTable, found: list[FoundGroup]) -> Position:
    """Return a counter with the codes of its numbers. A number without a code gets code 0."""
    if not isinstance(position, Counter):
        return position
    n = int(drawn.entities.groups[position.group].grouping.sizes.max())
    column, name = position.column, drawn.transformer.schema.names[position.column]
    numbers = pa.array(position.first + np.arange(n)).cast(drawn.rows.schema.field(column).type)
    codes = encode_values(name, numbers, drawn.transformer.columns[column])
    return replace(position, codes=np.maximum(codes, 0).astype(np.uint16))


def arrange_columns(
    enforcer: RuleEnforcer, entities: Entities, table: TableTransformer, order: Sequence[int]
) -> Arranged:
    """Return the column order and the lookups (see `RuleEnforcer.arrange`), with entity columns first.

    The columns of the coarsest entities come first. An entity's columns depend only on each other and on the
    columns of coarser entities, so their values are the same in all rows of the entity.
    """
    if not entities.groups:
        return with_level_sources(enforcer.arrange(order, table.schema), enforcer, table.columns)
    positions = {j for position in entities.positions for j in position.columns}
    # The codes of these columns are known before the columns that determine them are drawn.
    known = {j for group in entities.groups for j in group.known_codes}
    changing = frozenset() if entities.sequences is None else entities.sequences.changing
    tables, levels = (
        {
            (dependent, determinant): codes
            for (dependent, determinant), codes in lookups.items()
            if entities.sees(dependent, determinant) and dependent not in positions | known | changing
        }
        for lookups in (enforcer.tables, enforcer.levels)
    )
    arranged = replace(enforcer, tables=tables, levels=levels).arrange(order, table.schema)
    visible = {j: entities.visible(j) or set() for j in entities.group_of}
    ranked = Arranged(sorted(arranged.order, key=entities.rank), arranged.lookups, visible)
    return with_level_sources(ranked, enforcer, table.columns)


def rows_of_entities(encoded: Encoded, entities: Entities, found: list[FoundGroup]) -> dict[int, Encoded]:
    """Return the training rows for each group's columns: one row per entity."""
    others: dict[int, Encoded] = {}
    for group, own in zip(entities.groups, found, strict=True):
        rows = encoded.take(first_rows_of(own.entities))
        others |= dict.fromkeys(group.columns, rows)
    return others
