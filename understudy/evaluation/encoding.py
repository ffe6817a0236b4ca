"""Encoding of Arrow columns as NumPy arrays that metrics can compare.

Numbers and times are encoded as floats, with NaN for missing values. Categories and booleans are encoded as
codes, which have the same meaning in all tables of a comparison.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, TypeAlias

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from understudy.tables.notation import BooleanNotation
from understudy.tables.schema import GENERATED_KINDS, Column, ColumnKind, TableSchema
from understudy.tables.splitmix import mix64

MISSING = -1

# A category is shown only if at least this many real rows share it. If a subject is declared, subjects are
# counted instead of rows.
N_SHOWN_MIN = 5
RARE_LABEL = "a rare value"

# If a column of generated values is compared, its values are treated as labels.
CATEGORICAL_KINDS = frozenset({ColumnKind.category, ColumnKind.boolean, *GENERATED_KINDS})

SECONDS_PER_DAY = 86_400.0

# For each temporal kind: the Arrow type that values are cast to, the type of the resulting integers, and the
# unit of these integers in seconds.
_UNITS: dict[ColumnKind, tuple[pa.DataType, pa.DataType, float]] = {
    ColumnKind.date: (pa.date32(), pa.int32(), SECONDS_PER_DAY),
    ColumnKind.time: (pa.time64("us"), pa.int64(), 1e-6),
    ColumnKind.timestamp: (pa.timestamp("us"), pa.int64(), 1e-6),
    ColumnKind.duration: (pa.duration("us"), pa.int64(), 1e-6),
}

# A column of any type. `Any` is needed because Arrow's annotations require a scalar type.
Arrow: TypeAlias = "pa.ChunkedArray[Any]"
Values = NDArray[np.float64] | NDArray[np.int32]
Rows = NDArray[np.int64]


def seconds_per_unit(kind: ColumnKind) -> tuple[pa.DataType, pa.DataType, float] | None:
    """Return the type of encoded times, the type of their integers, and the unit in seconds."""
    return _UNITS.get(kind)


@dataclass(frozen=True)
class ColumnEncoder:
    """The encoder of one column.

    Parameters
    ----------
    column : Column
        The name and kind of the column.
    categories : tuple of str, or None
        The category of each code: first the values of the real table, in descending order of frequency, then
        the values that occur only in other tables. None for numeric columns.
    n_categories_real : int
        The number of categories in the real table.
    rare : frozenset of int
        The codes of categories that fewer than `N_SHOWN_MIN` real rows share. If a subject is declared,
        subjects are counted instead of rows.
    """

    column: Column
    categories: tuple[str, ...] | None = None
    n_categories_real: int = 0
    rare: frozenset[int] = frozenset()

    @property
    def is_categorical(self) -> bool:
        """Whether the values of the column are encoded as codes."""
        return self.categories is not None

    @property
    def labels(self) -> tuple[str, ...]:
        """The labels of the categories. All rare categories have the label `RARE_LABEL`.

        Booleans are written with the words of the column's notation. Whether a category is rare does not
        depend on the rows of a comparison, because a baseline can repeat a rare category.
        """
        categories, notation = self.categories or (), self.column.notation
        words = {}
        if isinstance(notation, BooleanNotation):
            words = {"true": notation.true, "false": notation.false}
        return tuple(
            RARE_LABEL if code in self.rare else words.get(category, category)
            for code, category in enumerate(categories)
        )

    @classmethod
    def fit(
        cls, column: Column, real: Arrow, others: Sequence[Arrow], subjects: Rows | None = None
    ) -> ColumnEncoder:
        """Learn the categories in an order that does not depend on the order of the rows."""
        is_number = pa.types.is_floating(real.type) or pa.types.is_decimal(real.type)
        if column.kind not in CATEGORICAL_KINDS or (column.kind is ColumnKind.coordinates and is_number):
            return cls(column)
        counts = pc.value_counts(_as_text(real).drop_null())
        occurring = [str(value) for value in counts.field("values").to_pylist()]
        n_rows = _to_numpy(counts.field("counts")).astype(np.int64)
        order = np.lexsort((np.array(occurring, dtype=object), -n_rows))
        elsewhere = {
            str(value) for other in others for value in pc.unique(_as_text(other).drop_null()).to_pylist()
        }
        categories = [occurring[i] for i in order] + sorted(elsewhere.difference(occurring))
        encoder = cls(column, tuple(categories), len(occurring))
        n_units = n_rows[order] if subjects is None else encoder._count_subjects(real, subjects)
        return replace(encoder, rare=frozenset(np.flatnonzero(n_units < N_SHOWN_MIN).tolist()))

    def _count_subjects(self, real: Arrow, subjects: Rows) -> Rows:
        """Return, for each category of the real table, the number of subjects that have this category."""
        codes = self.encode(real).astype(np.int64)
        known, n_subjects = codes != MISSING, int(subjects.max(initial=0)) + 1
        pairs = np.unique(codes[known] * n_subjects + subjects[known])
        return np.bincount(pairs // n_subjects, minlength=self.n_categories_real)

    def encode(self, values: Arrow) -> Values:
        """Return the column as floats or codes."""
        if self.categories is None:
            return _as_numbers(self.column, values)
        codes = pc.index_in(_as_text(values), value_set=pa.array(self.categories, pa.large_string()))
        return _to_numpy(codes.fill_null(MISSING)).astype(np.int32)


@dataclass(frozen=True)
class EncodedTable:
    """A table, or a sample of its rows, as arrays.

    Parameters
    ----------
    columns : list of array of shape (n_rows,)
        One array for each column of the schema.
    row_hashes : uint64 array of shape (n_rows_total,)
        The hashes of *all* rows of the table. Rows that are equal in all columns have equal hashes.
    rows : int array of shape (n_rows,)
        For each row in `columns`, its position in the whole table.
    subjects : int array of shape (n_rows_total,), or None
        The subject numbers of *all* rows of the table. The same subject has the same number in every table of
        a comparison. None if no subject is declared.
    keys : tuple of int array of shape (n_rows_total,)
        For each column with unscored values, the codes of *all* rows, with -1 for missing values.
    """

    columns: Sequence[Values]
    row_hashes: NDArray[np.uint64]
    rows: Rows
    subjects: Rows | None = None
    keys: tuple[Rows, ...] = ()

    @property
    def units(self) -> Rows:
        """The subject number of each row, or the row's own number if no subject is declared."""
        return np.arange(self.n_rows) if self.subjects is None else self.subjects[self.rows]

    @property
    def n_units(self) -> int:
        """Number of subjects in the columns, or number of rows if no subject is declared."""
        return self.n_rows if self.subjects is None else len(np.unique(self.units))

    @property
    def n_rows(self) -> int:
        """Number of rows in the columns."""
        return len(self.rows)

    @property
    def n_rows_total(self) -> int:
        """Number of rows in the whole table."""
        return len(self.row_hashes)

    def key(self, i: int) -> Rows:
        """Return the codes of the sampled rows for a column with unscored values."""
        return self.keys[i][self.rows]

    @classmethod
    def of(
        cls, columns: Sequence[Values], subjects: Rows | None = None, keys: tuple[Rows, ...] = ()
    ) -> EncodedTable:
        """Return a table that consists of these columns and is not a sample."""
        n_rows = len(columns[0])
        hashes = np.zeros(n_rows, dtype=np.uint64)
        for values in columns:
            hashes = mix64(hashes ^ _bits(values))
        return cls(columns, hashes, np.arange(n_rows), subjects, keys)

    def take(self, rows: Rows) -> EncodedTable:
        """Return the rows at the given positions in the columns."""
        columns = [column[rows] for column in self.columns]
        return EncodedTable(columns, self.row_hashes, self.rows[rows], self.subjects, self.keys)

    def alone(self) -> EncodedTable:
        """Return these rows as a separate table, without a reference to the original table."""
        subjects = None if self.subjects is None else self.units
        keys = tuple(self.key(i) for i in range(len(self.keys)))
        return EncodedTable(self.columns, self.row_hashes[self.rows], np.arange(self.n_rows), subjects, keys)

    def draw(self, n_rows_max: int, rng: np.random.Generator) -> EncodedTable:
        """Return at most `n_rows_max` rows, sampled without replacement, in their original order."""
        if self.n_rows <= n_rows_max:
            return self
        return self.take(np.sort(rng.choice(self.n_rows, n_rows_max, replace=False)))

    def draw_units(self, n_rows_max: int, rng: np.random.Generator) -> EncodedTable:
        """Return at most `n_rows_max` rows of whole subjects. If no subject is declared, call `draw`."""
        if self.subjects is None or self.n_rows <= n_rows_max:
            return self.draw(n_rows_max, rng)
        return self.take(draw_whole_subjects(self.units, n_rows_max, rng))


@dataclass(frozen=True)
class TableEncoder:
    """The encoders for all columns of a schema."""

    columns: Sequence[ColumnEncoder]

    @classmethod
    def fit(
        cls,
        real: pa.Table,
        others: Sequence[pa.Table],
        schema: TableSchema,
        subjects: Rows | None = None,
    ) -> TableEncoder:
        """Learn the categories of all tables to encode. `subjects` contains the subjects of the real rows."""
        return cls(
            [
                ColumnEncoder.fit(
                    column,
                    real.column(column.name),
                    [other.column(column.name) for other in others],
                    subjects,
                )
                for column in schema.columns
            ]
        )

    def encode(self, table: pa.Table, rows: Rows, subjects: Rows | None = None) -> EncodedTable:
        """Return some rows of the table as arrays, with the hashes and subjects of all rows."""
        hashes = np.zeros(table.num_rows, dtype=np.uint64)
        columns = []
        # Columns are cast one at a time to limit the memory that a large table needs.
        for encoder in self.columns:
            values = encoder.encode(table.column(encoder.column.name))
            hashes = mix64(hashes ^ _bits(values))
            columns.append(values if len(rows) == len(values) else values[rows])
        return EncodedTable(columns, hashes, rows, subjects)


def draw_rows(n_rows: int, n_rows_max: int, subjects: Rows | None, rng: np.random.Generator) -> Rows:
    """Return the sorted positions of at most `n_rows_max` random rows, in whole subjects if given."""
    if n_rows <= n_rows_max:
        return np.arange(n_rows)
    if subjects is not None:
        return draw_whole_subjects(subjects, n_rows_max, rng)
    return np.sort(rng.choice(n_rows, n_rows_max, replace=False))


def draw_whole_subjects(subjects: Rows, n_rows_max: int, rng: np.random.Generator) -> Rows:
    """Return the rows of random subjects, in order: at most `n_rows_max` rows and at least one subject."""
    _, numbers, counts = np.unique(subjects, return_inverse=True, return_counts=True)
    order = rng.permutation(len(counts))
    n_drawn = max(1, int(np.searchsorted(np.cumsum(counts[order]), n_rows_max, side="right")))
    is_drawn = np.zeros(len(counts), dtype=np.bool_)
    is_drawn[order[:n_drawn]] = True
    return np.flatnonzero(is_drawn[numbers])[:n_rows_max]


def is_missing(values: Values) -> NDArray[np.bool_]:
    """Return a mask of the missing values."""
    return values == MISSING if values.dtype == np.int32 else np.isnan(values)


def _bits(values: Values) -> NDArray[np.uint64]:
    """Return a 64-bit representation of each value. Equal values have equal representations."""
    if values.dtype == np.int32:
        return values.astype(np.int64).view(np.uint64)
    # Adding 0 turns -0.0 into 0.0, and all NaNs are replaced by the same constant.
    plain = np.where(np.isnan(values), np.inf, values + 0.0)
    return plain.view(np.uint64)


def _as_numbers(column: Column, values: Arrow) -> NDArray[np.float64]:
    factor = 1.0
    if column.kind in _UNITS:
        stored_as, integers, factor = _UNITS[column.kind]
        if column.kind == ColumnKind.timestamp:
            stored_as = pa.timestamp("us", tz=values.type.tz)
        values = values.cast(stored_as, safe=False).cast(integers)
    numbers = _to_numpy(values.cast(pa.float64(), safe=False)).astype(np.float64) * factor
    # Infinite values do not belong to any bin, so they count as missing.
    numbers[~np.isfinite(numbers)] = np.nan
    return numbers


def _as_text(values: Arrow) -> Arrow:
    return values.cast(pa.large_string())


def _to_numpy(values: Arrow | pa.Array[Any]) -> NDArray[np.generic]:
    if isinstance(values, pa.ChunkedArray):
        values = values.combine_chunks() if values.num_chunks != 1 else values.chunk(0)
    return np.array(values.to_numpy(zero_copy_only=False))
