"""Examine columns that no findings explain, so that personal values are never learned unseen."""

from __future__ import annotations

import pyarrow as pa

from understudy.tables.findings import TableFindings
from understudy.tables.inference.tables import InferredTable, infer_values
from understudy.tables.schema import GENERATED_KINDS, Column, ColumnKind, TableSchema

# A schema that was written by hand or by an old version gives these kinds to columns of any content.
_UNSEEN_KINDS = frozenset({ColumnKind.category, ColumnKind.integer})


def examine(table: pa.Table, schema: TableSchema, findings: TableFindings) -> InferredTable:
    """Return the schema with personal columns marked as such, for columns that were never examined.

    Text and whole numbers without findings are judged by their values: if these are personal, such as names
    or e-mail addresses, the column gets the kind that says so. Examined columns keep their kinds.

    Parameters
    ----------
    table : pyarrow.Table
        Conforms to the schema.
    """
    columns, found = [], dict(findings.columns)
    for column in schema.columns:
        if column.name in found or column.kind not in _UNSEEN_KINDS:
            columns.append(column)
            continue
        inferred = infer_values(column.name, table[column.name])
        is_generated = is_generated_column(inferred.column, table[column.name].type)
        columns.append(column.model_copy(update={"kind": inferred.column.kind}) if is_generated else column)
        if is_generated:
            found[column.name] = inferred.findings
    return InferredTable(
        schema.model_copy(update={"columns": tuple(columns)}), findings.model_copy(update={"columns": found})
    )


def is_generated_column(column: Column, type_: pa.DataType) -> bool:
    """Return whether the values of a column are generated; coordinates stored as numbers are learned."""
    if column.kind is ColumnKind.coordinates:
        return not _is_number(type_)
    return column.kind in GENERATED_KINDS


def _is_number(type_: pa.DataType) -> bool:
    return pa.types.is_floating(type_) or pa.types.is_integer(type_) or pa.types.is_decimal(type_)
