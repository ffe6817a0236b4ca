"""The protocol of transformers, and types and constants that all of them use."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Protocol, TypeAlias

import numpy as np
import numpy.typing as npt
import pyarrow as pa

if TYPE_CHECKING:
    from understudy.kernels.hashing import StreamRows

# A model contains a value or level only if at least this many rows or subjects share it. The documentation
# calls this number k. For example, a quantile is the mean of k neighboring rows.
MIN_SUPPORT = 5
# Maximum number of codes in a column.
N_CODES_MAX = 8192

# Each column has two random streams. For column j, stream j supplies the random numbers for the codes, and
# stream DECODING + j supplies the random numbers for the values.
DECODING = 1 << 32

# Integer in `NumberedRows.integers` that marks a value to decode from its code.
DECODED = -(2**63)

# Seed for identifiers in samples with `id_start`.
SEED_OF_IDENTIFIERS = 0

Codes = npt.NDArray[np.uint16]
# The subject of each row, 0 … n_subjects - 1.
Subjects = npt.NDArray[np.int64]
RowNumbers = npt.NDArray[np.uint64]
# Codes of some columns, by their position in the table.
CodesByColumn = Mapping[int, Codes]
Mask = npt.NDArray[np.bool_]
Json = dict[str, Any]
Arrays = Mapping[str, npt.NDArray[Any]]
# `Any` is needed because the type of a column is known only at run time. The aliases are quoted because
# Arrow's classes accept no type arguments at run time.
ArrowArray: TypeAlias = "pa.Array[Any]"
ArrowColumn: TypeAlias = "pa.ChunkedArray[Any]"


@dataclass(frozen=True, eq=False, repr=False)
class RowStream:
    """The source of randomness for a block of rows.

    Parameters
    ----------
    seed : int
        Seed of the sample.
    stream : int
        Number of the random stream. Different streams with the same seed are independent.
    rows : array of shape (n,)
        Row numbers. A seed supports any number of rows.
    id_start : int, optional
        Number of the identifier in row 0. If given, identifiers depend on their numbers instead of the seed.
    """

    seed: int
    stream: int
    rows: RowNumbers
    id_start: int | None = None

    def of_identifiers(self) -> RowStream:
        """Return the stream of the rows' identifiers, which is this stream unless `id_start` is given."""
        if self.id_start is None:
            return self
        return RowStream(SEED_OF_IDENTIFIERS, self.stream, self.rows + np.uint64(self.id_start))

    def key(self) -> StreamRows:
        """Return the seed, stream and rows in the form that kernels require."""
        # Imported here because it loads Numba. The API imports this module with the metrics but does not load
        # Numba.
        from understudy.kernels.hashing import StreamRows

        return StreamRows(np.uint64(self.seed), np.uint64(self.stream), self.rows)


@dataclass(frozen=True, eq=False, repr=False)
class NumberedRows:
    """The row numbers of a block, and the numbers that replace them in some columns.

    If two cells of a column have the same number, they have the same value. Therefore, a column that
    describes an entity uses the entity's number in all rows of that entity.

    Parameters
    ----------
    rows : array of shape (n,)
        Numbers of the rows.
    of_columns : mapping of int to array of shape (n,)
        Numbers that replace the row numbers, by position of the column in the table.
    of_labels : mapping of int to array of shape (n,)
        Numbers that replace the row numbers for the values of generated columns. These numbers do not affect
        whether a value is missing.
    levels : mapping of int to array of shape (n,)
        Known levels in some columns, or -1 where the level is sampled.
    integers : mapping of int to array of shape (n,)
        Known values in some numeric columns, as integers in the column's unit, or `DECODED`.
    """

    rows: RowNumbers
    of_columns: Mapping[int, RowNumbers] = field(default_factory=dict)
    of_labels: Mapping[int, RowNumbers] = field(default_factory=dict)
    levels: Mapping[int, npt.NDArray[np.int32]] = field(default_factory=dict)
    integers: Mapping[int, npt.NDArray[np.int64]] = field(default_factory=dict)

    def __len__(self) -> int:
        """Return the number of rows."""
        return len(self.rows)

    def of(self, column: int) -> RowNumbers:
        """Return the row numbers that select the random numbers for sampling a column's codes."""
        return self.of_columns.get(column, self.rows)

    def of_values(self, column: int) -> RowNumbers:
        """Return the row numbers that select the random numbers for decoding a column's codes."""
        return self.of_labels.get(column, self.of(column))

    def take(self, rows: Mask | npt.NDArray[np.int64]) -> NumberedRows:
        """Return the rows that a mask or an array of positions selects."""
        columns, labels = (
            {j: own[rows] for j, own in numbers.items()} for numbers in (self.of_columns, self.of_labels)
        )
        levels = {j: own[rows] for j, own in self.levels.items()}
        integers = {j: own[rows] for j, own in self.integers.items()}
        return NumberedRows(self.rows[rows], columns, labels, levels, integers)

    def decoding(self, rows: Mask, columns: Collection[int]) -> NumberedRows:
        """Return these rows, with the given columns decoded from their codes where the mask is true."""
        integers = {
            j: np.where(rows, DECODED, own) if j in columns else own for j, own in self.integers.items()
        }
        return replace(self, integers=integers)


def consecutive_rows(first: int, n: int) -> RowNumbers:
    """Return the numbers ``first … first + n - 1``."""
    return np.arange(first, first + n, dtype=np.uint64)


class Transformer(Protocol):
    """The fitted encoding of one column."""

    @property
    def n_codes(self) -> int:
        """The number of codes, which range from 0 to n_codes - 1."""
        ...

    @property
    def is_ordinal(self) -> bool:
        """Whether neighboring codes represent similar values."""
        ...

    @property
    def is_exact(self) -> Mask:
        """A mask, of shape (n_codes,), of the codes that each represent exactly one value of the table."""
        ...

    def decode(self, codes: Codes, stream: RowStream) -> ArrowArray:
        """Return values for codes, in the column's exact type."""
        ...

    def describe(self) -> Json:
        """Return the column's entry in the model card, without any values from the table."""
        ...

    def to_arrays(self) -> tuple[Json, Arrays]:
        """Return the learned state as JSON and plain arrays."""
        ...
