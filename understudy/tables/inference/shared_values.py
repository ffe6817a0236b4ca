"""Find the columns that contain the values of another column, in time linear in the number of columns."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pyarrow as pa

from understudy.tables.inference.texts import CountedTexts, Int64s, pc

# Maximum number of columns that are recorded for each value. Without a limit, the time for columns with the
# same values would be quadratic in their number.
N_COLUMNS_MAX = 20


class SharedValues:
    """The first columns that contain each value.

    Parameters
    ----------
    texts : mapping of int to CountedTexts
        Distinct values of each column.
    pools : sequence of int
        Columns to find, in order of preference.
    """

    def __init__(self, texts: Mapping[int, CountedTexts], pools: Sequence[int]) -> None:
        self._pools = list(pools)
        columns = list(texts)
        parts = [texts[i].distinct.cast(pa.large_string()) for i in columns]
        encoded = pc.dictionary_encode(pa.chunked_array(parts, pa.large_string()).combine_chunks())
        numbers = encoded.indices.to_numpy(zero_copy_only=False).astype(np.int64)
        ends = np.cumsum([len(part) for part in parts])
        self._numbers_of = dict(zip(columns, np.split(numbers, ends[:-1]), strict=True)) if columns else {}
        owned = [self._numbers_of[j] for j in self._pools]
        values = np.concatenate([np.zeros(0, np.int64), *owned])
        order = np.argsort(values, kind="stable")
        self._owner = np.repeat(np.arange(len(owned)), [len(own) for own in owned])[order]
        self._count = np.bincount(values, minlength=len(encoded.dictionary))
        self._start = np.cumsum(self._count) - self._count

    def count(self, column: int) -> dict[int, int]:
        """Return how many of a column's values occur in each other column that contains any."""
        own = self._numbers_of[column]
        shared: Int64s = np.zeros(len(self._pools), np.int64)
        for k in range(min(N_COLUMNS_MAX + 1, int(self._count[own].max(initial=0)))):
            owners = self._owner[self._start[own[self._count[own] > k]] + k]
            shared += np.bincount(owners, minlength=len(shared))
        return {self._pools[p]: int(shared[p]) for p in np.flatnonzero(shared) if self._pools[p] != column}
