"""Arrow tables as matrices, with the same numbers for the same values in every table."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

Matrix = npt.NDArray[np.float64]


def encode(tables: Sequence[pa.Table]) -> list[Matrix]:
    """Return a matrix for each table: unchanged numbers and times, codes of texts, NaN for missing values.

    Parameters
    ----------
    tables : sequence of pyarrow.Table
        Tables with the same columns. Codes are assigned jointly for all tables.
    """
    columns = [_as_numbers([table[name] for table in tables]) for name in tables[0].column_names]
    stacked = np.column_stack(columns)
    return np.split(stacked, np.cumsum([len(table) for table in tables])[:-1])


def _as_numbers(parts: Sequence[pa.ChunkedArray]) -> npt.NDArray[np.float64]:
    whole = pa.chunked_array([chunk for part in parts for chunk in part.chunks], parts[0].type)
    if is_text(whole.type):
        # The values are sorted alphabetically, because codes in order of appearance would depend on the order
        # of the tables.
        whole = pc.index_in(whole, pc.unique(whole).drop_null().sort())
    elif pa.types.is_boolean(whole.type):
        whole = whole.cast(pa.int8())
    elif pa.types.is_date32(whole.type) or pa.types.is_time32(whole.type):
        whole = whole.cast(pa.int32())
    elif pa.types.is_temporal(whole.type):
        whole = whole.cast(pa.int64())
    return np.array(whole.cast(pa.float64(), safe=False).to_numpy(), dtype=np.float64)


def is_text(type_: pa.DataType) -> bool:
    """Return whether a type is a text type."""
    return pa.types.is_string(type_) or pa.types.is_large_string(type_)


def categorical(table: pa.Table) -> npt.NDArray[np.bool_]:
    """Return a mask of the text and boolean columns."""
    types = table.schema.types
    return np.array([is_text(type_) or pa.types.is_boolean(type_) for type_ in types])
