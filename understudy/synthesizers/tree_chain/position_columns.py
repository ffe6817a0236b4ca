"""Columns that number the rows of an entity, or whose values are distinct within an entity."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pyarrow as pa

from understudy.synthesizers.entities.detection import FoundGroup
from understudy.synthesizers.entities.position_search import FittedRows, find_positions
from understudy.synthesizers.entities.positions import Counter, Position
from understudy.synthesizers.entities.rules import without_columns
from understudy.synthesizers.tree_chain.difference_columns import DrawnTable
from understudy.synthesizers.tree_chain.encoding import encode_values


def add_positions(drawn: DrawnTable, found: list[FoundGroup]) -> DrawnTable:
    """Return the table with its positions: columns that number an entity's rows or are distinct within it."""
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
