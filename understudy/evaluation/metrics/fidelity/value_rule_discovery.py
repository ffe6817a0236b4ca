"""Discovery of value-level rules: one value forces another, or makes two columns equal.

Like other rules of evaluation, they are proposed from one half of the real rows and confirmed on the other.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

from understudy.evaluation.encoding import Values, is_missing

# Maximum number of values of a column whose values are conditions.
N_LEVELS_MAX = 200
# Minimum number of rows of a condition.
N_ROWS_MIN = 20
# Maximum share of all rows that have the forced value. A more frequent value is not a rule.
SHARE_MAX = 0.95
# Maximum number of columns that are compared with each other.
N_COLUMNS_MAX = 40

ValueKind = Literal["value", "equal"]
Mask = NDArray[np.bool_]
Floats = NDArray[np.float64]
Columns: TypeAlias = Sequence[Values]


@dataclass(frozen=True)
class Implies:
    """Implication: where the first column has one value, the second column has another. Both may be missing.

    Parameters
    ----------
    condition, consequence : float
        Encoded values, minus infinity for missing values.
    """

    columns: tuple[int, int]
    condition: float
    consequence: float
    kind: ValueKind = "value"

    def is_kept(self, rows: Columns) -> Mask:
        """Return a mask of the rows that satisfy the rule."""
        first, second = (with_missing(rows[i]) for i in self.columns)
        return np.asarray((first != self.condition) | (second == self.consequence))

    def sentence(self, names: Sequence[str]) -> str:
        """Return the rule in words."""
        condition = "is missing" if np.isinf(self.condition) else "has a certain value"
        consequence = "is missing" if np.isinf(self.consequence) else "has a certain value"
        return f"{names[1]} {consequence} where {names[0]} {condition}"


@dataclass(frozen=True)
class EqualWhere:
    """Conditional equality: where the first column has one value, the second and third columns are equal."""

    columns: tuple[int, int, int]
    condition: float
    kind: ValueKind = "equal"

    def is_kept(self, rows: Columns) -> Mask:
        """Return a mask of the rows that satisfy the rule."""
        first, second, third = (with_missing(rows[i]) for i in self.columns)
        return np.asarray((first != self.condition) | (second == third))

    def sentence(self, names: Sequence[str]) -> str:
        """Return the rule in words."""
        condition = "is missing" if np.isinf(self.condition) else "has a certain value"
        return f"{names[1]} equals {names[2]} where {names[0]} {condition}"


def propose_value_rules(
    rows: Columns, groups: Sequence[str], decided: Collection[tuple[int, int]]
) -> Iterator[Implies | EqualWhere]:
    """Yield the value-level rules that hold in all rows.

    Parameters
    ----------
    groups : sequence of str
        Group of each column. Columns of the same group have comparable values.
    decided : collection of (int, int)
        Pairs of columns, the first of which determines the second, so that single values add nothing.
    """
    numbers = [with_missing(values) for values in rows[:N_COLUMNS_MAX]]
    for i, own in enumerate(numbers):
        levels, place, counts = np.unique(own, return_inverse=True, return_counts=True)
        if not 1 < len(levels) <= N_LEVELS_MAX:
            continue
        usable = counts >= N_ROWS_MIN
        for j, other in enumerate(numbers):
            if i != j and (i, j) not in decided:
                yield from _implications((i, j), levels, place, other, usable)
        comparable = [j for j, group in enumerate(groups[: len(numbers)]) if group and j != i]
        for j, k in combinations(comparable, 2):
            if groups[j] == groups[k]:
                yield from _equalities((i, j, k), levels, place, (numbers[j], numbers[k]), usable)


def _implications(
    columns: tuple[int, int], levels: Floats, place: NDArray[np.int64], other: Floats, usable: Mask
) -> Iterator[Implies]:
    low, high = np.full(len(levels), np.inf), np.full(len(levels), -np.inf)
    np.minimum.at(low, place, other)
    np.maximum.at(high, place, other)
    for level in np.flatnonzero(usable & (low == high)):
        is_about_missing = np.isinf(levels[level]) and np.isinf(low[level])
        if not is_about_missing and np.mean(other == low[level]) <= SHARE_MAX:
            yield Implies(columns, float(levels[level]), float(low[level]))


def _equalities(
    columns: tuple[int, int, int],
    levels: Floats,
    place: NDArray[np.int64],
    others: tuple[Floats, Floats],
    usable: Mask,
) -> Iterator[EqualWhere]:
    first, second = others
    equal = first == second
    if not 0 < np.count_nonzero(equal) <= SHARE_MAX * len(equal):
        return
    broken = np.bincount(place[~equal], minlength=len(levels))
    for level in np.flatnonzero(usable & (broken == 0)):
        inside = first[place == level]
        # If both columns are constant, implications cover the equality.
        if inside.min() < inside.max():
            yield EqualWhere(columns, float(levels[level]))


def with_missing(values: Values) -> Floats:
    """Return the values as floats, with missing values as minus infinity."""
    return np.where(is_missing(values), -np.inf, values)
