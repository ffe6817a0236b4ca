"""Find the columns that determine other columns in the sampled rows."""

from __future__ import annotations

from functools import cache, cached_property
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from understudy.tables.inference.values import Sampled

Codes = npt.NDArray[np.int64]

# Number of rows used to compare columns.
N_ROWS_MAX = 131_072
# Minimum number of values with several rows. Fewer such values can determine another column by chance.
N_REPEATED_MIN = 5


class JointValues:
    """Sampled rows in which a number represents each distinct value. Missing values count as one value."""

    def __init__(self, source: Sampled) -> None:
        self._source = source
        self.codes = cache(self._codes)
        self.determines = cache(self._determines)

    @cached_property
    def _rows(self) -> pa.Table:
        parts: list[Any] = [
            part if isinstance(part, pa.Table) else pa.Table.from_batches([part])
            for part in self._source.parts(N_ROWS_MAX)
        ]
        return pa.concat_tables(parts) if len(parts) != 1 else parts[0]

    def _codes(self, index: int) -> Codes:
        """Return the number that represents the value in each row, or -1 for a missing value."""
        # Any: the stubs lack the indices of dictionary chunks.
        column: Any = self._rows.column(index)
        if pa.types.is_dictionary(column.type):
            column = column.cast(column.type.value_type)
        encoded: Any = column.combine_chunks().dictionary_encode()
        if isinstance(encoded, pa.ChunkedArray):
            encoded = encoded.combine_chunks()
        indices: Codes = encoded.indices.fill_null(-1).to_numpy(zero_copy_only=False).astype(np.int64)
        return indices

    def _determines(self, key: int, other: int) -> bool:
        """Return whether equal values of a key always have equal values in another column."""
        keys, others = self.codes(key), self.codes(other)
        is_present = keys >= 0
        keys, others = keys[is_present], others[is_present] + 1
        if not len(keys):
            return False
        n_repeated = int((np.bincount(keys) > 1).sum())
        n_pairs = len(np.unique(keys * (int(others.max()) + 1) + others))
        return n_repeated >= N_REPEATED_MIN and n_pairs == len(np.unique(keys))

    def count_owners(self, column: int, owner: int) -> Codes:
        """Return how many different owners each value of a column has."""
        values, owners = self.codes(column), self.codes(owner) + 1
        is_present = values >= 0
        pairs = np.unique(values[is_present] * (int(owners.max(initial=0)) + 1) + owners[is_present])
        counts: Codes = np.bincount(pairs // (int(owners.max(initial=0)) + 1))
        return counts

    def count_distinct(self, columns: list[int]) -> int:
        """Return the number of distinct combinations of values."""
        if not columns:
            return 0
        numbers = self.codes(columns[0]) + 1
        for column in columns[1:]:
            others = self.codes(column) + 1
            numbers = np.unique(numbers * (int(others.max(initial=0)) + 1) + others, return_inverse=True)[1]
        return len(np.unique(numbers))
