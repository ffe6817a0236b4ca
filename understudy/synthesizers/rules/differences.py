"""Differences between two related columns, such as the start and the end of a stay.

A chain bins both columns. If the difference is far smaller than a bin, the chain preserves only the order of
the two columns. The difference is therefore learned as a column, and one of the two columns is derived
from the other column and the difference.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from understudy.synthesizers.rules.columns import Columns
from understudy.synthesizers.rules.linear import SUM_MAX, Linear
from understudy.synthesizers.rules.significance import entropy
from understudy.synthesizers.rules.values import (
    Floats,
    Int64s,
    Numbers,
    Values,
    comparable_kind,
    read_values,
    unit_of,
)
from understudy.transformers.base import Mask
from understudy.transformers.scale import N_DECIMALS_MAX

# Maximum number of numeric and time columns to search; further columns are ignored.
N_COLUMNS_MAX = 64
# Number of sampled rows for the first check of a pair. Most pairs fail this check.
N_ROWS_FIRST = 512
# Minimum number of rows with values in both columns.
N_ROWS_MIN = 32
# Maximum interquartile range of a difference, as a fraction of the interquartile range of either column. The
# bins of the chain are fine enough for larger differences.
RATIO_MAX = 1 / 8
# Factor for RATIO_MAX in the check of the first rows, because their quartiles are less certain.
SLACK_FIRST = 2.0
# Minimum interquartile range of both columns, in steps of their grid. The bins of a chain are fine enough for
# columns with fewer values.
N_STEPS_MIN = 16
# Minimum interquartile range of a difference between floats without a grid, in units of the last decimal
# place.
N_UNITS_MIN = 1000
# Exclusive upper bound on floats without a grid, in units of the last decimal place, so that sums are exact.
FLOAT_MAX = 2.0**51
# Maximum amount, in nats, by which the entropy of a derived column may be below that of its difference. A
# lower entropy means that values such as round times repeat, and a sum would not reproduce the repetitions.
NATS_MAX = 0.1
# Maximum share of sums that fall into gaps between the values of the derived column, and maximum number of
# rows for measuring this share.
SHARE_MISSED_MAX = 0.02
N_ROWS_SUMMED = 50_000
NAME_LENGTH_MAX = 200


@dataclass(frozen=True)
class Difference:
    """Column that is derived from another column and the difference between the two columns.

    Parameters
    ----------
    name : str
        Name of the column that contains target - base, in the unit of the target.
    target : str
        Name of the derived column.
    base : str
        Name of the column that the difference is added to.
    """

    name: str
    target: str
    base: str

    def describe(self) -> str:
        """Return the derivation as a sentence."""
        return f"{self.target} is derived from {self.base} and their difference, which is learned."


@dataclass(frozen=True)
class Derivation:
    """A difference, the linear rule that computes the target, and the decimal places of both columns."""

    difference: Difference
    rule: Linear
    decimals: dict[str, int]


@dataclass(frozen=True, eq=False, repr=False)
class _Quantity:
    """All values of a column as integers in a unit."""

    name: str
    values: Values
    unit: Fraction
    decimals: int | None

    @property
    def numbers(self) -> Int64s:
        return self.values.numbers.astype(np.int64)


def find_derivations(columns: Columns, fixed: set[str], excluded: set[str]) -> tuple[Derivation, ...]:
    """Return the columns to derive from other columns, in a valid order of computation.

    Parameters
    ----------
    columns : Columns
        Columns of the table.
    fixed : set of str
        Names of columns that must not be derived. Other columns may be derived from these columns.
    excluded : set of str
        Names of columns that must not be part of a derivation.
    """
    found: dict[str, Derivation] = {}
    trees = {name: name for name in columns.names}
    for first, second in _tight_pairs(columns, [n for n in columns.names if n not in excluded]):
        if trees[first] == trees[second]:
            continue
        for base, target in _directions(columns, first, second):
            derivation = None if target in fixed | found.keys() else _derivation(columns, base, target)
            if derivation is not None:
                found[target] = derivation
                joined = trees[target]
                trees = {name: trees[base] if tree == joined else tree for name, tree in trees.items()}
                break
    return tuple(_in_order(found))


def _in_order(found: dict[str, Derivation]) -> Iterator[Derivation]:
    """Yield the derivations so that every base precedes the columns derived from it."""
    waiting = dict(found)
    while waiting:
        for target in [t for t, own in waiting.items() if own.difference.base not in waiting]:
            yield waiting.pop(target)


def _tight_pairs(columns: Columns, names: list[str]) -> list[tuple[str, str]]:
    """Return the pairs with differences that vary little in the sample, the least variable pair first."""
    ratios: dict[tuple[str, str], float] = {}
    for group in _groups(columns, names):
        floats = np.array([_as_floats(columns, name) for name in group])
        some = floats[:, :: max(floats.shape[1] // N_ROWS_FIRST, 1)]
        for i, j in _refute(some):
            ratio = _ratios(floats[i], floats[j : j + 1])[0]
            if ratio <= RATIO_MAX:
                ratios[group[i], group[j]] = ratio
    return sorted(ratios, key=lambda pair: (ratios[pair], columns.names.index(pair[0])))


def _refute(floats: Floats) -> Iterator[tuple[int, int]]:
    """Yield the pairs of columns with differences that vary little in the first rows."""
    for i in range(len(floats) - 1):
        for j in np.flatnonzero(_ratios(floats[i], floats[i + 1 :]) <= RATIO_MAX * SLACK_FIRST):
            yield i, i + 1 + int(j)


def _ratios(one: Floats, others: Floats) -> Floats:
    """Return the spreads of the differences, each relative to the smaller spread of its two columns."""
    differences = others - one
    present = ~np.isnan(differences)
    spreads = np.minimum(
        _spreads(np.where(present, one, np.nan)), _spreads(np.where(present, others, np.nan))
    )
    is_usable = (present.sum(axis=1) >= N_ROWS_MIN) & (spreads > 0)
    return np.where(is_usable, _spreads(differences) / np.where(spreads > 0, spreads, 1.0), np.inf)


def _spreads(floats: Floats) -> Floats:
    """Return the interquartile range of each row of an array, ignoring missing values."""
    ordered = np.sort(floats, axis=1)
    n = np.maximum((~np.isnan(floats)).sum(axis=1), 1)
    rows = np.arange(len(floats))
    spreads: Floats = ordered[rows, (3 * (n - 1)) // 4] - ordered[rows, (n - 1) // 4]
    return spreads


def _groups(columns: Columns, names: list[str]) -> list[list[str]]:
    """Return groups of columns that can be subtracted from each other."""
    groups: dict[str, list[str]] = {}
    for name in [name for name in names if columns.is_quantity(name)][:N_COLUMNS_MAX]:
        type_ = columns.table.schema.field(name).type
        is_instant = pa.types.is_date(type_) or pa.types.is_timestamp(type_)
        kind = "instant" if is_instant else comparable_kind(type_)
        if kind:
            groups.setdefault(kind, []).append(name)
    return [group for group in groups.values() if len(group) > 1]


def _as_floats(columns: Columns, name: str) -> Floats:
    """Return the sample's values as floats, times in seconds, and NaN for missing values."""
    values, unit = columns.sample(name), columns.sample_unit(name)
    floats = values.numbers.astype(np.float64) * (1.0 if unit is None else float(unit))
    floats[values.mask | ~np.isfinite(floats)] = np.nan
    return floats


def _directions(columns: Columns, first: str, second: str) -> list[tuple[str, str]]:
    """Return both orders of a pair as (base, target), first the order with more repeated base values."""
    repeats = _entropy(columns.sample(second)) < _entropy(columns.sample(first)) - NATS_MAX
    directions = [(first, second), (second, first)]
    return directions[::-1] if repeats else directions


def _entropy(values: Values) -> float:
    return _entropy_of(values.numbers[~values.mask])


def _entropy_of(numbers: Numbers) -> float:
    return entropy(np.unique(numbers, return_counts=True)[1])


def _derivation(columns: Columns, base: str, target: str) -> Derivation | None:
    """Return the derivation of a column if it reproduces all rows, otherwise None."""
    b, t = _read(columns, base), _read(columns, target)
    if b is None or t is None or (b.values.mask & ~t.values.mask).any():
        return None
    factor = b.unit / t.unit
    present = ~t.values.mask
    if factor.denominator > 1 or not present.any() or not _is_small(b.numbers[present], int(factor)):
        return None
    numbers_b, numbers_t = b.numbers[present] * int(factor), t.numbers[present]
    if not _is_small(numbers_t, 1) or not _is_tight(numbers_b, numbers_t, has_grid=_has_grid(columns, b, t)):
        return None
    difference = Difference(_name(columns, target, base), target, base)
    type_ = columns.table.schema.field(target).type
    is_amount = comparable_kind(type_) == "number"
    rule = Linear(
        target,
        (base, difference.name),
        (int(factor), 1),
        offset=0,
        divisor=1,
        step=1,
        ties="even",
        is_nonnegative=is_amount and int(numbers_t.min()) >= 0,
    )
    return Derivation(difference, rule, {q.name: q.decimals for q in (b, t) if q.decimals is not None})


def _read(columns: Columns, name: str) -> _Quantity | None:
    """Return a column as integers, or None if its floats are too large. Floats without a grid are rounded."""
    type_ = columns.table.schema.field(name).type
    decimals, unit = columns.decimals(name), columns.unit(name)
    if unit is not None:
        return _Quantity(name, columns.all(name), unit, decimals)
    largest = np.abs(columns.all(name).numbers).max(initial=0.0)
    precise = [d for d in range(N_DECIMALS_MAX + 1) if largest * 10.0**d < FLOAT_MAX]
    if not pa.types.is_float64(type_) or not precise:
        return None
    unit = unit_of(type_, precise[-1])
    assert unit is not None
    return _Quantity(name, read_values(name, columns.array(name), precise[-1]), unit, precise[-1])


def _has_grid(columns: Columns, *quantities: _Quantity) -> bool:
    return all(columns.unit(quantity.name) is not None for quantity in quantities)


def _is_small(numbers: Int64s, factor: int) -> bool:
    most = SUM_MAX // factor
    return int(numbers.max(initial=0)) < most and int(numbers.min(initial=0)) > -most


def _is_tight(base: Int64s, target: Int64s, *, has_grid: bool) -> bool:
    """Return whether the difference varies little in all rows, and all sums are on the target's grid."""
    difference = target - base
    spread, *spreads = (int(_spreads(x[None].astype(np.float64))[0]) for x in (difference, base, target))
    step, *steps = (_step(x) for x in (difference, base, target))
    if (has_grid and (step % steps[1] or steps[0] % steps[1])) or (not has_grid and spread < N_UNITS_MIN):
        return False
    is_fine = all(wide >= N_STEPS_MIN * own for wide, own in zip(spreads, steps, strict=True))
    # One step is added, because a measured spread of zero means a true spread of less than one step.
    is_narrow = spread + min(step, steps[1]) <= RATIO_MAX * min(spreads)
    if not is_fine or not is_narrow or _entropy_of(target) < _entropy_of(difference) - NATS_MAX:
        return False
    return _sums_occur(base, target)


def _sums_occur(base: Int64s, target: Int64s) -> bool:
    """Return whether bases plus shuffled differences occur among the targets as often as actual targets do.

    Clock times such as 1559, months such as 202312, and round times have gaps between possible values. Some
    of the sums fall into these gaps.
    """
    order = np.random.default_rng(0).permutation(len(base))[:N_ROWS_SUMMED]
    own, known = order[::2], np.unique(target[order[1::2]])
    share = float(np.isin(target[own], known).mean())
    share_of_sums = float(np.isin(base[own] + np.roll(target[own] - base[own], 1), known).mean())
    # The tolerance is three standard deviations of the difference between two shares.
    noise = 3 * (2 * share * (1 - share) / len(own)) ** 0.5
    return bool(share_of_sums >= share - SHARE_MISSED_MAX - noise)


def _step(numbers: Int64s) -> int:
    """Return the greatest common divisor of the distances between numbers, or 0 if all numbers are equal."""
    return int(np.gcd.reduce(numbers - numbers.min()))


def _name(columns: Columns, target: str, base: str) -> str:
    """Return a name for a difference that neither a column of the table nor another difference has."""
    name = f"{columns.schema.names.index(target)}: {target} - {base}"[:NAME_LENGTH_MAX]
    while name in columns.schema.names:
        name += "'"
    return name


def measure(target: Values, base: Values, factor: int) -> tuple[Int64s, Mask]:
    """Return target - factor * base as integers, and a mask of rows with a missing value."""
    numbers: npt.NDArray[Any] = target.numbers.astype(np.int64) - base.numbers.astype(np.int64) * factor
    missing = target.mask | base.mask
    return np.where(missing, 0, numbers), missing
