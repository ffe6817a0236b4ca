"""Categories: levels that enough rows share, and one code for all others, redrawn from the former."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from understudy.kernels import decoding
from understudy.tables.schema import Column, parse_arrow_type
from understudy.transformers.base import (
    N_CODES_MAX,
    N_ROWS_SHARED,
    Arrays,
    ArrowArray,
    ArrowColumn,
    Codes,
    Json,
    RowStream,
)
from understudy.transformers.nulls import array_of_nulls

# Stands for every value of a column in which no level is shared by enough rows.
OTHER = "_OTHER_"
# Up to so many codes a category is a set; above, its levels are put in order and treated as a scale.
N_NOMINAL_CODES_MAX = 256

Int64s = npt.NDArray[np.int64]


@dataclass(frozen=True)
class CategoricalTransformer:
    """A fitted category; code 0 is missing if any value was, the last code the pool if any level was rare.

    Parameters
    ----------
    levels : pyarrow.Array of shape (n_levels,)
        In the order of their codes, in the column's exact type.
    counts : array of shape (n_levels,)
        Rows with each level.
    """

    levels: ArrowArray
    counts: Int64s
    has_missing: bool
    n_levels_pooled: int
    n_rows_pooled: int
    is_placeholder: bool = False

    @property
    def n_codes(self) -> int:
        """How many codes there are."""
        has_pool = self.n_levels_pooled > 0 and not self.is_placeholder
        return len(self.levels) + self.has_missing + has_pool

    @property
    def is_ordinal(self) -> bool:
        """Whether there are so many levels that they were put in order."""
        return self.n_codes > N_NOMINAL_CODES_MAX

    def decode(self, codes: Codes, stream: RowStream) -> ArrowArray:
        """Return the level of each code; pooled ones are redrawn from the kept levels by frequency."""
        if not len(self.levels):
            return array_of_nulls(len(codes), self.levels.type)
        index = np.empty(len(codes), np.int32)
        decoding.decode_levels(codes, int(self.has_missing), cumulate(self.counts), *stream.key(), index)
        missing = codes == 0 if self.has_missing else None
        values: ArrowArray = self.levels.take(pa.array(index, pa.int32(), mask=missing))
        return values

    def describe(self) -> Json:
        """Return counts and choices, no values."""
        facts: Json = {
            "levels_kept": 0 if self.is_placeholder else len(self.levels),
            "levels_pooled": self.n_levels_pooled,
            "rows_pooled": self.n_rows_pooled,
        }
        return facts | ({"placeholder": True} if self.is_placeholder else {})

    def to_arrays(self) -> tuple[Json, Arrays]:
        """Return what was learnt as JSON and plain arrays."""
        manifest: Json = {
            "transformer": "categorical",
            "levels": self.levels.cast(pa.string()).to_pylist(),
            "has_missing": self.has_missing,
            "n_levels_pooled": self.n_levels_pooled,
            "n_rows_pooled": self.n_rows_pooled,
            "is_placeholder": self.is_placeholder,
        }
        return manifest, {"counts": self.counts}

    def reorder(self, order: Int64s) -> CategoricalTransformer:
        """Return the transformer with its levels in another order."""
        return replace(self, levels=self.levels.take(pa.array(order, pa.int64())), counts=self.counts[order])


def cumulate(counts: Int64s) -> npt.NDArray[np.uint64]:
    """Return cumulative probabilities, times 2**64, rounded down."""
    total = int(counts.sum())
    sums = np.cumsum(counts).tolist()
    return np.array([min((s << 64) // total, 2**64 - 1) for s in sums], dtype=np.uint64)


def fit_categorical(column: Column, values: ArrowColumn) -> tuple[CategoricalTransformer, Codes]:
    """Learn a category; return its transformer and its codes."""
    index, dictionary = _index(values)
    counts = np.bincount(index[index >= 0], minlength=len(dictionary))
    # Ties are broken by the text of the level: the order of rows has no say.
    text = dictionary.cast(pa.string()).to_numpy(zero_copy_only=False).astype(str)
    by_count = np.lexsort((text, -counts)) if len(text) else np.zeros(0, np.int64)
    has_missing = bool((index < 0).any())
    kept = by_count[counts[by_count] >= N_ROWS_SHARED][: N_CODES_MAX - has_missing - 1]
    type_ = parse_arrow_type(column.arrow_type)
    if len(dictionary) and not len(kept):
        return _placeholder(type_, index, len(dictionary), has_missing=has_missing)
    code_of = np.full(len(dictionary) + 1, len(kept) + has_missing, np.uint16)
    code_of[kept] = np.arange(len(kept)) + has_missing
    code_of[-1] = 0
    transformer = CategoricalTransformer(
        dictionary.take(pa.array(kept, pa.int64())).cast(type_),
        counts[kept],
        has_missing,
        len(dictionary) - len(kept),
        int(counts.sum() - counts[kept].sum()),
    )
    return transformer, code_of[index]


def has_shared_level(values: ArrowColumn) -> bool:
    """Return whether any level is shared by enough rows."""
    index, _ = _index(values)
    return bool((np.bincount(index[index >= 0], minlength=1) >= N_ROWS_SHARED).any())


def _placeholder(
    type_: pa.DataType, index: Int64s, n_levels: int, *, has_missing: bool
) -> tuple[CategoricalTransformer, Codes]:
    present = index >= 0
    n_rows = int(present.sum())
    transformer = CategoricalTransformer(
        pa.array([OTHER], type_), np.array([n_rows]), has_missing, n_levels, n_rows, is_placeholder=True
    )
    return transformer, (present & has_missing).astype(np.uint16)


def _index(values: ArrowColumn) -> tuple[Int64s, ArrowArray]:
    """Return every row's place in the dictionary of distinct values, -1 if missing, and that dictionary."""
    # Any: the stubs do not know that chunks of a dictionary have indices.
    encoded: Any = values.dictionary_encode().unify_dictionaries()
    parts = [chunk.indices.fill_null(-1).to_numpy(zero_copy_only=False) for chunk in encoded.chunks]
    index = np.concatenate([np.zeros(0, np.int64), *parts]).astype(np.int64)
    dictionary = encoded.chunk(0).dictionary if encoded.num_chunks else pa.array([], values.type)
    return index, dictionary
