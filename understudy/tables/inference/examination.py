"""Examine columns without findings to prevent models from learning undetected personal values."""

from __future__ import annotations

import pyarrow as pa

from understudy.tables.findings import TableFindings
from understudy.tables.inference.tables import InferredTable, infer_values
from understudy.tables.schema import GENERATED_KINDS, Column, ColumnKind, TableSchema

# If a user or an old version of Understudy wrote the schema, columns of these kinds can have any content.
_EXAMINED_KINDS = frozenset({ColumnKind.category, ColumnKind.integer})


def examine(table: pa.Table, schema: TableSchema, findings: TableFindings) -> InferredTable:
    """Examine columns without findings, and assign a personal kind to columns with personal values.

    Text and whole-number columns are examined. If the values are personal, such as names or e-mail addresses,
    the column is assigned the matching kind. Columns with findings and columns of other kinds do not change.

    Parameters
    ----------
    table : pyarrow.Table
        A table that conforms to the schema.
    """
    columns, column_findings = [], dict(findings.columns)
    for column in schema.columns:
        if column.name in column_findings or column.kind not in _EXAMINED_KINDS:
            columns.append(column)
            continue
        inferred = infer_values(column.name, table[column.name])
        is_generated = is_generated_column(inferred.column, table[column.name].type)
        columns.append(column.model_copy(update={"kind": inferred.column.kind}) if is_generated else column)
        if is_generated:
            column_findings[column.name] = inferred.findings
    return InferredTable(
        schema.model_copy(update={"columns": tuple(columns)}),
        findings.model_copy(update={"columns": column_findings}),
    )


def is_generated_column(column: Column, type_: pa.DataType) -> bool:
    """Return whether a column's values are generated. Coordinates that are stored as numbers are learned."""
    if column.kind is ColumnKind.coordinates:
        return not _is_number(type_)
    return column.kind in GENERATED_KINDS


def _is_number(type_: pa.DataType) -> bool:
    return pa.types.is_floating(type_) or pa.types.is_integer(type_) or pa.types.is_decimal(type_)
