"""Categories: levels that enough rows share, and one code for all other levels, which are redrawn."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Self

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from understudy.kernels import decoding
from understudy.tables.arrow_types import parse_arrow_type
from understudy.tables.schema import Column
from understudy.transformers.array_reader import ArrayReader, refuse, require
from understudy.transformers.base import (
    MIN_SUPPORT,
    N_CODES_MAX,
    Arrays,
    ArrowArray,
    ArrowColumn,
    Codes,
    Json,
    Mask,
    RowStream,
    Subjects,
)
from understudy.transformers.coarse_codes import group_neighbours
from understudy.transformers.nulls import array_of_nulls

# Placeholder for every value of a column in which no level is shared by enough rows.
OTHER = "_OTHER_"
# Maximum number of codes of a nominal category. The levels of larger categories are ordered and treated as a
# scale.
N_NOMINAL_CODES_MAX = 256

Int32s = npt.NDArray[np.int32]
Int64s = npt.NDArray[np.int64]


@dataclass(frozen=True)
class CategoricalTransformer:
    """A fitted category.

    Code 0 represents missing values if there are any. The last code represents the pool of rare levels if
    there are any.

    Parameters
    ----------
    levels : pyarrow.Array of shape (n_levels,)
        Levels in the order of their codes, in the column's exact type.
    counts : array of shape (n_levels,)
        Number of rows with each level.
    first_level : array of shape (n_codes_of_levels,)
        Index of the first level of each code. A code represents one level, or a group of neighboring levels
        if there are more levels than codes.
    has_missing : bool
        Whether any value is missing.
    n_levels_pooled, n_rows_pooled : int
        Number of rare levels, and number of rows that contain a rare level.
    is_placeholder : bool
        Whether no level was shared by enough rows, so that the only level is `OTHER`.
    """

    levels: ArrowArray
    counts: Int64s
    first_level: Int32s
    has_missing: bool
    n_levels_pooled: int
    n_rows_pooled: int
    is_placeholder: bool = False

    @property
    def n_codes(self) -> int:
        """The number of codes."""
        has_pool = self.n_levels_pooled > 0 and not self.is_placeholder
        return len(self.first_level) + self.has_missing + has_pool

    @property
    def is_ordinal(self) -> bool:
        """Whether the levels are ordered because there are too many for a nominal category."""
        return self.n_codes > N_NOMINAL_CODES_MAX

    @property
    def is_exact(self) -> Mask:
        """A mask of the codes that each represent exactly one value of the table."""
        n_levels = np.diff(self.first_level, append=len(self.levels))
        is_level = (n_levels == 1) & (not self.is_placeholder)
        n_pools = self.n_codes - self.has_missing - len(is_level)
        missing, pool = np.ones(int(self.has_missing), np.bool_), np.zeros(n_pools, np.bool_)
        return np.concatenate((missing, is_level, pool))

    def decode(self, codes: Codes, stream: RowStream) -> ArrowArray:
        """Return a level for each code, drawn by frequency. Pooled rows are redrawn from all kept levels."""
        if not len(self.levels):
            return array_of_nulls(len(codes), self.levels.type)
        index = np.empty(len(codes), np.int32)
        n_levels = np.int32(len(self.levels))
        begin = np.append(self.first_level, np.int32(0))
        end = np.concatenate((self.first_level[1:], [n_levels, n_levels]))
        sums = np.concatenate(([0], np.cumsum(self.counts)))
        levels = decoding.CodedLevels(int(self.has_missing), begin, end, sums)
        decoding.decode_levels(codes, levels, stream.key(), index)
        missing = codes == 0 if self.has_missing else None
        values: ArrowArray = self.levels.take(pa.array(index, pa.int32(), mask=missing))
        return values

    def describe(self) -> Json:
        """Return counts for the model card, without any values from the table."""
        facts: Json = {
            "levels_kept": 0 if self.is_placeholder else len(self.levels),
            "levels_pooled": self.n_levels_pooled,
            "rows_pooled": self.n_rows_pooled,
        }
        return facts | ({"placeholder": True} if self.is_placeholder else {})

    def to_arrays(self) -> tuple[Json, Arrays]:
        """Return the learned state as JSON and plain arrays."""
        manifest: Json = {
            "transformer": "categorical",
            "levels": self.levels.cast(pa.string()).to_pylist(),
            "has_missing": self.has_missing,
            "n_levels_pooled": self.n_levels_pooled,
            "n_rows_pooled": self.n_rows_pooled,
            "is_placeholder": self.is_placeholder,
        }
        return manifest, {"counts": self.counts, "first_level": self.first_level}

    @classmethod
    def from_arrays(cls, column: Column, type_: pa.DataType, reader: ArrayReader) -> Self:
        """Load a transformer from the output of `to_arrays`."""
        texts = reader.texts("levels")
        try:
            levels = pa.array(texts, pa.string()).cast(type_)
        except (pa.ArrowInvalid, pa.ArrowNotImplementedError, UnicodeEncodeError) as error:
            raise refuse("levels do not fit their type") from error
        has_missing = reader.truth("has_missing")
        require(bool(texts) or has_missing, "a category has no levels")
        counts = reader.counts("counts", len(texts)) if texts else np.zeros(0, np.int64)
        first_level = reader.indices("first_level", np.int32, (None,), 0, len(texts))
        begins_with_first = first_level[:1].tolist() == [0] * bool(texts)
        is_ascending = bool((np.diff(first_level) > 0).all())
        require(
            is_ascending and begins_with_first,
            "the codes of a category do not start at its first level, or do not ascend",
        )
        return cls(
            levels,
            counts,
            first_level,
            has_missing,
            reader.whole("n_levels_pooled"),
            reader.whole("n_rows_pooled"),
            reader.truth("is_placeholder"),
        )

    def arrange(self, order: Int64s) -> tuple[CategoricalTransformer, Codes]:
        """Reorder the levels, grouping them if there are too many, and return the new transformer and codes.

        The second return value contains the new code of each old code.
        """
        first, n_rest = int(self.has_missing), self.n_codes - len(self.levels)
        counts = self.counts[order]
        group = group_neighbours(counts, N_CODES_MAX - n_rest)
        first_level = np.flatnonzero(np.diff(group, prepend=-1)).astype(np.int32)
        new_code = np.zeros(self.n_codes, np.uint16)
        new_code[first + order] = first + group
        new_code[first + len(order) :] = first + len(first_level)
        levels = self.levels.take(pa.array(order, pa.int64()))
        return replace(self, levels=levels, counts=counts, first_level=first_level), new_code


def cumulate(counts: Int64s) -> npt.NDArray[np.uint64]:
    """Return cumulative probabilities times 2**64, rounded down."""
    total = int(counts.sum())
    sums = np.cumsum(counts).tolist()
    return np.array([min((s << 64) // total, 2**64 - 1) for s in sums], dtype=np.uint64)


def fit_categorical(
    column: Column, values: ArrowColumn, subjects: Subjects | None = None
) -> tuple[CategoricalTransformer, npt.NDArray[Any]]:
    """Fit a category and return its transformer and its codes.

    Each level that enough rows share, or enough subjects if they are declared, has a code. If there are more
    than `N_CODES_MAX` codes, they are 32-bit integers until `arrange` groups them.
    """
    index, dictionary = _index(values)
    counts = np.bincount(index[index >= 0], minlength=len(dictionary))
    # Declared levels are public knowledge. Each declared level that occurs is kept, even if few rows have it.
    is_declared = column.domain is not None and bool(column.domain.levels)
    shared = np.arange(len(dictionary)) if is_declared else _find_shared(index, counts, subjects)
    kept = _sorted_by_count(dictionary, counts, shared)
    has_missing = bool((index < 0).any())
    type_ = parse_arrow_type(column.arrow_type)
    if len(dictionary) and not len(kept):
        return _placeholder(type_, index, len(dictionary), has_missing=has_missing)
    transformer = CategoricalTransformer(
        dictionary.take(pa.array(kept, pa.int64())).cast(type_),
        counts[kept],
        np.arange(len(kept), dtype=np.int32),
        has_missing,
        len(dictionary) - len(kept),
        int(counts.sum() - counts[kept].sum()),
    )
    dtype = np.uint16 if transformer.n_codes <= N_CODES_MAX else np.uint32
    code_of = np.full(len(dictionary) + 1, len(kept) + has_missing, dtype)
    code_of[kept] = np.arange(len(kept)) + has_missing
    code_of[-1] = 0
    return transformer, code_of[index]


def has_shared_level(values: ArrowColumn, subjects: Subjects | None = None) -> bool:
    """Return whether any level is shared by enough rows, or by enough subjects if they are declared."""
    index, dictionary = _index(values)
    counts = np.bincount(index[index >= 0], minlength=len(dictionary))
    return len(_find_shared(index, counts, subjects)) > 0


def _find_shared(index: Int64s, counts: Int64s, subjects: Subjects | None) -> Int64s:
    if subjects is not None:
        is_present = index >= 0
        n_subjects = int(subjects.max(initial=0)) + 1
        pairs = np.unique(index[is_present] * n_subjects + subjects[is_present])
        counts = np.bincount(pairs // n_subjects, minlength=len(counts))
    return np.flatnonzero(counts >= MIN_SUPPORT)


def _sorted_by_count(dictionary: ArrowArray, counts: Int64s, kept: Int64s) -> Int64s:
    """Return the kept levels by descending frequency and then by text, regardless of the order of rows."""
    text = dictionary.take(pa.array(kept, pa.int64())).cast(pa.large_string())
    table = pa.table({"count": pa.array(counts[kept]), "text": text})
    order = pc.sort_indices(table, sort_keys=[("count", "descending"), ("text", "ascending")])
    ordered: Int64s = kept[order.to_numpy()]
    return ordered


def _placeholder(
    type_: pa.DataType, index: Int64s, n_levels: int, *, has_missing: bool
) -> tuple[CategoricalTransformer, Codes]:
    present = index >= 0
    n_rows = int(present.sum())
    transformer = CategoricalTransformer(
        pa.array([OTHER], type_),
        np.array([n_rows]),
        np.zeros(1, np.int32),
        has_missing,
        n_levels,
        n_rows,
        is_placeholder=True,
    )
    return transformer, (present & has_missing).astype(np.uint16)


def _index(values: ArrowColumn) -> tuple[Int64s, ArrowArray]:
    """Return each row's index in the dictionary of distinct values (-1 if missing), and the dictionary."""
    # Any: the stubs lack the indices of dictionary chunks.
    encoded: Any = values.dictionary_encode().unify_dictionaries()
    parts = [chunk.indices.fill_null(-1).to_numpy(zero_copy_only=False) for chunk in encoded.chunks]
    index = np.concatenate([np.zeros(0, np.int64), *parts]).astype(np.int64)
    dictionary = encoded.chunk(0).dictionary if encoded.num_chunks else pa.array([], values.type)
    return index, dictionary
