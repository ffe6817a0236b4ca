"""Imputation of values that an identifier in the same row contains."""

from __future__ import annotations

from typing import Any

import pyarrow as pa

from understudy.synthesizers.entities.imputation import fill_columns, is_missing
from understudy.transformers import generated
from understudy.transformers.base import ArrowColumn
from understudy.transformers.categorical import CategoricalTransformer
from understudy.transformers.generated.containment import read_contained
from understudy.transformers.table import TableTransformer


def read_identifiers(rows: pa.Table, table: TableTransformer) -> pa.Table:
    """Return rows with missing values read from identifiers, such as the site from a subject number."""
    for j in sorted(table.composed, reverse=True):
        generator, name = generated.composed_of(table.columns[j]), table.schema.names[j]
        assert generator is not None
        gaps = [
            source
            for source in generator.sources
            if source in rows.column_names and is_missing(rows.column(source)).any()
        ]
        if gaps:
            known = {source: _values_of(source, rows, table) for source in gaps}
            rows = fill_columns(rows, read_contained(generator, rows.column(name), known))
    return rows


def _values_of(name: str, rows: pa.Table, table: TableTransformer) -> ArrowColumn:
    """Return a column's values in the rows, and the levels that the model has learned for the column."""
    values: Any = rows.column(name)
    own = table.columns[table.schema.names.index(name)]
    if isinstance(own, CategoricalTransformer):
        kept = own.levels.slice(0, own.n_kept).cast(values.type)
        return pa.chunked_array([*values.chunks, kept])
    return values  # type: ignore[no-any-return]  # a column of a table
