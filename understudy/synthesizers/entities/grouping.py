"""Grouping of sampled rows into entities: a pure function of the seed and the row number.

Rows are split into periods with the same number of rows as the table. Each period also has the same number of
entities as the table, with nearly the same sizes. If an entity's rows are not adjacent in the table, each
period is split into windows, and the rows in each window are permuted.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

from understudy.kernels import hashing, permutation
from understudy.transformers.base import MIN_SUPPORT, RowNumbers

# Number of the first hash stream that permutes the units of a group.
GROUPINGS = 1 << 42
# Minimum window size, as multiples of the mean entity size and of the largest entity size.
N_MEAN_SIZES, N_LARGEST_SIZES = 24, 4

Int64s = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Places:
    """Entity of each unit, and the unit's position within the entity.

    Parameters
    ----------
    numbers : array of shape (n,)
        Entity number of each unit.
    slots : array of shape (n,)
        Position of the entity within its period, counted from 0.
    ranks : array of shape (n,)
        Position of the unit within its entity, counted from 0.
    """

    numbers: RowNumbers
    slots: Int64s
    ranks: Int64s


@dataclass(frozen=True)
class Grouping:
    """Grouping of units into entities. The units are rows, or entities of a finer group.

    Parameters
    ----------
    sizes : array of shape (n_entities,)
        Number of units in each entity of a period.
    n_windows : int
        Number of windows in a period, or 0 if the units of an entity are adjacent. Units are permuted within
        a window.
    """

    sizes: Int64s
    n_windows: int

    @cached_property
    def ends(self) -> Int64s:
        """Cumulative number of units, up to and including each entity."""
        return np.cumsum(self.sizes)

    def find(self, units: RowNumbers, seed: int, stream: int) -> Places:
        """Return the entities of the units with the given numbers."""
        n_period = int(self.ends[-1])
        if self.n_windows:
            windows = np.uint64(n_period), np.uint64(self.n_windows), _key(seed, stream)
            units = permutation.permute_windows(units, *windows)
        period = units // np.uint64(n_period)
        own = (units - period * np.uint64(n_period)).astype(np.int64)
        slots = np.searchsorted(self.ends, own, side="right")
        numbers = period * np.uint64(len(self.sizes)) + slots.astype(np.uint64)
        return Places(numbers, slots, own - (self.ends - self.sizes)[slots])

    def units_of(self, entities: RowNumbers, seed: int, stream: int) -> tuple[RowNumbers, Int64s]:
        """Return the units of the given entities, grouped by entity, and the index of each first unit."""
        n_period = self.ends[-1].astype(np.uint64)
        period = entities // np.uint64(len(self.sizes))
        slots = (entities - period * np.uint64(len(self.sizes))).astype(np.int64)
        sizes = self.sizes[slots]
        starts = np.cumsum(sizes) - sizes
        within = np.arange(sizes.sum()) - np.repeat(starts, sizes)
        own = np.repeat((self.ends - self.sizes)[slots], sizes) + within
        units: RowNumbers = np.repeat(period * n_period, sizes) + own.astype(np.uint64)
        if self.n_windows:
            key = _key(seed, stream)
            units = permutation.unpermute_windows(units, n_period, np.uint64(self.n_windows), key)
        return units, starts

    def split(self, size_max: int) -> tuple[Grouping, Int64s]:
        """Return a grouping with entities of at most `size_max` units, and the old slot of each entity."""
        n_parts = -(-self.sizes // size_max)
        slots = np.repeat(np.arange(len(self.sizes)), n_parts)
        is_last = np.append(slots[1:] != slots[:-1], True)
        rest = self.sizes - (n_parts - 1) * size_max
        return Grouping(np.where(is_last, rest[slots], size_max), self.n_windows), slots

    def phases(self, places: Places) -> npt.NDArray[np.float64]:
        """Return a fraction for each unit. All units of an entity have the same fraction.

        The fractions are spread evenly: in every section of the units, nearly the same share of fractions is
        below a given limit.
        """
        n_periods = places.numbers // np.uint64(len(self.sizes))
        middle = (self.ends - self.sizes / 2)[places.slots]
        length = _cycle(self.sizes)
        phases: npt.NDArray[np.float64] = ((n_periods * self.ends[-1] + middle) / length) % 1.0
        return phases


def _key(seed: int, stream: int) -> np.uint64:
    """Return the permutation key of a group."""
    return np.uint64(hashing.stream_key(np.uint64(seed), np.uint64(GROUPINGS + stream)))


def _cycle(sizes: Int64s) -> int:
    """Return the minimum window size, in units, which is large enough to span several entities."""
    return max(N_LARGEST_SIZES * int(sizes.max()), int(N_MEAN_SIZES * sizes.sum() / len(sizes)))


def fit_grouping(sizes: Int64s, *, is_contiguous: bool) -> Grouping:
    """Return a grouping with smoothed sizes, which do not reveal the size of an individual entity.

    Parameters
    ----------
    sizes : array of shape (n_entities,)
        Entity sizes in the table, in the order of entities in samples.
    is_contiguous : bool
        Whether the units of each entity are adjacent.
    """
    smoothed = smooth_sizes(sizes)
    return Grouping(smoothed, 0 if is_contiguous else count_windows(smoothed))


def count_windows(sizes: Int64s) -> int:
    """Return the number of windows in a period. The units of entities are permuted within each window."""
    return max(int(sizes.sum()) // _cycle(sizes), 1)


def smooth_sizes(sizes: Int64s, strata: Int64s | None = None) -> Int64s:
    """Return sizes with the same sum, which are nearly equal within each run of k entities of similar size.

    A size that k entities share does not change.

    Parameters
    ----------
    sizes : array of shape (n_entities,)
        Sizes of the entities.
    strata : array of shape (n_entities,), optional
        Stratum of each entity. Entities of different strata do not share units. If a stratum has fewer than k
        entities, its entities with several units join the stratum that has the most entities with several
        units.
    """
    smoothed = np.empty_like(sizes)
    if strata is None:
        strata = np.zeros(len(sizes), np.int64)
    is_rare = np.bincount(strata)[strata] < MIN_SUPPORT
    if (sizes > 1).any():
        # Entities with one unit do not count, because each row with a missing key is a separate entity with
        # one unit.
        largest = np.bincount(strata[sizes > 1]).argmax()
        strata = np.where(is_rare & (sizes > 1), largest, strata)
    for stratum in np.unique(strata):
        own = np.flatnonzero(strata == stratum)
        order = own[np.argsort(sizes[own], kind="stable")]
        smoothed[order] = share_units(sizes[order])[0]
    return smoothed


def share_units(ordered: Int64s) -> tuple[Int64s, Int64s]:
    """Return ascending sizes, nearly equal within each run of k entities, and the run of each entity."""
    n_runs = max(len(ordered) // MIN_SUPPORT, 1)
    starts = np.arange(n_runs) * len(ordered) // n_runs
    lengths = np.diff(np.append(starts, len(ordered)))
    within = np.arange(len(ordered)) - np.repeat(starts, lengths)
    share, rest = np.divmod(np.add.reduceat(ordered, starts), lengths)
    shared = np.repeat(share, lengths) + (within >= np.repeat(lengths - rest, lengths))
    return shared, np.repeat(np.arange(n_runs), lengths)
