"""Find the columns that may be split, based on their first strings. Most tables have no such columns."""

from __future__ import annotations

import pyarrow as pa

from understudy.synthesizers.json_cells import steps
from understudy.synthesizers.json_cells.cells import JsonCells
from understudy.synthesizers.json_cells.screening import are_common, may_be_json
from understudy.synthesizers.number_texts.screening import may_be_numbers
from understudy.tables.schema import Column, ColumnKind, TableSchema
from understudy.transformers.base import ArrowColumn

_KINDS = frozenset({ColumnKind.text, ColumnKind.identifier, ColumnKind.category})


def find_json_cells(rows: pa.Table, schema: TableSchema) -> tuple[JsonCells, pa.Table]:
    """Return the columns of a table that are split, and the rows with the values from these columns.

    A category is not split if enough rows share each of its levels, unless the levels are JSON with values
    that identify people or things.
    """
    roles = {*schema.primary_key, *schema.subject, *schema.order_by}
    candidates = [
        column
        for column in schema.columns
        if column.kind in _KINDS and column.domain is None and column.name not in roles
    ]
    candidates = [column for column in candidates if _may_be_split(column, rows.column(column.name))]
    if not candidates:
        return JsonCells(schema, {}), rows
    return steps.split_columns(rows, schema, candidates)


def _may_be_split(column: Column, values: ArrowColumn) -> bool:
    # Inference never classifies quantities as identifiers, so the user must have declared the kind.
    if may_be_json(values):
        return True
    if column.kind is ColumnKind.identifier or not may_be_numbers(column, values):
        return False
    # Numbers do not identify people or things, so common levels of a category are learned as levels.
    return column.kind is not ColumnKind.category or not are_common(values)
