"""Categories: one code for each level that enough rows share, and one code for all rare levels."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, Self, TypeAlias

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from understudy.kernels import decoding
from understudy.tables.arrow_types import parse_arrow_type
from understudy.tables.inference.headers import words_of
from understudy.tables.inference.messages import find_personal
from understudy.tables.public_codes import N_CODES_MAX as N_PUBLIC_MAX
from understudy.tables.public_codes import are_public_codes
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
from understudy.transformers.support import count_sharers

# Placeholder for every value in a column where no level is shared by enough rows.
OTHER = "_OTHER_"
# Made-up levels replace the rare levels of a column with at least this many levels, if at least this share of
# the rows has a rare level.
N_LEVELS_MANY, RARE_SHARE_MIN = 20, 0.02
# Maximum number of codes in a nominal category. If a category has more codes, its levels are ordered and
# treated as ordinal.
N_NOMINAL_CODES_MAX = 256

# Maximum number of levels that are searched for personal data.
N_LEVELS_EXAMINED = 1000

Int32s = npt.NDArray[np.int32]
Int64s = npt.NDArray[np.int64]


@dataclass(frozen=True, eq=False, repr=False)
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
        Index of the first level for each code. Each code represents one level, or a group of neighboring
        levels if there are more levels than codes.
    has_missing : bool
        Whether any value is missing.
    n_levels_pooled, n_rows_pooled : int
        Number of rare levels, and number of rows that contain a rare level.
    is_placeholder : bool
        Whether `OTHER` is the only level. It replaces all levels if no level is shared by enough rows.
    n_made_up : int
        Number of made-up levels, which replace the rare levels. The last code represents all made-up levels.
    """

    levels: ArrowArray
    counts: Int64s
    first_level: Int32s
    has_missing: bool
    n_levels_pooled: int
    n_rows_pooled: int
    is_placeholder: bool = False
    n_made_up: int = 0

    @property
    def n_kept(self) -> int:
        """The number of levels that occur in the table."""
        return 0 if self.is_placeholder else len(self.levels) - self.n_made_up

    @property
    def n_codes(self) -> int:
        """The number of codes."""
        has_pool = self.n_levels_pooled > 0 and not (self.is_placeholder or self.n_made_up)
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
        if self.n_made_up:
            is_level[-1] = False
        n_pools = self.n_codes - self.has_missing - len(is_level)
        missing, pool = np.ones(int(self.has_missing), np.bool_), np.zeros(n_pools, np.bool_)
        return np.concatenate((missing, is_level, pool))

    def decode(self, codes: Codes, stream: RowStream) -> ArrowArray:
        """Return a level for each code, sampled by frequency. The code of rare levels may yield any level."""
        if not len(self.levels):
            return array_of_nulls(len(codes), self.levels.type)
        return self.take_levels(self.draw_levels(codes, stream))

    def take_levels(self, index: Int32s) -> ArrowArray:
        """Return the levels with the given indices. The number of levels is the index of missing values."""
        missing = index == len(self.levels) if self.has_missing else None
        values: ArrowArray = self.levels.take(pa.array(index, pa.int32(), mask=missing))
        return values

    def draw_levels(self, codes: Codes, stream: RowStream) -> Int32s:
        """Return the index of a level for each code, or the number of levels for missing values."""
        index = np.empty(len(codes), np.int32)
        n_levels = np.int32(len(self.levels))
        begin = np.append(self.first_level, np.int32(0))
        end = np.concatenate((self.first_level[1:], [n_levels, n_levels]))
        sums = np.concatenate(([0], np.cumsum(self.counts)))
        levels = decoding.CodedLevels(int(self.has_missing), begin, end, sums)
        decoding.decode_levels(codes, levels, stream.key(), index)
        if self.has_missing:
            index[codes == 0] = n_levels
        return index

    @property
    def group_of_levels(self) -> Int64s:
        """The code of each level, counted from the first code that represents levels."""
        return np.searchsorted(self.first_level, np.arange(len(self.levels)), side="right") - 1

    def codes_of_levels(self) -> Codes:
        """Return the code of each level."""
        return (self.group_of_levels + self.has_missing).astype(np.uint16)

    def describe(self) -> Json:
        """Return counts for the model card, without any values from the table."""
        facts: Json = {
            "levels_kept": self.n_kept,
            "levels_pooled": self.n_levels_pooled,
            "rows_pooled": self.n_rows_pooled,
        }
        if not self.is_placeholder and len(self.counts):
            facts["median_rows_per_level"] = int(np.median(self.counts))
            facts["levels_with_personal_items"] = self._count_personal()
        if self.n_made_up:
            facts["levels_made_up"] = self.n_made_up
        return facts | ({"placeholder": True} if self.is_placeholder else {})

    def _count_personal(self) -> int:
        """Return the number of frequent levels that contain personal data, such as an e-mail address."""
        if pa.types.is_integer(self.levels.type):
            return 0
        texts = map(str, self.levels.slice(0, N_LEVELS_EXAMINED).to_pylist())
        return sum(bool(find_personal(text)) for text in texts if " " in text)

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
        if self.n_made_up:
            manifest["n_made_up"] = self.n_made_up
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
            "the codes of a category do not start at its first level, or are not in ascending order",
        )
        # Model files from earlier versions of Understudy have no made-up levels.
        n_made_up = reader.whole("n_made_up", 0, len(texts)) if "n_made_up" in reader.manifest else 0
        is_last_code = not n_made_up or first_level[-1:].tolist() == [len(texts) - n_made_up]
        require(is_last_code, "the made-up levels are not the levels of the last code")
        return cls(
            levels,
            counts,
            first_level,
            has_missing,
            reader.whole("n_levels_pooled"),
            reader.whole("n_rows_pooled"),
            reader.truth("is_placeholder"),
            n_made_up,
        )

    def arrange(self, order: Int64s) -> tuple[CategoricalTransformer, Codes]:
        """Reorder the levels, grouping them if there are too many, and return the new transformer and codes.

        The second return value contains the new code of each old code. Made-up levels remain the last levels.
        """
        first, n_rest = int(self.has_missing), self.n_codes - len(order)
        group = group_neighbours(self.counts[order], N_CODES_MAX - n_rest)
        first_level = np.flatnonzero(np.diff(group, prepend=-1)).astype(np.int32)
        new_code = np.zeros(self.n_codes, np.uint16)
        new_code[first + order] = first + group
        new_code[first + len(order) :] = first + len(first_level)
        if self.n_made_up:
            first_level = np.append(first_level, np.int32(len(order)))
        places = np.concatenate((order, np.arange(len(order), len(self.levels))))
        levels = self.levels.take(pa.array(places, pa.int64()))
        return replace(self, levels=levels, counts=self.counts[places], first_level=first_level), new_code


def cumulate(counts: Int64s) -> npt.NDArray[np.uint64]:
    """Return cumulative probabilities times 2**64, rounded down."""
    total = int(counts.sum())
    sums = np.cumsum(counts).tolist()
    return np.array([min((s << 64) // total, 2**64 - 1) for s in sums], dtype=np.uint64)


# Function that returns n new levels, given the distinct levels of a table and n. The result is None if the
# type of the levels has too few unused values.
MakeUp: TypeAlias = "Callable[[ArrowArray, int], ArrowArray | None]"


def fit_categorical(
    column: Column,
    values: ArrowColumn,
    subjects: Subjects | None = None,
    make_up: MakeUp | None = None,
    *,
    is_code: bool = False,
) -> tuple[CategoricalTransformer, npt.NDArray[Any]]:
    """Fit a category and return its transformer and its codes.

    Each level that enough rows share, or enough subjects if they are declared, has a code. If there are more
    than `N_CODES_MAX` codes, they are 32-bit integers until `arrange` groups them.

    Parameters
    ----------
    make_up : callable, optional
        Function that makes up levels. Made-up levels replace the rare levels if there are many levels.
    is_code : bool
        Whether other columns contain labels of this column's levels. If true, made-up levels replace all rare
        levels.
    """
    index, dictionary = _index(values)
    counts = np.bincount(index[index >= 0], minlength=len(dictionary))
    # Declared levels are public knowledge. Each declared level that occurs is kept, even if few rows have it.
    is_public = column.domain is not None and bool(column.domain.levels)
    if len(dictionary) <= N_PUBLIC_MAX:
        is_public = is_public or are_public_codes(dictionary.to_pylist(), words_of(column.name))
    shared = np.arange(len(dictionary)) if is_public else _find_shared(index, counts, subjects)
    kept = _sorted_by_count(dictionary, counts, shared)
    rare = np.delete(counts, kept)
    has_missing = bool((index < 0).any())
    type_ = parse_arrow_type(column.arrow_type)
    made_up: ArrowArray | None = None
    if make_up is not None and len(rare) and (is_code or has_many_rare_levels(counts, rare)):
        made_up = make_up(dictionary, len(rare))
    if len(rare) and not len(kept) and made_up is None:
        return _placeholder(type_, index, len(dictionary), has_missing=has_missing)
    levels = dictionary.take(pa.array(kept, pa.int64())).cast(type_)
    transformer = CategoricalTransformer(
        levels if made_up is None else pa.concat_arrays([levels, made_up.cast(type_)]),
        counts[kept] if made_up is None else np.concatenate((counts[kept], smooth_counts(rare))),
        np.arange(len(kept) + (made_up is not None), dtype=np.int32),
        has_missing,
        len(rare),
        int(rare.sum()),
        n_made_up=0 if made_up is None else len(made_up),
    )
    dtype = np.uint16 if transformer.n_codes <= N_CODES_MAX else np.uint32
    code_of = np.full(len(dictionary) + 1, len(kept) + has_missing, dtype)
    code_of[kept] = np.arange(len(kept)) + has_missing
    code_of[-1] = 0
    return transformer, code_of[index]


def has_many_rare_levels(counts: Int64s, rare: Int64s) -> bool:
    """Return whether a column has enough rare levels to replace them with made-up levels.

    A few rare levels among common levels are often spelling errors. Made-up levels would add noise, so such
    rare levels are replaced with common levels.

    Parameters
    ----------
    counts, rare : array
        Number of rows with each level, and number of rows with each rare level.
    """
    if len(rare) < MIN_SUPPORT:
        return False
    has_no_common_level = len(rare) == len(counts)
    is_frequent = rare.sum() >= RARE_SHARE_MIN * counts.sum()
    return bool(has_no_common_level or (len(counts) >= N_LEVELS_MANY and is_frequent))


def smooth_counts(counts: Int64s) -> Int64s:
    """Return counts that are nearly equal in blocks of k levels, so that no level's exact count is visible.

    The sum in each block is unchanged, so the frequency distribution is nearly preserved.
    """
    ordered = np.sort(counts)[::-1].astype(np.int64)
    n_blocks = max(len(ordered) // MIN_SUPPORT, 1)
    # The last block also contains the remaining levels so that no block has fewer than k levels.
    block = np.minimum(np.arange(len(ordered)) // MIN_SUPPORT, n_blocks - 1)
    sizes, sums = np.bincount(block), np.bincount(block, ordered).astype(np.int64)
    place = np.arange(len(ordered)) - np.repeat(np.cumsum(sizes) - sizes, sizes)
    smooth: Int64s = (sums // sizes)[block] + (place < (sums % sizes)[block])
    return smooth


def has_shared_level(values: ArrowColumn, subjects: Subjects | None = None) -> bool:
    """Return whether any level is shared by enough rows, or by enough subjects if they are declared."""
    index, dictionary = _index(values)
    counts = np.bincount(index[index >= 0], minlength=len(dictionary))
    return len(_find_shared(index, counts, subjects)) > 0


def _find_shared(index: Int64s, counts: Int64s, subjects: Subjects | None) -> Int64s:
    if subjects is not None:
        is_present = index >= 0
        counts = count_sharers(index[is_present], len(counts), subjects[is_present])
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
    # `Any` is needed because the stubs lack the indices of dictionary chunks.
    encoded: Any = values.dictionary_encode().unify_dictionaries()
    parts = [chunk.indices.fill_null(-1).to_numpy(zero_copy_only=False) for chunk in encoded.chunks]
    index = np.concatenate([np.zeros(0, np.int64), *parts]).astype(np.int64)
    dictionary = encoded.chunk(0).dictionary if encoded.num_chunks else pa.array([], values.type)
    return index, dictionary
