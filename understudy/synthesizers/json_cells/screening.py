"""Find the columns that may be split, by their first strings. Most tables have none."""

from __future__ import annotations

from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from understudy.synthesizers.json_cells.cells import JsonCells
from understudy.synthesizers.number_texts.screening import may_be_numbers
from understudy.tables.schema import Column, ColumnKind, TableSchema
from understudy.transformers.base import MIN_SUPPORT, ArrowColumn

# Number of strings that are examined before all strings are parsed.
_N_EXAMINED = 20
_OBJECT_OR_ARRAY = r"^\s*(?s:\{.*\}|\[.*\])\s*$"
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
    # Local import: few tables have such columns.
    from understudy.synthesizers.json_cells.splitting import split_columns

    return split_columns(rows, schema, candidates)


def _may_be_split(column: Column, values: ArrowColumn) -> bool:
    # Inference does not classify quantities as identifiers, so the user declared the kind.
    is_identifier = column.kind is ColumnKind.identifier
    return may_be_json(values) or (not is_identifier and may_be_numbers(column, values))


def may_be_json(values: ArrowColumn) -> bool:
    """Return whether the first strings of a column have the form of JSON objects or arrays."""
    if not (pa.types.is_string(values.type) or pa.types.is_large_string(values.type)):
        return False
    if len(values) - values.null_count < MIN_SUPPORT:
        return False
    return are_structured(values.drop_null().slice(0, _N_EXAMINED), 1.0)


def are_structured(texts: Any, share_min: float) -> bool:  # Any: an array, or a column of several arrays
    """Return whether enough strings have the form of JSON objects or arrays."""
    share: Any = pc.mean(pc.match_substring_regex(texts, _OBJECT_OR_ARRAY).cast(pa.float64()))
    return bool(share.as_py() >= share_min)
