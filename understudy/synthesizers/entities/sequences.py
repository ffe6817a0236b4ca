"""Columns that ascend or descend within an entity by steps, such as the dates of a patient's visits.

The chain learns the first value of each entity and the step from each row of the entity to the next row. In a
sample, the values of an entity are the first value plus the sums of the steps. If the rows were sampled
independently of each other and then sorted, the steps of a patient with weekly visits would be random.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from understudy.transformers.base import Codes, Mask, RowNumbers

# Maximum unit of a sequence: the number of nanoseconds in a day.
UNIT_MAX = 86_400_000_000_000
# Number of positions within an entity at which a value can change, and maximum number of changes per entity.
N_PLACES, N_CHANGES_MAX = 10_000, 3

Int64s = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Sequence:
    """Column in which each value is the previous value of the entity plus a step.

    Parameters
    ----------
    column : int
        Index of the column.
    start : int
        Index of the column that contains the first value of each entity.
    step : int
        Index of the column with the steps.
    clock : int
        Index of the column with the times of day, or -1. If there is such a column, starts and steps are in
        days.
    unit : int
        Number of units of the column in one unit of `start` and `step`.
    is_descending : bool
        Whether the values descend.
    """

    column: int
    start: int
    step: int
    clock: int
    unit: int
    is_descending: bool

    @property
    def hidden(self) -> tuple[int, ...]:
        """Hidden columns, which are not part of the samples."""
        return tuple(j for j in (self.start, self.step, self.clock) if j >= 0)

    @property
    def drawn(self) -> tuple[int, ...]:
        """Hidden columns that are sampled for each row."""
        return tuple(j for j in (self.step, self.clock) if j >= 0)


@dataclass(frozen=True)
class Change:
    """Column that rarely changes within an entity.

    Parameters
    ----------
    column : int
        Index of the column.
    count : int
        Index of the column that contains the number of changes of each entity.
    values : tuple of int
        Indices of the columns that contain the codes before the first change and after each change.
    places : tuple of int
        Indices of the columns that contain the position of each change, as a fraction of the entity's rows.
    """

    column: int
    count: int
    values: tuple[int, ...]
    places: tuple[int, ...]

    @property
    def hidden(self) -> tuple[int, ...]:
        """Hidden columns that are sampled once for each entity."""
        return (self.count, *self.values, *self.places)


@dataclass(frozen=True)
class Sequences:
    """The sequences of a group of entities.

    Parameters
    ----------
    group : int
        Group of the entities.
    columns : tuple of Sequence
        Columns of the sequences.
    rank : int
        Index of a hidden column that numbers the rows of an entity, or -1 if the table itself contains such a
        column.
    rank_codes : array of shape (n_ranks,)
        Code of each row number, starting with the code of row 0.
    changes : tuple of Change
        Columns that rarely change within an entity.
    """

    group: int
    columns: tuple[Sequence, ...]
    rank: int = -1
    rank_codes: Codes = field(default_factory=lambda: np.zeros(0, np.uint16))
    changes: tuple[Change, ...] = ()

    @property
    def hidden(self) -> set[int]:
        """Hidden columns that are sampled for each row."""
        return {j for own in self.columns for j in own.drawn} | ({self.rank} if self.rank >= 0 else set())

    @property
    def values(self) -> frozenset[int]:
        """Columns of the table that are known before the rows are sampled."""
        return frozenset(own.column for own in self.columns) | self.changing

    @property
    def changing(self) -> frozenset[int]:
        """Columns of the table that rarely change within an entity."""
        return frozenset(own.column for own in self.changes)


def ranks_within(entities: RowNumbers, numbers: RowNumbers | Int64s) -> Int64s:
    """Return the rank of each row within its entity. The given numbers determine the row order."""
    order = np.lexsort((numbers, entities))
    ordered = entities[order]
    first = np.flatnonzero(np.append(True, ordered[1:] != ordered[:-1]))
    lengths = np.diff(np.append(first, len(order)))
    ranks = np.empty(len(order), np.int64)
    ranks[order] = np.arange(len(order)) - np.repeat(first, lengths)
    return ranks


def add_up(starts: Int64s, steps: Int64s, entities: RowNumbers, ranks: Int64s) -> Int64s:
    """Return the start of each row's entity plus the steps up to the row. The first row's step is ignored."""
    order = np.lexsort((ranks, entities))
    is_first = ranks[order] == 0
    sums = np.cumsum(np.where(is_first, 0, steps[order]))
    first = np.flatnonzero(is_first)
    lengths = np.diff(np.append(first, len(order)))
    values = np.empty_like(sums)
    values[order] = sums - np.repeat(sums[first], lengths)
    return values + starts


def reaches(values: Int64s, entities: RowNumbers) -> tuple[Int64s, Int64s]:
    """Return the lowest and the highest value of each row's entity."""
    distinct, entity = np.unique(entities, return_inverse=True)
    low = np.full(len(distinct), np.iinfo(np.int64).max)
    high = np.full(len(distinct), np.iinfo(np.int64).min)
    np.minimum.at(low, entity, values)
    np.maximum.at(high, entity, values)
    return low[entity], high[entity]


def stages_of(counts: Int64s, shares: list[Int64s], ranks: Int64s, sizes: Int64s) -> Int64s:
    """Return the number of changes in an entity up to each row.

    Parameters
    ----------
    counts : array of shape (n,)
        Number of changes in each row's entity.
    shares : list of arrays of shape (n,)
        Positions of the changes, in units of 1 / `N_PLACES`.
    ranks, sizes : array of shape (n,)
        Position of each row within its entity, from 0, and number of rows in the entity.
    """
    ordered = np.sort(np.stack([np.where(counts > i, own, N_PLACES) for i, own in enumerate(shares)]), axis=0)
    stages, last = np.zeros_like(ranks), np.zeros_like(ranks)
    for i, share in enumerate(ordered):
        at = np.maximum(1 + share * (sizes - 1) // N_PLACES, last + 1)
        stages += (counts > i) & (ranks >= at)
        last = at
    return stages


def snap(values: Int64s, low: Int64s, high: Int64s, is_exact: Mask) -> tuple[Int64s, Int64s]:
    """Return values that a column's codes can represent, and the span index of each value.

    A value between two single values, such as a date between two working days, is moved to the nearer one.

    Parameters
    ----------
    values : array of shape (n,)
        Values to move.
    low, high : array of shape (n_spans,)
        Lowest and highest value of each span, in ascending order.
    is_exact : array of shape (n_spans,)
        Mask of the spans that consist of a single value.
    """
    values = np.clip(values, low[0], high[-1])
    place = np.searchsorted(low, values, side="right") - 1
    after = np.minimum(place + 1, len(low) - 1)
    is_between = (values > high[place]) & is_exact[place] & is_exact[after]
    is_after = is_between & (low[after] - values < values - high[place])
    place = np.where(is_after, after, place)
    return np.where(is_between, low[place], values), place
