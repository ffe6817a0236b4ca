"""Columns that a row's position within its entity determines, or whose values are distinct within an entity.

Examples are the line numbers of an order, and the samples in a tasting if each panel member tastes each
sample once.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from understudy.kernels import hashing
from understudy.transformers.base import ArrowArray, Codes, Mask, RowNumbers

if TYPE_CHECKING:
    from understudy.synthesizers.entities.grouping import Places

# Number of the first hash stream that chooses distinct values.
DISTINCT = 1 << 44
# Number that is added to the exponential variables of combinations that break a rule, so that all other
# combinations come first.
EXCLUDED = 1e6
# Maximum number of value combinations that are distinct within an entity.
N_COMBINATIONS_MAX = 128

Int64s = npt.NDArray[np.int64]
# Function that returns a mask of shape (n_rows, n_combinations) for given columns, combinations of their
# codes, and row positions. The mask selects the combinations that satisfy the rules together with the entity
# columns of each row.
Allows: TypeAlias = "Callable[[tuple[int, ...], npt.NDArray[np.uint16], Int64s], Mask]"


@dataclass(frozen=True)
class Counter:
    """Column that numbers the rows of each entity consecutively.

    Parameters
    ----------
    group : int
        Group of the entities.
    column : int
        Index of the integer column.
    first : int
        Value in the first row of an entity.
    codes : array of shape (n_max,)
        Code of each value, starting with the value in the first row.
    ranks : array of shape (n_allowed,), optional
        Positions of the sampled rows within an entity, if a condition excludes the other rows.
    """

    group: int
    column: int
    first: int
    codes: Codes
    ranks: Int64s | None = None

    @property
    def columns(self) -> tuple[int, ...]:
        """Index of the column."""
        return (self.column,)

    def choices(self) -> npt.NDArray[np.uint16]:
        """Return the code of each number, of shape (n_numbers, 1)."""
        return self.codes[:, None]

    def draw(
        self, places: Places, sizes: Int64s, seed: int, attempt: int = 0, allows: Allows | None = None
    ) -> dict[int, Codes]:
        """Return the code of each row. Every attempt returns the same code."""
        return {self.column: self.codes[np.minimum(self._ranks_of(places), len(self.codes) - 1)]}

    def values(self, places: Places, type_: pa.DataType) -> ArrowArray:
        """Return the number of each row."""
        # Every number also occurs in the real table, because no sampled entity is larger than the largest
        # real entity.
        numbers: ArrowArray = pa.array(self.first + self._ranks_of(places)).cast(type_)
        return numbers

    def _ranks_of(self, places: Places) -> Int64s:
        return places.ranks if self.ranks is None else self.ranks[places.ranks % len(self.ranks)]


@dataclass(frozen=True)
class Distinct:
    """One or two columns with a different combination of values in each row of an entity.

    Parameters
    ----------
    group : int
        Group of the entities.
    columns : tuple of int
        Indices of the columns.
    combinations : array of shape (n_combinations, n_columns)
        Codes of the columns, for each combination of values.
    counts : array of shape (n_combinations,)
        Number of rows with each combination.
    is_sorted : bool
        Whether the combinations ascend within an entity.
    """

    group: int
    columns: tuple[int, ...]
    combinations: npt.NDArray[np.uint16]
    counts: Int64s
    is_sorted: bool

    def choices(self) -> npt.NDArray[np.uint16]:
        """Return the codes of all combinations as an array of shape (n_combinations, n_columns)."""
        return self.combinations

    def draw(
        self, places: Places, sizes: Int64s, seed: int, attempt: int = 0, allows: Allows | None = None
    ) -> dict[int, Codes]:
        """Return the codes of each row, drawn without replacement for each entity.

        Later attempts return combinations that no row of the entity had in an earlier attempt, as long as
        there are unused combinations.

        The combinations with the lowest exponential variables, divided by their frequencies, are a weighted
        sample without replacement (Efraimidis and Spirakis 2006). Combinations that break a rule are drawn
        only if there are not enough others.
        """
        n = len(self.counts)
        entities, first, entity = np.unique(places.numbers, return_index=True, return_inverse=True)
        cells = np.repeat(entities * np.uint64(n), n) + np.tile(np.arange(n, dtype=np.uint64), len(entities))
        words: RowNumbers = np.empty(len(cells), np.uint64)
        hashing.hash_rows(np.uint64(seed), np.uint64(DISTINCT + self.group), cells, words)
        uniform = ((words >> np.uint64(11)).astype(np.float64) + 1) * 2.0**-53
        waiting = -np.log(uniform).reshape(-1, n) / self.counts
        if allows is not None:
            waiting[~allows(self.columns, self.combinations, first)] += EXCLUDED
        order = np.argsort(waiting, axis=1)
        if self.is_sorted:
            is_later = np.argsort(order, axis=1) >= sizes[places.slots[first]][:, None]
            order = np.argsort(is_later, axis=1, kind="stable")
        later = places.ranks + attempt * sizes[places.slots]
        chosen = order[entity, np.where(later < n, later, places.ranks % n)]
        return {j: self.combinations[chosen, i] for i, j in enumerate(self.columns)}


Position = Counter | Distinct
