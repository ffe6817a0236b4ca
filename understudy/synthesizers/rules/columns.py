"""Access to the columns of a table during the search for rules, in all rows and in a sample of rows."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from functools import cache
from typing import Any

import numpy as np
import pyarrow as pa

from understudy.synthesizers.rules.values import Int32s, Int64s, Values, find_decimals, read_values, unit_of
from understudy.tables.schema import ColumnKind, TableSchema
from understudy.transformers.base import ArrowArray, ArrowColumn

N_ROWS_SAMPLE = 4096


@dataclass(frozen=True, eq=False, repr=False)
class Coded:
    """A column's values as integer codes. One code represents missing values."""

    codes: Int32s
    n_codes: int


class Columns:
    """A table whose columns are read on first access and then cached.

    A candidate rule is first checked on the sample. If no sampled row breaks the rule, the rule is checked on
    all rows.
    """

    def __init__(self, table: pa.Table, schema: TableSchema) -> None:
        self.table, self.schema = table, schema
        self.n_rows = table.num_rows
        self.rows = _sample_rows(self.n_rows)
        self.array = cache(self._array)
        self.decimals = cache(self._decimals)
        self.all = cache(self._all)
        self.sample_array = cache(self._sample_array)
        self.sample_decimals = cache(self._sample_decimals)
        self.sample = cache(self._sample)
        self.encoded = cache(self._encoded)
        self.sample_encoded = cache(self._sample_encoded)
        self.coded = cache(self._coded)

    @property
    def names(self) -> list[str]:
        """Names of all columns."""
        return self.table.column_names

    @property
    def n_sample(self) -> int:
        """Number of rows in the sample."""
        return len(self.rows)

    def is_quantity(self, name: str) -> bool:
        """Return whether a column contains numbers or times instead of text, categories or booleans."""
        type_ = self.table.schema.field(name).type
        is_text = pa.types.is_string(type_) or pa.types.is_large_string(type_)
        return not is_text and self.schema.column(name).kind not in (ColumnKind.category, ColumnKind.boolean)

    def has_unit(self, name: str) -> bool:
        """Return whether the column's sampled values are integers in some unit."""
        return self.is_quantity(name) and self.sample_unit(name) is not None

    def unit(self, name: str) -> Fraction | None:
        """Return the unit of a column's integers (see `unit_of`), or None if its values are not integers."""
        return unit_of(self.table.schema.field(name).type, self.decimals(name))

    def sample_unit(self, name: str) -> Fraction | None:
        """Return the unit of the integers in the sample. `unit` returns the unit for all rows."""
        return unit_of(self.table.schema.field(name).type, self.sample_decimals(name))

    def _array(self, name: str) -> ArrowArray:
        return one_array(self.table.column(name))

    def _decimals(self, name: str) -> int | None:
        return find_decimals(self.array(name))

    def _all(self, name: str) -> Values:
        return read_values(name, self.array(name), self.decimals(name))

    def _sample_array(self, name: str) -> ArrowArray:
        column = self.table.column(name)
        return one_array(column if self.n_sample == self.n_rows else column.take(self.rows))

    def _sample_decimals(self, name: str) -> int | None:
        return find_decimals(self.sample_array(name))

    def _sample(self, name: str) -> Values:
        return read_values(name, self.sample_array(name), self.sample_decimals(name))

    def _encoded(self, name: str) -> Any:  # Any: stubs have no dictionary type
        return self.all(name).keys.dictionary_encode()

    def _sample_encoded(self, name: str) -> Any:  # Any: stubs have no dictionary type
        return self.sample(name).keys.dictionary_encode()

    def _coded(self, name: str) -> Coded:
        return code(self.all(name), self.encoded(name))


def code(values: Values, encoded: Any) -> Coded:  # Any: stubs have no dictionary type
    """Return an integer code for each value, given its encoded keys. The codes are in arbitrary order."""
    n = len(encoded.dictionary)
    if values.missing is None:
        return Coded(encoded.indices.to_numpy(), n)
    codes = encoded.indices.fill_null(n).to_numpy(zero_copy_only=False)
    return Coded(np.where(values.missing, np.int32(n), codes), n + 1)


def _sample_rows(n_rows: int) -> Int64s:
    """Return ascending row numbers: one random row from each of `N_ROWS_SAMPLE` equal sections."""
    if n_rows <= N_ROWS_SAMPLE:
        return np.arange(n_rows)
    starts = np.arange(N_ROWS_SAMPLE + 1) * n_rows // N_ROWS_SAMPLE
    within = np.random.default_rng(0).random(N_ROWS_SAMPLE)
    return starts[:-1] + (within * np.diff(starts)).astype(np.int64)


def one_array(column: ArrowColumn) -> ArrowArray:
    """Return the values of a column as one array."""
    chunks: list[ArrowArray] = column.chunks
    return chunks[0] if len(chunks) == 1 else pa.concat_arrays(chunks)
