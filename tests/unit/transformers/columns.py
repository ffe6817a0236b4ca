"""Helpers that fit single columns, save and load their transformers, and sample values."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pyarrow as pa

from understudy.tables.findings import TableFindings
from understudy.tables.inference import examine
from understudy.tables.schema import Column, ColumnKind, TableSchema
from understudy.transformers.array_reader import ArrayReader
from understudy.transformers.base import Codes, RowNumbers, RowStream, Transformer, consecutive_rows
from understudy.transformers.table import DECODING, load_transformer
from understudy.transformers.table_fitting import fit_column


def column_of(values: Any, kind: ColumnKind | None = None, name: str = "x") -> Column:
    """Return a column of a given kind. By default, the kind is inferred from the values."""
    plain = ColumnKind.integer if pa.types.is_integer(values.type) else ColumnKind.category
    column = Column(
        name=name, kind=kind or plain, arrow_type=str(values.type), nullable=values.null_count > 0
    )
    if kind is not None:
        return column
    schema = TableSchema(columns=(column,))
    return examine(pa.table([values], names=[name]), schema, TableFindings()).schema.columns[0]


def fit(
    values: Any, kind: ColumnKind | None = None, *, name: str = "x", locale: str = "en"
) -> tuple[Transformer, Codes]:
    """Fit a column, save and load its transformer, and return the loaded transformer and the codes."""
    array = values if isinstance(values, pa.Array) else pa.array(values)
    column = column_of(array, kind, name)
    fitted, codes = fit_column(column, pa.chunked_array([array]), locale=locale)
    manifest, arrays = fitted.to_arrays()
    return load_transformer(column, ArrayReader(json.loads(json.dumps(manifest)), arrays)), codes


def draw(transformer: Transformer, rows: RowNumbers | int, *, seed: int = 1, column: int = 0) -> Any:
    """Return one non-missing value for each row."""
    numbers = consecutive_rows(0, rows) if isinstance(rows, int) else rows
    codes = np.full(len(numbers), transformer.n_codes - 1, np.uint16)
    return transformer.decode(codes, RowStream(seed, DECODING + column, numbers))
