"""Columns whose structure is scored but whose values are not: identifiers, names and subjects.

The values of these columns are generated, so they should differ from the real values. However, the number of
rows per value and the columns that a value determines should be the same as in the real table.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from understudy.evaluation.encoding import MISSING
from understudy.evaluation.forms import Forms
from understudy.tables.schema import Column, ColumnKind

Codes = NDArray[np.int64]
Keys = tuple[Codes, ...]


@dataclass(frozen=True)
class KeyColumn:
    """A column of codes. A code represents the same value in all tables of a comparison.

    Parameters
    ----------
    texts : pyarrow.Array of large_string
        The value of each code as text.
    """

    column: Column
    texts: pa.Array[Any]

    @cached_property
    def forms(self) -> Forms:
        """The form of each value. For integer identifiers, it does not include the number of digits.

        New sequential identifiers are higher than those of the real table, so they can have more digits.
        """
        forms = Forms.of(self.texts)
        is_whole = self.column.arrow_type.startswith(("int", "uint"))
        if is_whole and self.column.kind is ColumnKind.identifier:
            return Forms(forms.collapsed, forms.collapsed, forms.collapsed)
        return forms


def encode_keys(
    tables: Mapping[str, pa.Table], columns: Sequence[Column]
) -> tuple[tuple[KeyColumn, ...], dict[str, Keys]]:
    """Return the columns with their values, and the row codes by table, with -1 for missing values."""
    key_columns: list[KeyColumn] = []
    codes: dict[str, list[Codes]] = {role: [] for role in tables}
    ends = np.cumsum([table.num_rows for table in tables.values()])
    for column in columns:
        chunks = [chunk for table in tables.values() for chunk in table.column(column.name).chunks]
        # `Any` is needed because Arrow's stubs do not declare the types of encoded columns.
        encoded: Any = pa.chunked_array(chunks).combine_chunks().dictionary_encode()
        if isinstance(encoded, pa.ChunkedArray):
            encoded = encoded.combine_chunks()
        numbers = encoded.indices.fill_null(MISSING).to_numpy(zero_copy_only=False).astype(np.int64)
        key_columns.append(KeyColumn(column, encoded.dictionary.cast(pa.large_string())))
        for role, part in zip(tables, np.split(numbers, ends[:-1]), strict=True):
            codes[role].append(part)
    return tuple(key_columns), {role: tuple(parts) for role, parts in codes.items()}
